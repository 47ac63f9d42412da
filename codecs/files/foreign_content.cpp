#include "codecs/files/foreign_content.h"

#include <algorithm>

#include <fmt/format.h>

#include "formats/csv.h"
#include "formats/ole_file.h"

namespace huiliu::codecs {
namespace {

bool starts_folded(std::string_view text, std::string_view small) {
  return text.size() >= small.size() &&
         std::equal(small.begin(), small.end(), text.begin(), [](char want, char c) {
           return want == (c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
         });
}

}  // namespace

bool is_zip(std::string_view head) { return head.starts_with("PK\x03\x04"); }

bool is_old_workbook(std::string_view head) { return head.starts_with(formats::kOleSignature); }

bool is_web_page(std::string_view text) {
  constexpr std::string_view kTags[] = {"<html", "<!doctype html", "<table",
                                        "<head", "<meta",          "<body"};
  return std::any_of(std::begin(kTags), std::end(kTags),
                     [text](std::string_view tag) { return starts_folded(text, tag); });
}

FileProblem foreign_xml(std::string_view head) {
  if (head.find("urn:schemas-microsoft-com:office:spreadsheet") != std::string_view::npos) {
    return {"a workbook in XML (Excel 2003), which is not read; save it as .xlsx and send it again",
            "文件为XML格式的工作簿（Excel 2003），请另存为.xlsx后重新报送"};
  }
  return {
      "an XML file without <ROWDATA><ROW>, which is not read; save it as .xlsx or CSV and send "
      "it again",
      "文件为XML格式，但没有<ROWDATA><ROW>，请按上报格式生成，或另存为.xlsx、CSV后重新报送"};
}

std::optional<FileProblem> foreign_content(std::string_view head, FileFormat format) {
  const std::size_t first = head.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  const std::string_view text = first == std::string_view::npos ? "" : head.substr(first);
  if (is_web_page(text)) {
    return FileProblem{
        "a web page (HTML) under another name; open it in Excel or WPS, save it as "
        ".xlsx and send it again",
        "文件实为网页（HTML），请用Excel或WPS打开，另存为.xlsx后重新报送"};
  }
  if (starts_folded(text, "<?xml") || (format != FileFormat::kCsv && text.starts_with('<'))) {
    return FileProblem{"an XML file where another format was declared; see the option `format`",
                       "文件为XML格式，而非声明的格式"};
  }
  if (format == FileFormat::kNdjson && text.starts_with('[')) {
    return FileProblem{"a JSON array where lines were declared; see the option `format`",
                       "文件为JSON数组，而非声明的每行一个对象"};
  }
  if (format == FileFormat::kXlsx && !head.empty() && !is_workbook(head)) {
    return FileProblem{"no workbook, whatever its name says; save it as .xlsx and send it again",
                       "文件内容不是工作簿，请另存为.xlsx后重新报送"};
  }
  if (format != FileFormat::kXlsx && is_workbook(head)) {
    return FileProblem{"a workbook or zip file where text was declared; see the option `format`",
                       "文件为工作簿或压缩包，而非声明的文本格式"};
  }
  return std::nullopt;
}

std::optional<FileProblem> other_delimiter(std::string_view line, char delimiter,
                                           const FileLayout& layout) {
  for (const char sign : kDelimiters) {
    if (sign == delimiter) continue;
    formats::CsvRowParser parser(4096, {sign, '"'});
    if (parser.parse(line) != formats::CsvError::kNone || parser.cells().size() < 2) continue;
    if (layout.known({parser.cells().begin(), parser.cells().end()}) == 0) continue;
    const std::string name = sign == '\t' ? "tab" : std::string(1, sign);
    return FileProblem{
        fmt::format(
            "the cells are separated by '{}', not by '{}'; set `delimiter` or save the file "
            "with the other sign",
            name, delimiter == '\t' ? "tab" : std::string(1, delimiter)),
        fmt::format("单元格以“{}”分隔，与约定不符，请改用约定的分隔符", name)};
  }
  return std::nullopt;
}

}  // namespace huiliu::codecs
