#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "domain/remedies.h"

namespace huiliu::operators {

/// One thing that is wrong with a row.
struct Fault {
  std::string field, heading, code, value, rule, message_en, message_zh;
  bool warns = false;  ///< said beside the row, which is not refused for it
};

/// What is wrong with a row, in the order in which it was found.
using Faults = std::vector<Fault>;

/// A JSON list, as `reject_faults` has it and as an operator hands faults on in `warnings`.
std::string faults_to_json(const Faults& faults);
/// What faults_to_json wrote; no faults if the text is none of it.
Faults faults_from_json(std::string_view text);
/// Whether the field has a fault already: what else is wrong with it follows from that.
bool has_fault(const Faults& faults, std::string_view field);

/// All of them as one text: "HEADING: MESSAGE, REMEDY; ..." in English or Chinese.
std::string faults_text(const Faults& faults, bool chinese);

using domain::Remedy;
using domain::remedy_of;
using domain::warning_code;

}  // namespace huiliu::operators
