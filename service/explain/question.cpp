#include "service/explain/question.h"

#include <algorithm>
#include <charconv>
#include <set>

#include <fmt/format.h>

#include "runtime/base/diagnostics.h"

namespace huiliu::service {
namespace {

bool is_workbook(std::string_view path) {
  const auto ends_with = [path](std::string_view extension) {
    if (path.size() < extension.size()) return false;
    const std::string_view end = path.substr(path.size() - extension.size());
    return std::equal(end.begin(), end.end(), extension.begin(),
                      [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
  };
  return ends_with(".xlsx") || ends_with(".xls");
}

bool ends_as_path(std::string_view path, std::string_view end) {
  if (!path.ends_with(end)) return false;
  return path.size() == end.size() || path[path.size() - end.size() - 1] == '/';
}

}  // namespace

std::optional<AskedRow> parse_asked_row(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  AskedRow asked;
  const std::string_view number = text.substr(colon + 1);
  const auto [end, error] =
      std::from_chars(number.data(), number.data() + number.size(), asked.row);
  if (error != std::errc() || end != number.data() + number.size() || asked.row == 0) {
    return std::nullopt;
  }
  asked.file = text.substr(0, colon);
  const std::size_t sheet = asked.file.rfind(':');
  if (sheet != std::string::npos && is_workbook(std::string_view(asked.file).substr(0, sheet))) {
    asked.sheet = asked.file.substr(sheet + 1);
    asked.file.resize(sheet);
  }
  return asked;
}

runtime::Result<std::vector<AskedValue>> parse_asked_values(const std::vector<std::string>& texts) {
  std::vector<AskedValue> values;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return runtime::Status::invalid(fmt::format("--where expects FIELD=VALUE, not '{}'", text));
    }
    values.push_back({text.substr(0, equals), text.substr(equals + 1)});
  }
  return values;
}

bool means_file(std::string_view file, std::string_view partition) {
  return ends_as_path(partition, file) || ends_as_path(file, partition);
}

std::string unknown_field(const Question& question, const runtime::Topology& topology) {
  std::set<std::string> names;
  for (const runtime::Node& node : topology.nodes) {
    for (const runtime::OutputStream& output : node.outputs) {
      for (const runtime::Field& field : output.schema.fields()) names.insert(field.name);
    }
  }
  for (const AskedValue& asked : question.values) {
    if (names.contains(asked.field)) continue;
    const std::string hint =
        runtime::nearest_hint(asked.field, std::vector<std::string>(names.begin(), names.end()));
    return fmt::format("no stream of the topology has a field '{}'{}{}", asked.field,
                       hint.empty() ? "" : "; ", hint);
  }
  return {};
}

}  // namespace huiliu::service
