#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/component/backend.h"
#include "runtime/component/sink.h"

namespace huiliu::runtime {

/// What a sink that is fed after the commit will be given: encoded records that commit with their
/// epoch, in entries with numbers without gaps. append() and add_to() are the committer's; the
/// delivery thread asks and says how far it is.
class Outbox {
 public:
  /// `appended`: the last entry that is committed; 0 on a fresh start.
  /// `entries`: what records look like now; `known`: what the state says of its entries.
  Outbox(std::string log, std::uint64_t appended, std::string entries = {}, std::string known = {})
      : log_(std::move(log)),
        entries_(std::move(entries)),
        known_(std::move(known)),
        appended_(appended),
        committed_(appended) {}
  /// Whether entries that are committed already can be read as records are written now.
  bool fits() const { return entries_ == known_; }

  /// `bytes` holds records of these sizes, one after the other. An entry takes records until it has
  /// kEntryBytes, so that no entry is larger than a backend can commit, whatever an operator emits
  /// at once.
  void append(std::string_view bytes, const std::vector<std::uint32_t>& sizes);
  /// Moves what was appended into the epoch's commit, and says which entries it may forget.
  void add_to(EpochCommit& commit);
  /// The epoch is committed: its entries can be delivered.
  void committed();
  /// Sequence, bytes and records of an entry.
  struct Size {
    std::uint64_t sequence = 0, bytes = 0, records = 0;
  };
  /// Entries of an earlier run, in order: they count as not delivered. Once.
  void found(const std::vector<Size>& entries);
  /// What is committed and not delivered; any thread.
  std::uint64_t waiting_bytes() const { return waiting_bytes_; }
  std::uint64_t waiting_records() const { return waiting_records_; }
  std::uint64_t committed_end() const { return committed_; }
  /// From now on what is delivered commits too, since the sink has no place for it; the state has
  /// `saved`. Before the first add_to() that follows.
  void save_delivered(std::uint64_t saved) {
    saved_ = saved;
    saves_ = true;
  }
  /// Whether something was delivered of which the state does not know, but should. Any thread.
  bool has_unsaved() const { return saves_ && delivered_ > saved_; }
  /// The store has applied everything up to this entry: at `now_ms` by the clock, or 0 if an
  /// earlier run knows when.
  void delivered(std::uint64_t sequence, std::int64_t now_ms);
  /// 0: nothing since the start; any thread.
  std::int64_t delivered_ms() const { return delivered_ms_; }

  /// Committed entries that the store has not applied; any thread.
  std::uint64_t undelivered() const {
    const std::uint64_t delivered = delivered_, committed = committed_;
    return committed > delivered ? committed - delivered : 0;
  }

  static constexpr std::size_t kEntryBytes = 1 << 20;

 private:
  void count(const Size& entry);

  std::string log_, entries_, known_;
  std::vector<LogAppend> pending_;  // this epoch's
  std::vector<Size> committing_;    // of those that are part of a commit
  std::uint64_t appended_;          // the last number given out
  std::uint64_t trimmed_ = 0;
  std::atomic<bool> saves_{false};
  std::atomic<std::uint64_t> saved_{0};
  std::atomic<std::uint64_t> committed_;
  std::atomic<std::uint64_t> delivered_{0};
  std::atomic<std::int64_t> delivered_ms_{0};
  std::mutex mutex_;          // between committer and delivery
  std::deque<Size> waiting_;  // committed, not delivered
  std::atomic<std::uint64_t> waiting_bytes_{0}, waiting_records_{0};
};

}  // namespace huiliu::runtime
