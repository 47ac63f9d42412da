#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/record/value.h"

namespace huiliu::runtime {

struct Field {
  std::string name;
  Type type = Type::kString;
  bool operator==(const Field&) const = default;
};

/// Ordered, named, typed fields. Names are resolved to indexes once, when a topology is planned.
class Schema {
 public:
  Schema() = default;
  explicit Schema(std::vector<Field> fields) : fields_(std::move(fields)) {}

  const std::vector<Field>& fields() const { return fields_; }
  std::size_t width() const { return fields_.size(); }
  const Field& operator[](std::size_t index) const { return fields_[index]; }
  std::optional<std::size_t> index_of(std::string_view name) const;
  /// Appends a field, or returns the index of the one that has the name already.
  std::size_t add(std::string_view name, Type type);
  /// "name: type, name: type" for messages.
  std::string to_string() const;
  bool operator==(const Schema&) const = default;

 private:
  std::vector<Field> fields_;
};

/// Parses a type's name; empty when it is none.
std::optional<Type> parse_type(std::string_view name);
const std::vector<std::string>& type_names();

}  // namespace huiliu::runtime
