#include "runtime/base/failpoint.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

namespace huiliu::runtime {
namespace {

/// A step with a number, from the environment.
struct Step {
  std::string name;
  long number = 0;
};

Step parse_environment(const char* variable) {
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
      "import.after_step",     "import.before_last",     "snapshot.before_manifest",
      "kafka.after_fill",      "kafka.restored_part",    "workbook.before_rename",
      "workbook.after_rename", "postgres.before_commit", "postgres.after_commit",
      "push.after_answer"};
  return names;
}

void failpoint(std::string_view name) {
  // So that clients' threads have sent what they were given.
  constexpr std::chrono::milliseconds kBeforeStop(300);
  static const Step crash = parse_environment("HUILIU_CRASH_AT");
  static const Step stop = parse_environment("HUILIU_STOP_AT");
  static const Step pause = parse_environment("HUILIU_PAUSE_AT");
  static std::atomic<long> passes{0}, stop_passes{0};
  static std::atomic<bool> paused{false};
  if (crash.number > 0 && name == crash.name && ++passes == crash.number) std::raise(SIGKILL);
  if (stop.number > 0 && name == stop.name && ++stop_passes == stop.number) {
    std::this_thread::sleep_for(kBeforeStop);
    std::raise(SIGSTOP);
  }
  if (pause.number > 0 && name == pause.name && !paused.exchange(true)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(pause.number));
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
