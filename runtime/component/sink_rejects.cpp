#include "runtime/component/sink_rejects.h"

#include <algorithm>
#include <string>

#include "runtime/component/outputs.h"
#include "runtime/record/value_text.h"

namespace huiliu::runtime {
namespace {

bool is_reject_field(const std::string& name) {
  return std::find(std::begin(kRejectFields), std::end(kRejectFields), name) !=
         std::end(kRejectFields);
}

}  // namespace

Schema sink_reject_schema(const std::vector<const Schema*>& inputs) {
  std::vector<Field> fields;
  for (const Schema* input : inputs) {
    for (const Field& field : input->fields()) {
      if (is_reject_field(field.name)) continue;
      const auto known = std::find_if(fields.begin(), fields.end(),
                                      [&](const Field& other) { return other.name == field.name; });
      if (known == fields.end()) {
        fields.push_back(field);
      } else if (known->type != field.type) {
        known->type = Type::kString;
      }
    }
  }
  for (const std::string_view name : kRejectFields) {
    fields.push_back({std::string(name), Type::kString});
  }
  return Schema(std::move(fields));
}

RejectLayout::RejectLayout(const Schema& input, const Schema& rejects, std::size_t row_slots)
    : columns_(rejects.width() - kRejectFieldCount), row_(row_slots) {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const auto from = input.index_of(rejects[i].name);
    if (!from) continue;
    const Type type = input[*from].type;
    columns_[i] = {true, is_text(rejects[i].type) && !is_text(type), *from, type};
  }
}

Record RejectLayout::lay_out(const Record& record, Arena& arena) {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const Column& column = columns_[i];
    Value value = column.present ? record[column.from] : Value();
    if (column.as_text && !value.is_null()) {
      value = Value::of_text(arena.copy(value_text(column.type, value, scratch_)));
    }
    row_[i] = value;
  }
  Record made = record;
  made.values = row_.data();
  made.width = static_cast<std::uint32_t>(columns_.size());
  return made;
}

}  // namespace huiliu::runtime
