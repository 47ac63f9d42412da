#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "runtime/component/backend.h"

namespace huiliu::runtime::testing {

/// Backend without tables that keeps what was committed in memory, for tests of the engine.
/// It survives the engine, so that a second engine recovers from it.
class MemoryBackend final : public Backend {
 public:
  std::uint64_t last_epoch() const override {
    const std::lock_guard lock(mutex_);
    return epoch_;
  }

  std::vector<std::pair<std::string, std::string>> meta(std::string_view prefix) const override {
    const std::lock_guard lock(mutex_);
    std::vector<std::pair<std::string, std::string>> found;
    for (auto it = meta_.lower_bound(std::string(prefix));
         it != meta_.end() && it->first.starts_with(prefix); ++it) {
      found.emplace_back(*it);
    }
    return found;
  }

  Result<state::Table*> open_table(const std::string&, const std::vector<std::uint16_t>&) override {
    return Status::invalid("the memory backend has no tables");
  }
  std::shared_ptr<void> freeze(state::Table&, std::uint64_t) override { return nullptr; }

  Status commit(const EpochCommit& commit) override {
    const std::lock_guard lock(mutex_);
    if (failures_ > 0) {
      --failures_;
      return Status::unavailable("as the test wants it");
    }
    for (const auto& [key, value] : commit.meta) meta_[key] = value;
    for (const LogAppend& append : commit.appends) {
      logs_[append.log][append.sequence] = {append.sequence, append.bytes, append.records};
    }
    for (const auto& [log, last] : commit.trims) {
      auto& entries = logs_[log];
      entries.erase(entries.begin(), entries.upper_bound(last));
    }
    epoch_ = commit.epoch;
    return Status::ok();
  }

  Result<std::vector<OutboxEntry>> read_log(const std::string& log, std::uint64_t after,
                                            std::size_t) override {
    const std::lock_guard lock(mutex_);
    std::vector<OutboxEntry> found;
    for (auto it = logs_[log].upper_bound(after); it != logs_[log].end(); ++it) {
      found.push_back(it->second);
    }
    return found;
  }

  /// The next `count` commits are unavailable.
  void fail_commits(int count) {
    const std::lock_guard lock(mutex_);
    failures_ = count;
  }

 private:
  mutable std::mutex mutex_;
  std::uint64_t epoch_ = 0;
  std::map<std::string, std::string> meta_;
  std::map<std::string, std::map<std::uint64_t, OutboxEntry>> logs_;
  int failures_ = 0;
};

}  // namespace huiliu::runtime::testing
