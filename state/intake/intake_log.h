#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <rocksdb/env.h>

#include "runtime/base/clock.h"
#include "runtime/base/machine.h"
#include "runtime/base/status.h"
#include "runtime/component/intake.h"
#include "state/intake/intake_format.h"
#include "state/intake/intake_keys.h"
#include "state/intake/segment_reader.h"

namespace huiliu::state {

/// An intake in files of this machine (intake_format.h). What waits to be written is written and
/// made durable together, by one thread. After a write that failed nothing goes to the same file
/// any more: what the disk has of it is not known.
class IntakeLog final : public runtime::Intake {
 public:
  /// `folder` is made if it is not there; its owner has locked it. `env`: null for this machine's.
  static runtime::Result<std::unique_ptr<IntakeLog>> open(const std::string& folder,
                                                          const runtime::IntakeOptions& options,
                                                          rocksdb::Env* env = nullptr);
  /// Who still waits is told kUnavailable.
  ~IntakeLog() override;

  void append(runtime::IntakeEntry entry, Done done) override;
  runtime::Status read(std::uint64_t after, std::size_t most_bytes,
                       std::vector<runtime::IntakeEntry>& entries) override;
  runtime::Result<runtime::IntakeEntry> at(std::uint64_t number) override;
  bool wait(std::uint64_t after, std::int64_t most_ms) override;
  void consumed(std::uint64_t number) override;
  std::uint64_t last() const override;
  std::vector<runtime::Figure> figures() const override;

 private:
  struct Waiting {
    runtime::IntakeEntry entry;
    std::vector<Done> done;
    std::uint64_t body_hash = 0;
  };
  struct KeysFile {
    std::uint64_t number = 0;
    std::int64_t latest_ms = 0;
  };

  IntakeLog(std::string folder, const runtime::IntakeOptions& options, rocksdb::Env& env);
  runtime::Status recover();
  runtime::Status sync_last() const;
  runtime::Status load_keys();
  /// What is known of an entry already, or else queues it; under the lock.
  std::optional<runtime::IntakeReceipt> take_in(runtime::IntakeEntry& entry,
                                                std::uint64_t body_hash, Done& done);
  void run();
  using Group = std::vector<std::shared_ptr<Waiting>>;
  Group take_group();
  runtime::Status write_group(const Group& group);
  runtime::Status write(const std::string& bytes);
  runtime::Status open_segment();
  void answer(const Group& group, const runtime::Status& status);
  void tidy();
  std::optional<IntakeSegment> next_to_remove() const;
  runtime::Status remove(const IntakeSegment& segment);
  runtime::Status sync_folder() const;
  void forget_keys();
  runtime::Status find(std::uint64_t after, IntakeSegment& segment) const;
  runtime::Status seek(std::uint64_t after, const IntakeSegment& segment);
  std::uint64_t held_bytes() const;

  const std::string folder_;
  const runtime::IntakeOptions options_;
  rocksdb::Env& env_;
  runtime::Clock& clock_;

  mutable std::mutex mutex_;
  runtime::Condition work_, durable_;
  std::deque<std::shared_ptr<Waiting>> queue_;
  std::map<std::string, std::shared_ptr<Waiting>, std::less<>> unanswered_;  // by key
  std::uint64_t queued_bytes_ = 0;
  std::vector<IntakeSegment> segments_;  // durable; the last one grows
  std::uint64_t last_ = 0, consumed_ = 0, groups_ = 0, failures_ = 0;
  IntakeKeys keys_;
  bool stop_ = false;

  // Of the thread that writes.
  std::unique_ptr<rocksdb::WritableFile> file_;
  IntakeSegment growing_;  // what is written to
  std::vector<KeysFile> keys_files_;
  std::string buffer_;
  runtime::Thread thread_;

  std::mutex read_mutex_;
  std::optional<SegmentReader> reader_;  // where the last read has stopped
};

}  // namespace huiliu::state
