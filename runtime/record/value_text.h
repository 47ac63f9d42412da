#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "runtime/record/value.h"

namespace huiliu::runtime {

/// Room that put_scalar_text() needs.
inline constexpr std::size_t kScalarTextBytes = 32;

/// Writes digits, true/false, yyyy-mm-dd of a value that is neither null nor text; the end of it.
char* put_scalar_text(char* to, Type type, const Value& value);

/// The same of any value; empty for null. Views `value` or `scratch`.
std::string_view value_text(Type type, const Value& value, std::string& scratch);

}  // namespace huiliu::runtime
