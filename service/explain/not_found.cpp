#include <fmt/format.h>

#include "runtime/base/diagnostics.h"
#include "service/explain/report.h"

namespace huiliu::service {
namespace {

/// In both languages one sentence a line.
std::string sentences(Language language, std::string_view english, std::string_view chinese) {
  if (language == Language::kBoth) return fmt::format("{}\n{}", english, chinese);
  return say(language, english, chinese);
}

std::string no_rows_text(const AskedRow& asked, const std::map<std::string, ReadRows>& files,
                         Language language) {
  std::vector<std::string> names;
  for (const auto& [name, rows] : files) names.push_back(name);
  const std::string hint = runtime::nearest_hint(asked.file, names);
  constexpr std::size_t kMostNames = 20;
  const std::size_t more = names.size() > kMostNames ? names.size() - kMostNames : 0;
  if (more > 0) names.resize(kMostNames);
  std::string list = fmt::format("{}", fmt::join(names, ", "));
  if (more > 0) list += fmt::format(", … (+{})", more);
  return sentences(
      language,
      fmt::format("no row of '{}' was read{}{}: no source reads it, it is empty, or its content "
                  "was read before under another name; read were: {}",
                  asked.file, hint.empty() ? "" : "; ", hint, list),
      fmt::format("没有读到“{}”的任何行：没有来源读取该文件、文件为空，或相同内容此前已以其他文件名"
                  "读入；已读文件：{}",
                  asked.file, list));
}

}  // namespace

std::string not_found_text(const Question& question, const std::map<std::string, ReadRows>& files,
                           Language language) {
  if (!question.row) {
    std::uint64_t rows = 0;
    for (const auto& [name, file] : files) rows += file.rows;
    return sentences(
        language,
        fmt::format("no record has these values at any step; {} rows of {} files were looked at. "
                    "Values are compared whole, with blanks and width as they are at a step",
                    rows, files.size()),
        fmt::format(
            "没有记录在任何步骤具有这些值（共查看{}个文件的{}行）。比较时须与某一步骤的值完全"
            "一致，包括空格和全角半角",
            files.size(), rows));
  }
  const AskedRow& asked = *question.row;
  for (const auto& [name, file] : files) {
    if (!means_file(asked.file, name)) continue;
    return sentences(
        language,
        fmt::format("'{}' has no row {}; {} rows were read of it, {} to {}, the nearest is row {}",
                    name, asked.row, file.rows, file.first, file.last, file.nearest),
        fmt::format("“{}”没有数据行{}；共读到{}行（第{}至{}行），最接近的是第{}行", name, asked.row,
                    file.rows, file.first, file.last, file.nearest));
  }
  return no_rows_text(asked, files, language);
}

std::string other_sheet_text(const AskedRow& asked, const std::string& sheet, Language language) {
  return sentences(
      language,
      fmt::format("of '{}' the sheet '{}' is read, not '{}'", asked.file, sheet, asked.sheet),
      fmt::format("“{}”读取的是工作表“{}”，而不是“{}”", asked.file, sheet, asked.sheet));
}

}  // namespace huiliu::service
