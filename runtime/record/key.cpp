#include "runtime/record/key.h"

#define XXH_INLINE_ALL
#include <algorithm>
#include <bit>
#include <chrono>
#include <cstring>

#include <fmt/chrono.h>
#include <xxhash.h>

#include "runtime/record/value_text.h"

namespace huiliu::runtime {

KeyBuilder::KeyBuilder(const Schema& schema, const std::vector<std::string>& fields) {
  for (const std::string& name : fields) {
    const std::size_t index = schema.index_of(name).value();
    fields_.push_back(index);
    types_.push_back(schema[index].type);
  }
}

namespace {

// Each field is its size and its bytes, so no two keys share an encoding. The size is one byte, or
// kLong and four bytes; kNull for null.
constexpr char kNull = '\xFF', kLong = '\xFE';

void append_field(std::string& key, std::string_view field) {
  if (field.size() < 0xFE) {
    key += static_cast<char>(field.size());
  } else {
    const auto size = static_cast<std::uint32_t>(field.size());
    key += kLong;
    key.append(reinterpret_cast<const char*>(&size), sizeof size);
  }
  key.append(field);
}

}  // namespace

std::string_view KeyBuilder::build(const Record& record) {
  bytes_.clear();
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    const Value& value = record[fields_[i]];
    if (value.is_null()) {
      bytes_ += kNull;
    } else if (is_text(types_[i])) {
      append_field(bytes_, value.text());
    } else {
      const std::int64_t integer = value.integer();
      append_field(bytes_, {reinterpret_cast<const char*>(&integer), sizeof integer});
    }
  }
  return bytes_;
}

std::optional<std::string_view> KeyBuilder::take_field(std::string_view& key) {
  if (key.empty()) return std::nullopt;
  const char first = key.front();
  key.remove_prefix(1);
  if (first == kNull) return std::nullopt;
  std::uint32_t size = static_cast<unsigned char>(first);
  if (first == kLong) {
    const std::size_t there = std::min(key.size(), sizeof size);
    std::memcpy(&size, key.data(), there);
    key.remove_prefix(there);
  }
  const std::string_view field = key.substr(0, size);
  key.remove_prefix(field.size());
  return field;
}

std::uint64_t KeyBuilder::hash_bytes(std::string_view bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

std::string key_field_text(Type type, std::optional<std::string_view> field) {
  if (!field) return {};
  if (is_text(type)) return std::string(*field);
  std::int64_t bits = 0;
  if (field->size() != sizeof bits) return fmt::format("damaged ({} bytes)", field->size());
  std::memcpy(&bits, field->data(), sizeof bits);
  if (type == Type::kTimestamp) {
    using std::chrono::milliseconds;
    return fmt::format("{:%FT%T}Z", std::chrono::sys_time<milliseconds>(milliseconds(bits)));
  }
  const bool real = type == Type::kFloat64;
  std::string text;
  value_text(type, real ? Value::of_real(std::bit_cast<double>(bits)) : Value::of_integer(bits),
             text);
  return text;
}

std::vector<std::pair<std::string, std::string>> take_key_text(
    const Schema& schema, const std::vector<std::string>& fields, std::string_view& key) {
  std::vector<std::pair<std::string, std::string>> texts;
  for (const std::string& name : fields) {
    const auto index = schema.index_of(name);
    const Type type = index ? schema[*index].type : Type::kBytes;
    texts.emplace_back(name, key_field_text(type, KeyBuilder::take_field(key)));
  }
  return texts;
}

}  // namespace huiliu::runtime
