#include "tests/property/comparison.h"

#include <sstream>
#include <vector>

#include <fmt/format.h>

namespace huiliu::property {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// What stands before the count is the key, since `count` gives its key's fields first.
std::string last_rows(const std::string& text) {
  std::map<std::string, std::string> last;
  for (const std::string& line : lines_of(text)) {
    last[line.substr(0, line.find("\"count\":"))] = line;
  }
  std::string rows;
  for (const auto& [key, line] : last) rows += line + "\n";
  return rows;
}

std::string first_difference(const std::string& name, const std::string& one,
                             const std::string& many) {
  if (one == many) return "";
  const auto a = lines_of(one), b = lines_of(many);
  std::size_t line = 0;
  while (line < a.size() && line < b.size() && a[line] == b[line]) ++line;
  const auto text = [line](const auto& lines) {
    return line < lines.size() ? lines[line] : std::string("(end)");
  };
  return fmt::format(
      "{}: first difference in line {} of {} and {}\n  one thread: {}\n  now:        {}\n", name,
      line + 1, a.size(), b.size(), text(a), text(b));
}

}  // namespace

std::string difference(const Results& one, const Results& many,
                       const std::set<std::string>& last_row_sinks) {
  if (one.error != many.error) {
    return fmt::format("one thread ends with \"{}\", now \"{}\"\n", one.error, many.error);
  }
  const std::string missing = "(is not there)";
  for (const auto& [name, bytes] : one.files) {
    const auto found = many.files.find(name);
    const std::string& other = found == many.files.end() ? missing : found->second;
    const std::string text = last_row_sinks.contains(name)
                                 ? first_difference(name, last_rows(bytes), last_rows(other))
                                 : first_difference(name, bytes, other);
    if (!text.empty()) return text;
  }
  for (const auto& [table, rows] : one.state) {
    const auto found = many.state.find(table);
    const std::string& other = found == many.state.end() ? missing : found->second;
    const std::string text = first_difference("table " + table, rows, other);
    if (!text.empty()) return text;
  }
  const bool further = many.files.size() > one.files.size() || many.state.size() > one.state.size();
  return further ? "there are further files or tables\n" : "";
}

}  // namespace huiliu::property
