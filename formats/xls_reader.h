#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "formats/outcome.h"
#include "formats/workbook_reader.h"
#include "formats/xls_workbook.h"

namespace huiliu::formats {

// Reads the sheets of an .xls file of Excel 97 to 2003 (BIFF8, [MS-XLS]). The file is held in
// memory, within its bound. A sheet that is damaged is refused when it is selected, before a row is
// given. Formulas are not known as text: kNoValue has "=…". See docs/decisions/0013.
class XlsReader final : public WorkbookReader {
 public:
  explicit XlsReader(XlsLimits limits = {});
  ~XlsReader() override;

  Outcome open(const std::string& path) override;
  // The same of a file in memory, which is not needed afterwards.
  Outcome open_bytes(std::string_view file);

  const std::vector<XlsxSheet>& sheets() const override;
  Outcome select_sheet(std::size_t index) override;
  bool next_row(XlsxRow& row) override;
  Outcome skip_rows(std::uint64_t count) override;
  const std::vector<XlsxMerge>& merges() const override;
  const Outcome& outcome() const override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace huiliu::formats
