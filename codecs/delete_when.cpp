#include "codecs/delete_when.h"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/record/value_text.h"

namespace huiliu::codecs {

using runtime::Config;
using runtime::Schema;

void DeleteWhen::add(DeleteWhen& into, std::size_t field, const Schema& schema,
                     const Config& texts) {
  Test& test = into.tests_.emplace_back();
  test.field = field;
  test.type = schema[field].type;
  if (texts.is_list()) {
    for (const Config& item : texts.items()) test.texts.push_back(item.text());
  } else {
    test.texts.push_back(texts.text());
  }
}

DeleteWhen DeleteWhen::parse(const Config& node, const Schema& schema,
                             runtime::Diagnostics& diagnostics) {
  DeleteWhen result;
  if (!node.is_map()) return result;
  std::vector<std::string> names;
  for (const runtime::Field& field : schema.fields()) names.push_back(field.name);
  for (const auto& [name, texts] : node.entries()) {
    if (const auto field = schema.index_of(name)) {
      add(result, *field, schema, texts);
    } else {
      diagnostics.error(node.key_place(name),
                        fmt::format("there is no field '{}' in what the sink keeps", name),
                        runtime::nearest_hint(name, names));
    }
  }
  return result;
}

DeleteWhen DeleteWhen::of_input(const Config& node, const Schema& input) {
  DeleteWhen result;
  if (!node.is_map()) return result;
  for (const auto& [name, texts] : node.entries()) {
    const auto field = input.index_of(name);
    if (!field) return {};
    add(result, *field, input, texts);
  }
  return result;
}

bool DeleteWhen::holds(const runtime::Value* row) const {
  if (tests_.empty()) return false;
  std::string scratch;
  return std::all_of(tests_.begin(), tests_.end(), [&](const Test& test) {
    const std::string_view text = value_text(test.type, row[test.field], scratch);
    return std::find(test.texts.begin(), test.texts.end(), text) != test.texts.end();
  });
}

runtime::Option DeleteWhen::option() {
  return {.name = "delete_when",
          .type = runtime::OptionType::kMap,
          .doc =
              "Field → text, or list of texts: a row in which all of them hold deletes the row "
              "with its key. Null counts as an empty text.",
          .members = {{.name = "text", .type = runtime::OptionType::kAny}}};
}

}  // namespace huiliu::codecs
