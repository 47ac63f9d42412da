#pragma once

#include <string>
#include <string_view>

// What to do about a fault of a record, for those who sent it.
namespace huiliu::domain {

// The code of what is said beside a row: W202_CHECK_DIGIT for what else is E202_CHECK_DIGIT.
std::string warning_code(std::string_view code);

// What to do about a fault of the code, in both languages; empty if there is no general advice.
struct Remedy {
  std::string_view en, zh;
};
Remedy remedy_of(std::string_view code);

}  // namespace huiliu::domain
