#include "formats/workbook_reader.h"

#include <algorithm>

namespace huiliu::formats {

const XlsxCell& XlsxRow::at(std::uint32_t column) const {
  static const XlsxCell kAbsent;
  const auto before = [](const XlsxCell& cell, std::uint32_t wanted) {
    return cell.column < wanted;
  };
  const auto found = std::lower_bound(cells.begin(), cells.end(), column, before);
  return found != cells.end() && found->column == column ? *found : kAbsent;
}

}  // namespace huiliu::formats
