#pragma once

#include <cstdint>
#include <string_view>

namespace huiliu::runtime {

/// What a thread works on, for the log: its messages are told apart by it. It is of the thread,
/// since messages come from everywhere and a log line is written by the thread that says it.
struct LogContext {
  std::string_view node;    ///< "" = none
  std::uint64_t epoch = 0;  ///< 0 = none

  static LogContext& current() {
    thread_local LogContext context;
    return context;
  }
};

/// Sets parts of it for as long as it exists; views must live as long.
class LogScope {
 public:
  explicit LogScope(std::string_view node) : before_(LogContext::current()) {
    LogContext::current().node = node;
  }
  explicit LogScope(std::uint64_t epoch) : before_(LogContext::current()) {
    LogContext::current().epoch = epoch;
  }
  ~LogScope() { LogContext::current() = before_; }
  LogScope(const LogScope&) = delete;
  LogScope& operator=(const LogScope&) = delete;

 private:
  LogContext before_;
};

}  // namespace huiliu::runtime
