#include "runtime/record/row_codec.h"

#include <cstdint>
#include <cstring>
#include <optional>

#include <flatbuffers/flatbuffers.h>

namespace huiliu::runtime {
namespace {

flatbuffers::voffset_t slot_of(std::size_t field) {
  return static_cast<flatbuffers::voffset_t>(4 + 2 * field);
}

template <class T>
std::optional<T> load(std::string_view bytes, std::size_t at) {
  if (at > bytes.size() || bytes.size() - at < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

/// Place of each field in a table whose buffer is `bytes`; 0 = absent.
bool find_fields(std::string_view bytes, std::vector<std::size_t>& places) {
  const auto root = load<std::uint32_t>(bytes, 0);
  if (!root) return false;
  const auto back = load<std::int32_t>(bytes, *root);
  if (!back) return false;
  const std::int64_t vtable = static_cast<std::int64_t>(*root) - *back;
  if (vtable < 0) return false;
  const auto start = static_cast<std::size_t>(vtable);
  const auto size = load<std::uint16_t>(bytes, start);
  if (!size || *size < 4 || *size % 2 != 0 || start + *size > bytes.size()) return false;
  for (std::size_t i = 0; i < places.size(); ++i) {
    places[i] = 0;
    if (std::size_t{slot_of(i)} + 2 > *size) continue;
    const auto offset = load<std::uint16_t>(bytes, start + slot_of(i));
    if (offset && *offset != 0) places[i] = *root + *offset;
  }
  return true;
}

std::optional<Value> load_value(std::string_view bytes, Type type, std::size_t at) {
  switch (type) {
    case Type::kBool:
      if (const auto flag = load<std::uint8_t>(bytes, at)) return Value::of_bool(*flag != 0);
      return std::nullopt;
    case Type::kFloat64:
      if (const auto real = load<double>(bytes, at)) return Value::of_real(*real);
      return std::nullopt;
    case Type::kDate:
      if (const auto days = load<std::int32_t>(bytes, at)) return Value::of_integer(*days);
      return std::nullopt;
    case Type::kInt64:
    case Type::kTimestamp:
      if (const auto integer = load<std::int64_t>(bytes, at)) return Value::of_integer(*integer);
      return std::nullopt;
    default:
      break;
  }
  const auto offset = load<std::uint32_t>(bytes, at);
  if (!offset) return std::nullopt;
  const std::size_t start = at + *offset;
  const auto size = load<std::uint32_t>(bytes, start);
  if (!size || bytes.size() - start - 4 < *size) return std::nullopt;
  return Value::of_text(bytes.substr(start + 4, *size));
}

std::string_view fbs_type(Type type) {
  switch (type) {
    case Type::kBool:
      return "bool = null";
    case Type::kFloat64:
      return "double = null";
    case Type::kDate:
      return "int32 = null";
    case Type::kInt64:
    case Type::kTimestamp:
      return "int64 = null";
    case Type::kBytes:
      return "[ubyte]";
    default:
      return "string";
  }
}

std::string identifier(std::string_view name) {
  std::string result;
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    const bool digit = c >= '0' && c <= '9';
    if (digit && result.empty()) result += '_';
    result += letter || digit ? c : '_';
  }
  return result.empty() ? "_" : result;
}

}  // namespace

struct RowEncoder::Impl {
  std::vector<Type> types;
  std::vector<flatbuffers::uoffset_t> texts;
  flatbuffers::FlatBufferBuilder builder{1024};
};

RowEncoder::RowEncoder(const Schema& schema) : impl_(std::make_unique<Impl>()) {
  for (const Field& field : schema.fields()) impl_->types.push_back(field.type);
  impl_->texts.resize(schema.width());
  impl_->builder.ForceDefaults(true);
}
RowEncoder::~RowEncoder() = default;
RowEncoder::RowEncoder(RowEncoder&&) noexcept = default;
RowEncoder& RowEncoder::operator=(RowEncoder&&) noexcept = default;

void RowEncoder::append(const Value* values, std::string& out) {
  auto& builder = impl_->builder;
  const auto& types = impl_->types;
  builder.Clear();
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (!is_text(types[i]) || values[i].is_null()) continue;
    const std::string_view text = values[i].text();
    impl_->texts[i] = builder.CreateString(text.data(), text.size()).o;
  }
  const flatbuffers::uoffset_t start = builder.StartTable();
  for (std::size_t i = 0; i < types.size(); ++i) {
    const Value& value = values[i];
    if (value.is_null()) continue;
    if (is_text(types[i])) {
      builder.AddOffset(slot_of(i), flatbuffers::Offset<flatbuffers::String>(impl_->texts[i]));
    } else if (types[i] == Type::kBool) {
      builder.AddElement<std::uint8_t>(slot_of(i), value.boolean() ? 1 : 0, 0);
    } else if (types[i] == Type::kFloat64) {
      builder.AddElement<double>(slot_of(i), value.real(), 0);
    } else if (types[i] == Type::kDate) {
      builder.AddElement<std::int32_t>(slot_of(i), static_cast<std::int32_t>(value.integer()), 0);
    } else {
      builder.AddElement<std::int64_t>(slot_of(i), value.integer(), 0);
    }
  }
  builder.FinishSizePrefixed(flatbuffers::Offset<flatbuffers::Table>(builder.EndTable(start)));
  out.append(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
}

bool take_row(const Schema& schema, std::string_view& bytes, std::vector<Value>& row) {
  const auto size = load<std::uint32_t>(bytes, 0);
  if (!size || bytes.size() - 4 < *size) return false;
  const std::string_view table = bytes.substr(4, *size);
  std::vector<std::size_t> places(schema.width());
  if (!find_fields(table, places)) return false;
  row.assign(schema.width(), Value());
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (places[i] == 0) continue;
    const auto value = load_value(table, schema[i].type, places[i]);
    if (!value) return false;
    row[i] = *value;
  }
  bytes.remove_prefix(4 + std::size_t{*size});
  return true;
}

std::string fbs_of(const Schema& schema, std::string_view name) {
  const std::string table = identifier(name);
  std::string text = "// Stream " + std::string(name) + ". Size-prefixed; absent = null.\n" +
                     "// Timestamps: ms since 1970-01-01 UTC. Dates: days since then.\n" +
                     "table " + table + " {\n";
  for (const Field& field : schema.fields()) {
    const std::string spelled = identifier(field.name);
    text += "  " + spelled + ": " + std::string(fbs_type(field.type)) + ";";
    text += "  // " + std::string(type_name(field.type));
    if (spelled != field.name) text += ", " + field.name;
    text += "\n";
  }
  return text + "}\nroot_type " + table + ";\n";
}

}  // namespace huiliu::runtime
