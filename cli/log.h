#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <spdlog/sinks/base_sink.h>

namespace huiliu::cli {

/// What may be given as a level.
inline const std::vector<std::string> kLogLevels = {"trace",   "debug", "info",
                                                    "warning", "error", "off"};

enum class LogFormat { kText, kJson };

/// Passes on to another sink what is said seldom. Warnings and errors that differ in numbers only
/// are the same message: kMost of one are passed on in kWindowMs. How many were not is said when
/// that time is over, with the next message of any kind or at the end.
class RateLimitedSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  static constexpr unsigned kMost = 100;
  static constexpr std::int64_t kWindowMs = 10'000;
  /// Messages that are told apart; beyond, all are forgotten and counted anew.
  static constexpr std::size_t kMostKinds = 1000;

  explicit RateLimitedSink(std::shared_ptr<spdlog::sinks::sink> next) : next_(std::move(next)) {}
  ~RateLimitedSink() override { tell_left_out(std::numeric_limits<std::int64_t>::max()); }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override { next_->flush(); }

 private:
  struct Kind {
    std::int64_t since_ms = 0;
    unsigned passed = 0;
    std::uint64_t left_out = 0;
  };
  /// Of kinds whose time is over.
  void tell_left_out(std::int64_t now_ms);

  std::shared_ptr<spdlog::sinks::sink> next_;
  std::map<std::string, Kind, std::less<>> kinds_;
  std::uint64_t untold_ = 0;  // of all kinds
};

/// One line of the log as a JSON object: time (UTC), level, topology, message,
/// and the node and the epoch that the thread works on (LogContext), if it does.
std::string json_line(const spdlog::details::log_msg& message, const std::string& topology);

/// From now on the least that is logged; false if there is no such level. Any thread.
bool set_log_level(const std::string& level);

/// From now on the log goes to standard error, since standard output may be a topology's. `level`
/// is one of trace, debug, info, warning, error, off.
void set_up_log(LogFormat format, const std::string& level, const std::string& topology);

}  // namespace huiliu::cli
