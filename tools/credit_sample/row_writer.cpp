#include "tools/credit_sample/row_writer.h"

namespace huiliu::tools {

std::unique_ptr<RowWriter> make_row_writer(const FileSpec& spec, const std::string& folder) {
  const std::string path = folder + "/" + spec.name;
  switch (spec.format) {
    case Format::kNdjson:
      return make_ndjson_writer(spec, path);
    case Format::kXlsx:
      return make_workbook_writer(spec, path);
    case Format::kCsv:
    case Format::kCsvWithBom:
    case Format::kCsvGb18030:
      break;
  }
  return make_csv_writer(spec, path);
}

bool is_plain_number(const std::string& text) {
  if (text.empty() || text.front() == '.' || text.back() == '.') return false;
  bool point = false;
  for (const char c : text) {
    if (c == '.' && !point) {
      point = true;
    } else if (c < '0' || c > '9') {
      return false;
    }
  }
  return true;
}

}  // namespace huiliu::tools
