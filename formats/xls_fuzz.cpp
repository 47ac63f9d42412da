#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "formats/encoding.h"
#include "formats/ole_file.h"
#include "formats/xls_reader.h"
#include "formats/xls_testing.h"

namespace {

using namespace huiliu::formats;

void read_all(std::string_view file) {
  XlsReader reader({.max_shared_strings_bytes = std::uint64_t{1} << 20});
  if (!reader.open_bytes(file).ok()) {
    if (!reader.sheets().empty() || reader.outcome().message.empty()) std::abort();
    return;
  }
  for (std::size_t i = 0; i < reader.sheets().size() && i < 4; ++i) {
    if (!is_valid_utf8(reader.sheets()[i].name)) std::abort();
    if (!reader.select_sheet(i).ok()) continue;
    XlsxRow row;
    std::uint64_t last_row = 0, rows = 0;
    for (; reader.next_row(row); ++rows) {
      if (row.number <= last_row) std::abort();
      last_row = row.number;
      for (const XlsxCell& cell : row.cells) {
        if (&row.at(cell.column) != &cell || !is_valid_utf8(cell.text)) std::abort();
      }
    }
    // Whoever resumes passes over as many rows as were read.
    if (!reader.outcome().ok() || !reader.select_sheet(i).ok()) continue;
    if (!reader.skip_rows(rows).ok() || reader.next_row(row)) std::abort();
  }
}

}  // namespace

// A whole file, or the records of a workbook alone, so that mutations reach them.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.starts_with(kOleSignature)) {
    read_all(input);
  } else if (size < 60000) {
    read_all(testing::ole_of({{u"Workbook", std::string(input)}}));
  }
  return 0;
}
