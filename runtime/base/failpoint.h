#pragma once

#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace huiliu::runtime {

/// A named step of the commit where a crash test may end the process. Does nothing unless the
/// environment has HUILIU_CRASH_AT="name:count": then the count-th pass raises SIGKILL; or
/// HUILIU_PAUSE_AT="name:ms": then the first pass takes so long; or HUILIU_STOP_AT="name:count":
/// then it stops the process, until SIGCONT. Thread-safe.
void failpoint(std::string_view name);

/// All names, for the tests that go through them.
const std::vector<std::string>& failpoint_names();

/// For simulations in one thread: called instead; may throw SimulatedCrash. Empty = normal.
void set_failpoint_hook(std::function<void(std::string_view)> hook);

struct SimulatedCrash : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A deliberate mistake in the commit or recovery code that a test must catch: true if it is
/// switched on by HUILIU_MUTANT=name. Always false in builds without mutants.
#ifdef HUILIU_MUTANTS
bool mutant(std::string_view name);
#else
constexpr bool mutant(std::string_view) { return false; }
#endif

}  // namespace huiliu::runtime
