#include "connectors/files/json_decoder.h"

#include <cstring>
#include <unordered_map>

#include <simdjson.h>

namespace huiliu::connectors::files {

namespace ondemand = simdjson::ondemand;

namespace {

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};

std::string_view trim_end(std::string_view token) {
  while (!token.empty() && static_cast<unsigned char>(token.back()) <= ' ') token.remove_suffix(1);
  return token;
}

}  // namespace

struct JsonDecoder::Impl {
  const FileSourceOptions& options;
  RowBuilder& rows;
  ondemand::parser parser;
  const Mapping* mapping = nullptr;
  std::unordered_map<std::string, int, TextHash, std::equal_to<>> fields;
  struct Expected {
    std::string key;
    int field;
  };
  std::vector<Expected> expected;  // keys in the order of the record before: mostly the same again

  explicit Impl(const FileSourceOptions& o, RowBuilder& r) : options(o), rows(r) {}

  void use(const Mapping& next) {
    if (mapping == &next) return;
    mapping = &next;
    fields.clear();
    expected.clear();
    for (const auto& [column, field] : next.columns) fields[column] = static_cast<int>(field);
  }

  int field_of(std::size_t position, std::string_view key) {
    if (position < expected.size() && expected[position].key == key)
      return expected[position].field;
    const auto found = fields.find(key);
    const int field = found == fields.end() ? -1 : found->second;
    if (position < expected.size()) {
      expected[position] = {std::string(key), field};
    } else if (position == expected.size() && position < 256) {
      expected.push_back({std::string(key), field});
    }
    return field;
  }

  // False with the field's index in `wrong` if a value does not fit its field.
  bool read_object(ondemand::object object, runtime::Outputs& out, int& wrong);
  bool set_value(std::size_t field, ondemand::value value, runtime::Outputs& out);
  void decode_line(std::string_view line, runtime::Outputs& out);
};

bool JsonDecoder::Impl::set_value(std::size_t field, ondemand::value value, runtime::Outputs& out) {
  const std::string_view token = trim_end(value.raw_json_token());
  switch (token.empty() ? '\0' : token.front()) {
    case '"': {
      if (std::memchr(token.data(), '\\', token.size()) != nullptr) {
        return rows.set(field, out.arena().copy(value.get_string().value()));
      }
      return rows.set(field, token.substr(1, token.size() - 2));
    }
    case '{':
      rows.set_text(field, trim_end(value.get_object().value().raw_json().value()));
      return true;
    case '[':
      rows.set_text(field, trim_end(value.get_array().value().raw_json().value()));
      return true;
    case 'n':
      return value.is_null();
    case 't':
    case 'f':
      return rows.set(field, value.get_bool().value() ? "true" : "false");
    default:
      (void)value.get_double().value();  // checks the number; its text is kept as it is
      return rows.set(field, token);
  }
}

bool JsonDecoder::Impl::read_object(ondemand::object object, runtime::Outputs& out, int& wrong) {
  std::size_t position = 0;
  for (auto member : object) {
    // Keys with escapes are unescaped; others are compared as they stand.
    const std::string_view key = member.unescaped_key().value();
    const int field = field_of(position++, key);
    if (field < 0) continue;
    if (!set_value(static_cast<std::size_t>(field), member.value(), out)) wrong = field;
  }
  return wrong < 0;
}

void JsonDecoder::Impl::decode_line(std::string_view line, runtime::Outputs& out) {
  try {
    ondemand::document document =
        parser.iterate(line.data(), line.size(), line.size() + simdjson::SIMDJSON_PADDING);
    int wrong = -1;
    read_object(document.get_object(), out, wrong);
    // At the end of the document there is no location.
    if (document.current_location().error() == simdjson::SUCCESS)
      throw simdjson::simdjson_error(simdjson::TRAILING_CONTENT);
    if (wrong < 0) return rows.emit(out);
    const InputField& field = rows.field(static_cast<std::size_t>(wrong));
    rows.reject(out, "E201_FORMAT", field.name, line, "the value does not have the field's type",
                "字段值的类型不符");
  } catch (const simdjson::simdjson_error& error) {
    if (error.error() == simdjson::UTF8_ERROR) {
      rows.reject(out, "E803_BAD_ENCODING", "", line, "the line is not UTF-8",
                  "该行不是有效的 UTF-8 文本");
    } else {
      rows.reject(out, "E801_BAD_JSON", "", line, "the line is not a complete JSON object",
                  "该行不是完整的 JSON 对象");
    }
  }
}

JsonDecoder::JsonDecoder(const FileSourceOptions& options, RowBuilder& rows)
    : impl_(std::make_unique<Impl>(options, rows)) {}
JsonDecoder::~JsonDecoder() = default;

void JsonDecoder::decode(const runtime::Slice& slice, const FileInfo& file, runtime::Outputs& out) {
  impl_->use(*file.mapping);
  const char* at = slice.bytes.data();
  const char* end = at + slice.bytes.size();
  std::uint64_t offset = slice.first_offset;
  while (at < end) {
    const void* newline = std::memchr(at, '\n', static_cast<std::size_t>(end - at));
    const char* stop = newline != nullptr ? static_cast<const char*>(newline) : end;
    std::string_view line(at, static_cast<std::size_t>(stop - at));
    at = stop + 1;
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    const std::uint64_t number = offset++;
    if (line.find_first_not_of(" \t") == std::string_view::npos) continue;  // an empty line
    impl_->rows.start(slice, *file.mapping, number);
    if (line.size() > impl_->options.max_row_bytes) {
      impl_->rows.reject(out, "E804_TOO_LONG", "", line, "the line is longer than max_row_bytes",
                         "该行超过最大长度");
      continue;
    }
    impl_->decode_line(line, out);
  }
}

}  // namespace huiliu::connectors::files
