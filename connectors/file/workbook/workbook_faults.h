#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "connectors/file/workbook/workbook_layout.h"
#include "runtime/record/value.h"

namespace huiliu::connectors {

/// One thing that is wrong with a row, in the language of the workbook.
struct WorkbookFault {
  std::string field, heading, code, message;

  /// What to read on the cell: the message, what to do, the code.
  std::string text() const { return message + " [" + code + "]"; }
};

/// All that is wrong with a spooled row: `reject_faults`, or the one of the other reject fields.
std::vector<WorkbookFault> faults_of(const WorkbookLayout& layout,
                                     const std::vector<runtime::Value>& row);

/// The text of a field of a spooled row; empty if there is no such field.
std::string_view text_of(const WorkbookLayout& layout, const std::vector<runtime::Value>& row,
                         std::string_view field);

}  // namespace huiliu::connectors
