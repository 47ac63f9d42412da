#include "codecs/json_row.h"

#include <cstring>

#include <emmintrin.h>

#include "codecs/value_parsers.h"

namespace huiliu::codecs {

using runtime::Arena;
using runtime::Type;
using runtime::Value;

namespace {

std::size_t bucket_of(std::string_view name, std::size_t mask) {
  std::uint64_t hash = name.size();
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ull;
  return static_cast<std::size_t>(hash ^ (hash >> 29)) & mask;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// -1 if there are not four hex digits.
int hex4(const char* at) {
  int code = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = hex_digit(at[i]);
    if (digit < 0) return -1;
    code = code * 16 + digit;
  }
  return code;
}

char* put_utf8(char* to, unsigned code) {
  const auto byte = [&](unsigned value) { *to++ = static_cast<char>(value); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xC0 | (code >> 6)), byte(0x80 | (code & 63));
  } else if (code < 0x10000) {
    byte(0xE0 | (code >> 12)), byte(0x80 | ((code >> 6) & 63)), byte(0x80 | (code & 63));
  } else {
    byte(0xF0 | (code >> 18)), byte(0x80 | ((code >> 12) & 63));
    byte(0x80 | ((code >> 6) & 63)), byte(0x80 | (code & 63));
  }
  return to;
}

/// Moves past the character escaped at `from` (behind the backslash); null if it is none.
const char* unescape_one(const char* from, char*& to) {
  constexpr std::string_view kFrom = "\"\\/bfnrt";
  constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
  if (*from != 'u') {
    const auto found = *from == '\0' ? std::string_view::npos : kFrom.find(*from);
    if (found == std::string_view::npos) return nullptr;
    *to++ = kTo[found];
    return from + 1;
  }
  int code = hex4(from + 1);
  from += 5;
  if (code < 0 || (code >= 0xDC00 && code < 0xE000)) return nullptr;
  if (code >= 0xD800 && code < 0xDC00) {
    if (from[0] != '\\' || from[1] != 'u') return nullptr;
    const int low = hex4(from + 2);
    if (low < 0xDC00 || low >= 0xE000) return nullptr;
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    from += 6;
  }
  to = put_utf8(to, static_cast<unsigned>(code));
  return from;
}

/// Copies JSON string content; empty data() if an escape is wrong. Never longer than the input.
std::string_view unescape(std::string_view raw, Arena& arena) {
  char* const begin = arena.allocate(raw.size() + 1);
  char* to = begin;
  const char* from = raw.data();
  const char* const end = from + raw.size();
  while (from < end) {
    if (*from != '\\') {
      *to++ = *from++;  // NOLINT(clang-analyzer-core.NullDereference): allocate() gives memory
      continue;
    }
    from = unescape_one(from + 1, to);
    if (from == nullptr) return {};
  }
  return {begin, static_cast<std::size_t>(to - begin)};
}

/// Whether all escapes of JSON string content are escapes.
bool has_good_escapes(std::string_view raw) {
  const char* const end = raw.data() + raw.size();
  for (const char* at = raw.data(); at < end;) {
    char scratch[4];
    char* to = scratch;
    at = *at == '\\' ? unescape_one(at + 1, to) : at + 1;
    if (at == nullptr) return false;
  }
  return true;
}

}  // namespace

void KeyTable::add(std::string name, int field) {
  if (find(name) >= 0) return;
  entries_.push_back({std::move(name), field});
  index();
}

void KeyTable::index() {
  std::size_t size = 16;
  while (size < entries_.size() * 4) size *= 2;
  buckets_.assign(size, -1);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    std::size_t at = bucket_of(entries_[i].name, size - 1);
    while (buckets_[at] >= 0) at = (at + 1) & (size - 1);
    buckets_[at] = static_cast<std::int16_t>(i);
  }
}

int KeyTable::find(std::string_view name) const {
  if (buckets_.empty()) return -1;
  const std::size_t mask = buckets_.size() - 1;
  for (std::size_t at = bucket_of(name, mask);; at = (at + 1) & mask) {
    const int key = buckets_[at];
    if (key < 0 || entries_[static_cast<std::size_t>(key)].name == name) return key;
  }
}

JsonRow::JsonRow(std::vector<Type> types, int max_depth)
    : types_(std::move(types)), max_depth_(max_depth) {}

JsonFault JsonRow::parse(const char* bytes, const KeyTable& keys, Value* row, Arena& arena,
                         const char*& end) {
  at_ = bytes;
  fault_ = type_fault_ = JsonFault::kNone;
  field_ = -1;
  value_ = {};
  if (next_.size() != keys.size() + 1) next_.assign(keys.size() + 1, -1);
  blanks();
  if (*at_ != '{' || !object(keys, row, arena)) {
    return fault_ == JsonFault::kNone ? JsonFault::kBadJson : fault_;
  }
  blanks();
  end = at_;
  return type_fault_;
}

/// Reads `"key":`; the key's index, -1 if unknown, -2 if it is no key.
int JsonRow::key(const KeyTable& keys, int last) {
  if (*at_ != '"') return -2;
  std::int16_t& guess = next_[static_cast<std::size_t>(last) + 1];
  int found = -1;
  if (guess >= 0) {
    const std::string_view name = keys.name(guess);
    if (std::strncmp(at_ + 1, name.data(), name.size()) == 0 && at_[name.size() + 1] == '"') {
      at_ += name.size() + 2;
      found = guess;
    }
  }
  if (found < 0) {
    const char* const from = at_ + 1;
    if (!skip_string()) return -2;
    std::string_view name(from, static_cast<std::size_t>(at_ - from) - 1);
    std::string plain;
    if (escaped_) {
      Arena scratch;
      const std::string_view text = unescape(name, scratch);
      if (text.data() == nullptr) return -2;
      plain = text;
      found = keys.find(plain);
    } else {
      found = keys.find(name);
      if (found < 0 && unknown_key_.empty()) unknown_key_ = name;
    }
    if (found >= 0) guess = static_cast<std::int16_t>(found);
  }
  if (*at_ != ':') {
    blanks();
    if (*at_ != ':') return -2;
  }
  ++at_;
  return found;
}

bool JsonRow::object(const KeyTable& keys, Value* row, Arena& arena) {
  ++at_;
  blanks();
  if (*at_ == '}') {
    ++at_;
    return true;
  }
  for (int last = -1;;) {
    const int index = key(keys, last);
    if (index < -1) return fail(JsonFault::kBadJson);
    blanks();
    if (!value(index < 0 ? -1 : keys.field(index), row, arena)) return false;
    if (index >= 0) last = index;
    blanks();
    if (*at_ == '}') break;
    if (*at_ != ',') return fail(JsonFault::kBadJson);
    ++at_;
    blanks();
  }
  ++at_;
  return true;
}

void JsonRow::wrong_type(int field, const char* from) {
  if (type_fault_ != JsonFault::kNone) return;
  type_fault_ = JsonFault::kWrongType;
  field_ = field;
  value_ = {from, static_cast<std::size_t>(at_ - from)};
}

bool JsonRow::value(int field, Value* row, Arena& arena) {
  const auto index = static_cast<std::size_t>(field);
  const char* const from = at_;
  if (*at_ == '"') {
    if (!skip_string()) return fail(JsonFault::kBadJson);
    std::string_view text(from + 1, static_cast<std::size_t>(at_ - from) - 2);
    if (escaped_) {
      text = unescape(text, arena);
      if (text.data() == nullptr) return fail(JsonFault::kBadJson);
    }
    if (field < 0) return true;
    const Type type = types_[index];
    if (type == Type::kString || type == Type::kBytes) {
      row[index] = Value::of_text(text);
    } else if (type == Type::kJson) {
      row[index] = Value::of_text({from, static_cast<std::size_t>(at_ - from)});
    } else if (const auto moment =
                   type == Type::kTimestamp ? parse_timestamp(text) : std::nullopt) {
      row[index] = Value::of_integer(*moment);
    } else {
      wrong_type(field, from);
    }
    return true;
  }
  if (*at_ == '{' || *at_ == '[') {
    if (!skip_nested(1)) return fail(JsonFault::kBadJson);
    if (field < 0) return true;
    if (!runtime::is_text(types_[index])) {
      wrong_type(field, from);
    } else {
      row[index] = Value::of_text({from, static_cast<std::size_t>(at_ - from)});
    }
    return true;
  }
  return scalar(field, row);
}

bool JsonRow::scalar(int field, Value* row) {
  const auto index = static_cast<std::size_t>(field);
  const char* const from = at_;
  const bool number = *at_ == '-' || is_digit(*at_);
  bool whole = false;
  if (number ? !skip_number(whole) : !skip_literal()) return fail(JsonFault::kBadJson);
  if (field < 0) return true;
  const std::string_view literal(from, static_cast<std::size_t>(at_ - from));
  const Type type = types_[index];
  if (*from == 'n') {
    row[index] = Value();
  } else if (runtime::is_text(type)) {
    row[index] = Value::of_text(literal);
  } else if (type == Type::kFloat64 && number) {
    const auto real = parse_real(literal);
    if (!real) {
      wrong_type(field, from);
      return true;
    }
    row[index] = Value::of_real(*real);
  } else if (type == Type::kTimestamp && number) {
    const auto moment = whole ? parse_number_timestamp(literal) : std::nullopt;
    if (!moment) {
      wrong_type(field, from);
      return true;
    }
    row[index] = Value::of_integer(*moment);
  } else if (type == Type::kBool && !number) {
    row[index] = Value::of_bool(*from == 't');
  } else if (const auto integer = !number || type == Type::kBool ? std::nullopt
                                  : whole                        ? parse_integer(literal)
                                                                 : parse_whole(literal)) {
    row[index] = Value::of_integer(*integer);
  } else {
    wrong_type(field, from);
  }
  return true;
}

bool JsonRow::skip_string() {
  escaped_ = false;
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i limit = _mm_set1_epi8(0x1F);
  const char* at = at_ + 1;
  for (;;) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i special =
        _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)),
                     _mm_cmpeq_epi8(_mm_max_epu8(bytes, limit), limit));
    const int mask = _mm_movemask_epi8(special);
    if (mask == 0) {
      at += 16;
      continue;
    }
    at += __builtin_ctz(static_cast<unsigned>(mask));
    if (*at == '"') {
      at_ = at + 1;
      return true;
    }
    if (*at != '\\' || static_cast<unsigned char>(at[1]) < 0x20) return false;
    escaped_ = true;
    at += 2;
  }
}

bool JsonRow::skip_checked_string() {
  const char* const from = at_ + 1;
  return skip_string() &&
         (!escaped_ || has_good_escapes({from, static_cast<std::size_t>(at_ - from) - 1}));
}

bool JsonRow::skip_number(bool& whole) {
  if (*at_ == '-') ++at_;
  if (!is_digit(*at_)) return false;
  if (*at_ == '0' && is_digit(at_[1])) return false;
  while (is_digit(*at_)) ++at_;
  whole = true;
  if (*at_ == '.') {
    whole = false;
    if (!is_digit(*++at_)) return false;
    while (is_digit(*at_)) ++at_;
  }
  if (*at_ == 'e' || *at_ == 'E') {
    whole = false;
    ++at_;
    if (*at_ == '+' || *at_ == '-') ++at_;
    if (!is_digit(*at_)) return false;
    while (is_digit(*at_)) ++at_;
  }
  return true;
}

bool JsonRow::skip_literal() {
  for (const std::string_view word : {"true", "false", "null"}) {
    if (std::strncmp(at_, word.data(), word.size()) == 0) {
      at_ += word.size();
      return true;
    }
  }
  return false;
}

bool JsonRow::skip_nested(int depth) {
  if (depth >= max_depth_) return fail(JsonFault::kTooDeep);
  const char close = *at_ == '{' ? '}' : ']';
  ++at_;
  blanks();
  if (*at_ == close) {
    ++at_;
    return true;
  }
  for (;;) {
    if (close == '}') {
      if (*at_ != '"' || !skip_checked_string()) return false;
      blanks();
      if (*at_++ != ':') return false;
      blanks();
    }
    bool whole = false;
    const bool good = *at_ == '"'                     ? skip_checked_string()
                      : *at_ == '{' || *at_ == '['    ? skip_nested(depth + 1)
                      : *at_ == '-' || is_digit(*at_) ? skip_number(whole)
                                                      : skip_literal();
    if (!good) return false;
    blanks();
    if (*at_ == close) break;
    if (*at_ != ',') return false;
    ++at_;
    blanks();
  }
  ++at_;
  return true;
}

}  // namespace huiliu::codecs
