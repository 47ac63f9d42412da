#include "state/rocksdb_log.h"

#include <cstdarg>
#include <cstdio>
#include <string_view>

#include <rocksdb/env.h>
#include <spdlog/spdlog.h>

namespace huiliu::state {
namespace {

/// Waits that are back-pressure, and what every ingested file is said of.
bool is_usual(std::string_view text) {
  for (const std::string_view usual :
       {"Stopping writes", "Stalling writes", "opened without unique ID"}) {
    if (text.find(usual) != std::string_view::npos) return true;
  }
  return false;
}

class SpdlogLogger : public rocksdb::Logger {
 public:
  SpdlogLogger() : rocksdb::Logger(rocksdb::InfoLogLevel::WARN_LEVEL) {}
  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    char line[500];
    std::vsnprintf(line, sizeof line, format, arguments);
    std::string_view text(line);
    while (text.ends_with('\n')) text.remove_suffix(1);
    spdlog::log(is_usual(text) ? spdlog::level::debug : spdlog::level::warn, "rocksdb: {}", text);
  }
};

}  // namespace

std::shared_ptr<rocksdb::Logger> rocksdb_log() { return std::make_shared<SpdlogLogger>(); }

}  // namespace huiliu::state
