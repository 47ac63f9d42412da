#include "operators/field_names.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

namespace huiliu::operators {

using runtime::Config;
using runtime::Diagnostics;
using runtime::Schema;

std::size_t find_field(const Config& node, const Schema& schema, Diagnostics& diagnostics) {
  if (!node.is_scalar()) {
    diagnostics.error(node.place(), "expected the name of a field");
    return 0;
  }
  if (const auto index = schema.index_of(node.text())) return *index;
  std::vector<std::string> names;
  for (const runtime::Field& field : schema.fields()) names.push_back(field.name);
  diagnostics.error(node.place(), fmt::format("there is no field '{}'", node.text()),
                    runtime::nearest_hint(node.text(), names));
  return 0;
}

std::vector<std::size_t> find_fields(const Config& node, const Schema& schema,
                                     Diagnostics& diagnostics) {
  std::vector<std::size_t> indexes;
  for (const Config* item : items_of(node)) {
    indexes.push_back(find_field(*item, schema, diagnostics));
  }
  return indexes;
}

std::size_t find_text_field(const Config& node, const Schema& schema, Diagnostics& diagnostics) {
  const std::size_t errors = diagnostics.errors();
  const std::size_t index = find_field(node, schema, diagnostics);
  if (diagnostics.errors() == errors && !runtime::is_text(schema[index].type)) {
    diagnostics.error(node.place(),
                      fmt::format("expected a field of text, '{}' is {}", schema[index].name,
                                  runtime::type_name(schema[index].type)));
  }
  return index;
}

void check_keys(const Config& node, const std::vector<std::string>& known,
                Diagnostics& diagnostics) {
  for (const auto& [key, value] : node.entries()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    diagnostics.error(node.key_place(key), fmt::format("there is no option '{}'", key),
                      runtime::nearest_hint(key, known));
  }
}

std::size_t find_word(const Config& node, std::string_view what,
                      const std::vector<std::string>& words, Diagnostics& diagnostics) {
  if (!node.is_scalar()) {
    diagnostics.error(node.place(), fmt::format("expected a {}", what));
    return words.size();
  }
  const auto found = std::find(words.begin(), words.end(), node.text());
  if (found == words.end()) {
    diagnostics.error(node.place(), fmt::format("there is no {} '{}'", what, node.text()),
                      runtime::nearest_hint(node.text(), words));
  }
  return static_cast<std::size_t>(found - words.begin());
}

std::vector<const Config*> items_of(const Config& node) {
  std::vector<const Config*> items;
  if (node.is_list()) {
    for (const Config& item : node.items()) items.push_back(&item);
  } else if (!node.is_null()) {
    items.push_back(&node);
  }
  return items;
}

std::string resolve_path(const Config& node) {
  const std::filesystem::path path(node.text());
  if (path.is_absolute()) return path.string();
  return (std::filesystem::path(node.place().file).parent_path() / path).string();
}

}  // namespace huiliu::operators
