#include "codecs/files/headings.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include "codecs/files/file_options.h"
#include "domain/utf8.h"
#include "runtime/component/descriptor.h"

namespace huiliu::codecs {
namespace {

std::vector<std::string> present(const std::vector<std::string>& headings) {
  std::vector<std::string> names;
  for (const std::string& heading : headings) {
    std::string key = heading_key(heading);
    if (!key.empty()) names.push_back(std::move(key));
  }
  return names;
}

/// A, B, …, Z, AA as people know columns.
std::string column_letters(std::size_t column) {
  std::string letters;
  for (++column; column > 0; column = (column - 1) / 26) {
    letters.insert(letters.begin(), static_cast<char>('A' + (column - 1) % 26));
  }
  return letters;
}

}  // namespace

std::string heading_key(std::string_view heading) {
  std::string key;
  for (std::size_t at = 0; at < heading.size();) {
    const domain::Utf8Char c = domain::decode_utf8(heading, at);
    const char32_t folded = domain::fold_width(c.code_point);
    const bool mark = domain::is_zero_width(folded) || domain::is_white_space(folded);
    if (!mark && folded < 0x80) {
      key.push_back(static_cast<char>(folded));
    } else if (!mark) {
      key.append(heading.substr(at, c.size));
    }
    at += c.size;
  }
  const std::size_t from = key.find_first_not_of('*');
  if (from == std::string::npos) return {};
  return key.substr(from, key.find_last_not_of('*') + 1 - from);
}

void FileLayout::fold_keys() {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const int key = static_cast<int>(i);
    const auto [at, added] = folded.try_emplace(heading_key(keys.name(key)), keys.field(key));
    // Names that only marks tell apart are told apart by them.
    if (!added && at->second != keys.field(key)) at->second = kAmbiguous;
  }
}

int FileLayout::field_of(std::string_view heading) const {
  if (const int exact = keys.find(heading); exact >= 0) return keys.field(exact);
  const auto found = folded.find(heading_key(heading));
  return found == folded.end() || found->second == kAmbiguous ? -1 : found->second;
}

std::size_t FileLayout::known(const std::vector<std::string>& row) const {
  return static_cast<std::size_t>(std::count_if(
      row.begin(), row.end(), [this](const auto& cell) { return field_of(cell) >= 0; }));
}

std::optional<FileProblem> FileLayout::map_headings(std::vector<std::string> row,
                                                    const FileOptions& options) {
  headings = std::move(row);
  columns.clear();
  std::vector<std::string> unknown;
  for (const std::string& heading : headings) {
    const int field = field_of(heading);
    const auto before =
        field < 0 ? columns.end() : std::find(columns.begin(), columns.end(), field);
    if (before != columns.end()) {
      const auto first = static_cast<std::size_t>(before - columns.begin());
      const std::string a = column_letters(first), b = column_letters(columns.size());
      return FileProblem{
          fmt::format("columns {} ({}) and {} ({}) both stand for '{}'; remove or rename one", a,
                      heading_key(headings[first]), b, heading_key(heading),
                      options.fields[static_cast<std::size_t>(field)].name),
          fmt::format("{}列（{}）与{}列（{}）含义重复，请删除或改名其中一列", a,
                      heading_key(headings[first]), b, heading_key(heading))};
    }
    columns.push_back(field);
    if (field < 0 && !heading_key(heading).empty()) unknown.push_back(heading_key(heading));
  }
  if (auto missing = missing_columns(headings, options)) return missing;
  if (unknown.empty() || options.quiet) return std::nullopt;
  std::vector<std::string> names;
  for (const FileField& field : options.fields) names.push_back(field.name);
  for (std::string& name : unknown) {
    const std::string hint = runtime::nearest_hint(name, names);
    if (!hint.empty()) name += " (" + hint + ")";
  }
  spdlog::warn("{}: columns that nothing reads: {}", file, fmt::join(unknown, ", "));
  return std::nullopt;
}

std::optional<FileProblem> FileLayout::missing_columns(const std::vector<std::string>& names,
                                                       const FileOptions& options) const {
  std::set<int> there;
  for (const std::string& name : names) there.insert(field_of(name));
  std::vector<std::string> missing, hints;
  for (const std::size_t field : required) {
    if (there.contains(static_cast<int>(field))) continue;
    // A person knows the heading, not the field: the first name that the mapping gives it.
    std::string name = options.fields[field].name;
    for (std::size_t i = keys.size(); i-- > 0;) {
      const int key = static_cast<int>(i);
      if (keys.field(key) == static_cast<int>(field)) name = keys.name(key);
    }
    const std::string hint = runtime::nearest_hint(heading_key(name), present(names));
    missing.push_back(hint.empty() ? name : name + " (" + hint + ")");
    hints.push_back(name);
  }
  if (missing.empty()) return std::nullopt;
  return FileProblem{
      fmt::format("required columns are missing: {}; headings found: {}; add or rename them and "
                  "send the file again",
                  fmt::join(missing, ", "), fmt::join(present(names), ", ")),
      fmt::format("缺少必需的列：{}；文件中的表头：{}；请补充或改名后重新报送",
                  fmt::join(hints, "、"), fmt::join(present(names), "、"))};
}

FileProblem no_headings(const std::vector<std::string>& first_row) {
  return {fmt::format("no row has known column headings; the first row is: {}; put the headings of "
                      "the template above the data",
                      fmt::join(present(first_row), ", ")),
          fmt::format("未找到已知的表头；首行为：{}；请在数据上方使用模板的表头",
                      fmt::join(present(first_row), "、"))};
}

bool FileLayout::is_heading_row(const std::vector<std::string_view>& cells) const {
  return cells.size() == headings.size() &&
         std::equal(cells.begin(), cells.end(), headings.begin());
}

std::optional<std::vector<std::string>> FileLayout::join_headings(
    const std::vector<std::string>& upper, const std::vector<std::string>& lower) const {
  std::set<int> taken;
  for (const std::string& heading : upper) taken.insert(field_of(heading));
  std::vector<std::string> joined = upper;
  bool more = false;
  joined.resize(std::max(upper.size(), lower.size()));
  for (std::size_t i = 0; i < lower.size(); ++i) {
    if (heading_key(lower[i]).empty()) continue;
    const int field = field_of(lower[i]);
    // Below a known heading stands data, unless it is the rest of that heading.
    if (field < 0 || field_of(joined[i]) >= 0 || taken.contains(field)) return std::nullopt;
    joined[i] = lower[i];
    more = true;
  }
  return more ? std::optional(joined) : std::nullopt;
}

}  // namespace huiliu::codecs
