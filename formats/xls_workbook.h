#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "formats/outcome.h"
#include "formats/workbook_reader.h"
#include "formats/xls_records.h"
#include "formats/xlsx_strings.h"
#include "formats/xlsx_styles.h"

namespace huiliu::formats {

// Bounds on outside input; beyond one the reader reports kLimit.
struct XlsLimits {
  std::uint64_t max_file_bytes = std::uint64_t{256} << 20;
  std::uint64_t max_shared_strings_bytes = std::uint64_t{256} << 20;
  std::size_t max_sheets = 1024;
};

// What the records in front of the sheets say ([MS-XLS] 2.1.7.20.3).
struct XlsWorkbook {
  explicit XlsWorkbook(const XlsLimits& bounds) : strings(bounds.max_shared_strings_bytes) {}

  std::vector<XlsxSheet> sheets;
  std::vector<std::size_t> offsets;  // of each sheet in the stream
  SharedStrings strings;
  DateSystem dates = DateSystem::k1900;
  XlsxStyles styles;
};

// kUnsupported for what a password protects and for what is older than Excel 97.
Outcome load_xls_workbook(std::string_view stream, const XlsLimits& limits, XlsWorkbook& workbook);

Outcome xls_damaged(std::string_view what);

// Whether a record begins a part of the stream that this reader knows; `type`: 5 workbook, 16
// sheet.
bool is_xls_begin(const XlsRecord& record, std::uint16_t type);

}  // namespace huiliu::formats
