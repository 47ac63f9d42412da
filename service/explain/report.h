#pragma once

#include <map>
#include <string>
#include <vector>

#include "service/explain/layout.h"
#include "service/explain/recorder.h"
#include "service/explain/trace.h"

namespace huiliu::service {

/// The way of a record for people, in lines.
std::string trace_text(const Trace& trace, Language language);

/// A JSON document {"records": [...]}; docs/guides/read-a-reject.md says what is in it. `message`
/// says why there are none.
std::string traces_json(const std::vector<Trace>& traces, const std::string& message);

/// Why nothing was found, with what is nearest to what was asked for.
std::string not_found_text(const Question& question, const std::map<std::string, ReadRows>& files,
                           Language language);
/// The row is there, but in another sheet of the workbook.
std::string other_sheet_text(const AskedRow& asked, const std::string& sheet, Language language);

}  // namespace huiliu::service
