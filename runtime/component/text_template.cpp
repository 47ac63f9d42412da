#include "runtime/component/text_template.h"

#include <cstring>

#include <fmt/format.h>

namespace huiliu::runtime {
namespace {

std::size_t find_field(const std::string& name, const Place& place, const Schema& schema,
                       Diagnostics& diagnostics) {
  if (const auto index = schema.index_of(name)) return *index;
  std::vector<std::string> names;
  for (const Field& field : schema.fields()) names.push_back(field.name);
  diagnostics.error(place, fmt::format("there is no field '{}'", name), nearest_hint(name, names));
  return 0;
}

}  // namespace

TextTemplate TextTemplate::parse(const Config& node, const Schema& schema,
                                 Diagnostics& diagnostics) {
  TextTemplate result;
  if (!node.is_scalar()) {
    diagnostics.error(node.place(), "expected a text, fields of the record in {braces}");
    return result;
  }
  const std::string& text = node.text();
  std::string literal;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c == '{' || c == '}') && i + 1 < text.size() && text[i + 1] == c) {
      literal += c;
      ++i;
    } else if (c == '{') {
      const std::size_t end = text.find('}', i);
      if (end == std::string::npos) {
        diagnostics.error(node.place(), "a brace is not closed", "write {{ for a brace");
        return result;
      }
      Part part;
      part.field = find_field(text.substr(i + 1, end - i - 1), node.place(), schema, diagnostics);
      part.is_field = true;
      if (schema.width() > part.field) part.type = schema[part.field].type;
      if (!literal.empty()) result.parts_.push_back({std::move(literal)});
      literal.clear();
      result.parts_.push_back(std::move(part));
      i = end;
    } else {
      literal += c;
    }
  }
  if (!literal.empty()) result.parts_.push_back({std::move(literal)});
  return result;
}

std::string_view TextTemplate::text_of(const Part& part, const Record& record, NumberText& buffer) {
  if (!part.is_field) return part.literal;
  const Value& value = record[part.field];
  if (value.is_null()) return {};
  if (is_text(part.type)) return value.text();
  return {buffer.data(), put_scalar_text(buffer.data(), part.type, value)};
}

std::string_view TextTemplate::expand(const Record& record, Arena& arena) const {
  if (parts_.empty()) return std::string_view("");
  if (parts_.size() == 1 && !parts_.front().is_field) return parts_.front().literal;
  std::size_t size = 0;
  NumberText buffer;
  for (const Part& part : parts_) size += text_of(part, record, buffer).size();
  char* const begin = arena.allocate(size);
  char* next = begin;
  for (const Part& part : parts_) {
    const std::string_view text = text_of(part, record, buffer);
    if (!text.empty()) std::memcpy(next, text.data(), text.size());
    next += text.size();
  }
  return {begin, size};
}

void TextTemplate::append(const Record& record, std::string& out) const {
  NumberText buffer;
  for (const Part& part : parts_) out.append(text_of(part, record, buffer));
}

}  // namespace huiliu::runtime
