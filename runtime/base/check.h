#pragma once

namespace huiliu::runtime {

/// Prints the place and the message to standard error and aborts.
[[noreturn]] void check_failed(const char* file, int line, const char* condition);

}  // namespace huiliu::runtime

/// A programmer's error ends the process, also in release: recovery is exact. A macro for the place
/// and the text of the condition. Never for outside input.
#define HUILIU_CHECK(condition)       \
  ((condition) ? static_cast<void>(0) \
               : ::huiliu::runtime::check_failed(__FILE__, __LINE__, #condition))
