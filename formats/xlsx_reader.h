#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "formats/outcome.h"
#include "formats/workbook_reader.h"

namespace huiliu::formats {

// Bounds on outside input; beyond one the reader reports kLimit.
struct XlsxLimits {
  std::uint64_t max_sheet_bytes = std::uint64_t{8} << 30;      // the sheet's XML, uncompressed
  std::uint64_t max_metadata_bytes = std::uint64_t{64} << 20;  // each other part, uncompressed
  std::uint64_t max_shared_strings_bytes = std::uint64_t{256} << 20;  // memory held for the table
  std::uint64_t max_row_text_bytes = std::uint64_t{16} << 20;         // text of one row
  std::uint64_t max_rows = 1048576;
  std::uint32_t max_columns = 16384;
  std::uint32_t max_sheets = 1024;
  std::uint32_t max_depth = 64;  // nested XML elements
  std::uint32_t max_zip_entries = 65535;
};

// Streams the rows of one sheet of an .xlsx file (ECMA-376 part 1, chapter 18) in memory that does
// not grow with the sheet; only the shared-strings table is held, within its bound. Never throws
// on bad data: a damaged file ends in an Outcome. The zip checksum is known only at the sheet's
// end, so rows of a file that turns out corrupt have been handed out before. One thread.
class XlsxReader final : public WorkbookReader {
 public:
  explicit XlsxReader(XlsxLimits limits = {});
  ~XlsxReader() override;
  XlsxReader(const XlsxReader&) = delete;
  XlsxReader& operator=(const XlsxReader&) = delete;

  Outcome open(const std::string& path) override;
  // The same of a file in memory, which must outlive the reader.
  Outcome open_bytes(std::string_view file);

  const std::vector<XlsxSheet>& sheets() const override;
  Outcome select_sheet(std::size_t index) override;
  Outcome select_sheet(std::string_view name);
  bool next_row(XlsxRow& row) override;
  Outcome skip_rows(std::uint64_t count) override;
  const std::vector<XlsxMerge>& merges() const override;
  const Outcome& outcome() const override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace huiliu::formats
