#include "runtime/record/schema.h"

#include <array>

namespace huiliu::runtime {
namespace {

constexpr std::array<std::string_view, 8> kNames = {"bool",  "int64",     "float64", "string",
                                                    "bytes", "timestamp", "date",    "json"};

}  // namespace

std::string_view type_name(Type type) { return kNames[static_cast<std::size_t>(type)]; }

std::optional<Type> parse_type(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Type>(i);
  }
  return std::nullopt;
}

const std::vector<std::string>& type_names() {
  static const std::vector<std::string> names(kNames.begin(), kNames.end());
  return names;
}

std::optional<std::size_t> Schema::index_of(std::string_view name) const {
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (fields_[i].name == name) return i;
  }
  return std::nullopt;
}

std::size_t Schema::add(std::string_view name, Type type) {
  if (const auto index = index_of(name)) return *index;
  fields_.push_back({std::string(name), type});
  return fields_.size() - 1;
}

std::string Schema::to_string() const {
  std::string text;
  for (const Field& field : fields_) {
    if (!text.empty()) text += ", ";
    text += field.name;
    text += ": ";
    text += type_name(field.type);
  }
  return text;
}

}  // namespace huiliu::runtime
