#include "runtime/failpoint.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

namespace huiliu::runtime {
namespace {

struct CrashAt {
  std::string name;
  long count = 0;
};

CrashAt parse_environment(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr) return {};
  const std::string all = text;
  const auto colon = all.rfind(':');
  if (colon == std::string::npos) return {all, 1};
  return {all.substr(0, colon), std::strtol(all.c_str() + colon + 1, nullptr, 10)};
}

std::function<void(std::string_view)>& hook() {
  static std::function<void(std::string_view)> function;
  return function;
}

}  // namespace

const std::vector<std::string>& failpoint_names() {
  static const std::vector<std::string> names = {
      "epoch.begin",           "epoch.before_prepare",   "epoch.prepared",
      "commit.before_write",   "commit.after_write",     "epoch.committed",
      "outbox.before_apply",   "outbox.after_apply",     "file.before_sync",
      "file.after_sync",       "sqlite.before_commit",   "sqlite.after_commit",
      "flush.before_sst",      "flush.after_sst",        "flush.after_ingest",
      "flush.after_trim",      "kafka.before_changelog", "kafka.before_offsets",
      "kafka.before_commit",   "kafka.after_commit",     "kafka.after_claim",
      "kafka.before_progress", "kafka.before_claim",     "kafka.before_release",
      "import.after_step",     "import.before_last",     "snapshot.before_manifest"};
  return names;
}

void failpoint(std::string_view name) {
  // So that clients' threads have sent what they were given.
  constexpr std::chrono::milliseconds kBeforeStop(300);
  static const CrashAt crash = parse_environment("HUILIU_CRASH_AT");
  static const CrashAt stop = parse_environment("HUILIU_STOP_AT");
  static std::atomic<long> passes{0}, stop_passes{0};
  if (crash.count > 0 && name == crash.name && ++passes == crash.count) std::raise(SIGKILL);
  if (stop.count > 0 && name == stop.name && ++stop_passes == stop.count) {
    std::this_thread::sleep_for(kBeforeStop);
    std::raise(SIGSTOP);
  }
  if (hook()) hook()(name);
}

void set_failpoint_hook(std::function<void(std::string_view)> function) {
  hook() = std::move(function);
}

#ifdef HUILIU_MUTANTS
bool mutant(std::string_view name) {
  static const std::string chosen = [] {
    const char* text = std::getenv("HUILIU_MUTANT");
    return std::string(text ? text : "");
  }();
  return chosen == name;
}
#endif

}  // namespace huiliu::runtime
