#include "cli/log.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <spdlog/formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "runtime/base/clock.h"
#include "runtime/base/log_context.h"

namespace huiliu::cli {
namespace {

std::int64_t ms_of(const spdlog::details::log_msg& message) {
  using std::chrono::milliseconds;
  return std::chrono::duration_cast<milliseconds>(message.time.time_since_epoch()).count();
}

/// The message with each number as one '#'.
std::string kind_of(std::string_view text) {
  std::string kind;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit) {
      kind += c;
    } else if (kind.empty() || kind.back() != '#') {
      kind += '#';
    }
  }
  return kind;
}

class JsonFormatter final : public spdlog::formatter {
 public:
  explicit JsonFormatter(std::string topology) : topology_(std::move(topology)) {}
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& to) override {
    const std::string line = json_line(message, topology_) + "\n";
    to.append(line.data(), line.data() + line.size());
  }
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<JsonFormatter>(topology_);
  }

 private:
  std::string topology_;
};

}  // namespace

void RateLimitedSink::tell_left_out(std::int64_t now_ms) {
  if (untold_ == 0) return;
  for (auto& [text, kind] : kinds_) {
    if (kind.left_out == 0 || now_ms - kind.since_ms < kWindowMs) continue;
    const std::string told =
        fmt::format("{} more messages like this were left out: {}", kind.left_out, text);
    next_->log(spdlog::details::log_msg({}, spdlog::level::warn, told));
    untold_ -= std::exchange(kind.left_out, 0);
  }
}

void RateLimitedSink::sink_it_(const spdlog::details::log_msg& message) {
  const std::int64_t now = ms_of(message);
  tell_left_out(now);
  if (message.level < spdlog::level::warn) return next_->log(message);
  if (kinds_.size() > kMostKinds && untold_ == 0) kinds_.clear();
  Kind& kind = kinds_[kind_of({message.payload.data(), message.payload.size()})];
  if (now - kind.since_ms >= kWindowMs) {
    kind.since_ms = now;
    kind.passed = 0;
  }
  if (kind.passed < kMost) {
    ++kind.passed;
    return next_->log(message);
  }
  ++kind.left_out;
  ++untold_;
}

std::string json_line(const spdlog::details::log_msg& message, const std::string& topology) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> json(buffer);
  const auto pair = [&](const char* key, std::string_view value) {
    json.Key(key);
    json.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  };
  const auto level = spdlog::level::to_string_view(message.level);
  json.StartObject();
  pair("time", runtime::utc_text(ms_of(message)));
  pair("level", {level.data(), level.size()});
  if (!topology.empty()) pair("topology", topology);
  const runtime::LogContext& context = runtime::LogContext::current();
  if (!context.node.empty()) pair("node", context.node);
  if (context.epoch != 0) {
    json.Key("epoch");
    json.Uint64(context.epoch);
  }
  pair("message", {message.payload.data(), message.payload.size()});
  json.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

bool set_log_level(const std::string& level) {
  if (std::find(kLogLevels.begin(), kLogLevels.end(), level) == kLogLevels.end()) return false;
  spdlog::default_logger()->set_level(spdlog::level::from_str(level));
  return true;
}

void set_up_log(LogFormat format, const std::string& level, const std::string& topology) {
  std::shared_ptr<spdlog::sinks::sink> lines;
  if (format == LogFormat::kJson) {
    lines = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    lines->set_formatter(std::make_unique<JsonFormatter>(topology));
  } else {
    lines = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  }
  auto logger =
      std::make_shared<spdlog::logger>("", std::make_shared<RateLimitedSink>(std::move(lines)));
  logger->set_level(spdlog::level::from_str(level));
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace huiliu::cli
