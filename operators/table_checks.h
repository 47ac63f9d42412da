#pragma once

#include <memory>

#include "operators/validate_checks.h"

namespace huiliu::operators {

// Checks by tables (validate). Each reports what is wrong with the rule or its table and is then
// of no use.

std::unique_ptr<Check> make_table_check(const runtime::Config& rule, const runtime::Schema& schema,
                                        runtime::Diagnostics& diagnostics);
std::unique_ptr<Check> make_permitted_source_check(const runtime::Config& rule,
                                                   const runtime::Schema& schema,
                                                   runtime::Diagnostics& diagnostics);
std::unique_ptr<Check> make_name_of_code_check(const runtime::Config& rule,
                                               const runtime::Schema& schema,
                                               runtime::Diagnostics& diagnostics);
std::unique_ptr<Check> make_working_days_check(const runtime::Config& rule,
                                               const runtime::Schema& schema,
                                               runtime::Diagnostics& diagnostics);

}  // namespace huiliu::operators
