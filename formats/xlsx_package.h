#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/outcome.h"
#include "formats/xlsx_reader.h"
#include "formats/xlsx_styles.h"
#include "formats/zip_part.h"

namespace huiliu::formats {

// What a reader needs to know before the first row.
struct XlsxWorkbook {
  std::vector<XlsxSheet> sheets;    // part is empty for a sheet that is no worksheet, e.g. a chart
  std::string shared_strings_part;  // empty when the workbook has none
  DateSystem dates = DateSystem::k1900;
  XlsxStyles styles;
};

// The part a relationship's target names, seen from the part that holds the relationship:
// ("xl/workbook.xml", "worksheets/sheet1.xml") gives "xl/worksheets/sheet1.xml".
std::string resolve_part(std::string_view base_part, std::string_view target);

// Follows the package's relationships to the workbook, its sheets and its styles.
Outcome load_workbook(const ZipSource& source, const XlsxLimits& limits, XlsxWorkbook& workbook);

}  // namespace huiliu::formats
