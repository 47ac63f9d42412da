#include "state/rocksdb_log.h"

#include <cstdarg>
#include <cstdio>
#include <string_view>

#include <rocksdb/env.h>
#include <spdlog/spdlog.h>

namespace huiliu::state {
namespace {

class SpdlogLogger : public rocksdb::Logger {
 public:
  SpdlogLogger() : rocksdb::Logger(rocksdb::InfoLogLevel::WARN_LEVEL) {}
  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    char line[500];
    std::vsnprintf(line, sizeof line, format, arguments);
    std::string_view text(line);
    while (text.ends_with('\n')) text.remove_suffix(1);
    spdlog::warn("rocksdb: {}", text);
  }
};

}  // namespace

std::shared_ptr<rocksdb::Logger> rocksdb_log() { return std::make_shared<SpdlogLogger>(); }

}  // namespace huiliu::state
