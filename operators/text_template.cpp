#include "operators/text_template.h"

#include <array>
#include <charconv>
#include <cstring>

#include <fmt/format.h>

#include "operators/field_names.h"

namespace huiliu::operators {

using runtime::Config;
using runtime::Diagnostics;
using runtime::Record;
using runtime::Schema;
using runtime::Value;

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
      const Config name = Config::scalar(text.substr(i + 1, end - i - 1), node.place());
      Part part;
      part.field = find_field(name, schema, diagnostics);
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

namespace {

using NumberText = std::array<char, 32>;

std::string_view number_text(const Value& value, runtime::Type type, NumberText& buffer) {
  if (type == runtime::Type::kBool) return value.boolean() ? "true" : "false";
  char* const begin = buffer.data();
  char* const end = begin + buffer.size();
  const auto written = type == runtime::Type::kFloat64 ? std::to_chars(begin, end, value.real())
                                                       : std::to_chars(begin, end, value.integer());
  return {begin, static_cast<std::size_t>(written.ptr - begin)};
}

}  // namespace

std::string_view TextTemplate::expand(const Record& record, runtime::Arena& arena) const {
  if (parts_.empty()) return std::string_view("");
  if (parts_.size() == 1 && !parts_.front().is_field) return parts_.front().literal;
  std::size_t size = 0;
  NumberText buffer;
  const auto text_of = [&](const Part& part) -> std::string_view {
    if (!part.is_field) return part.literal;
    const Value& value = record[part.field];
    if (value.is_null()) return {};
    return runtime::is_text(part.type) ? value.text() : number_text(value, part.type, buffer);
  };
  for (const Part& part : parts_) size += text_of(part).size();
  char* const begin = arena.allocate(size);
  char* next = begin;
  for (const Part& part : parts_) {
    const std::string_view text = text_of(part);
    if (!text.empty()) std::memcpy(next, text.data(), text.size());
    next += text.size();
  }
  return {begin, size};
}

}  // namespace huiliu::operators
