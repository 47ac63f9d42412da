#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/base/machine.h"
#include "runtime/base/status.h"
#include "state/epoch_store.h"
#include "state/snapshot.h"

namespace huiliu::connectors::kafka {

struct SharedSnapshotOptions {
  std::string folder;  ///< that all workers see; empty: none
  std::int64_t every_ms = 0;
};

/// Copies of the workers' local state in a folder that all of them see, `FOLDER/ID/WORKER-TIME`:
/// who has lost the local state, or gets a shard it never had, begins there and not at the
/// changelogs' beginnings. Any copy of a shard will do: it says how far in the changelog it goes.
class SharedSnapshots {
 public:
  SharedSnapshots(SharedSnapshotOptions options, const std::string& topology, std::uint16_t shards,
                  std::string cluster);
  ~SharedSnapshots();

  /// Finds what there is; called before find(). Damaged and old ones are passed over.
  void look();
  /// The newest snapshot with the shard of the table whose changelog's `position_key` it has, and
  /// that position; or null.
  const state::Snapshot* find(std::uint16_t shard, const std::string& position_key,
                              std::string& position) const;
  /// Lets go of what look() has opened.
  void forget() { found_.clear(); }

  /// Writes one every so often, in a thread of its own, until the object is destroyed; the store
  /// must outlive it. Keeps the newest two of this worker.
  void start_writing(state::EpochStore& store, std::string worker, std::vector<std::uint16_t> held);

 private:
  void run();
  /// False if the object is to go.
  bool wait_for_turn(std::unique_lock<std::mutex>& lock);
  runtime::Status write();
  void clean_up() const;
  void remove(const std::string& path) const;

  SharedSnapshotOptions options_;
  std::string folder_;  // of the topology
  std::string topology_, cluster_, worker_;
  std::uint16_t shards_;
  std::vector<std::uint16_t> held_;
  std::vector<std::unique_ptr<state::Snapshot>> found_;  // newest first
  state::EpochStore* store_ = nullptr;
  std::uint64_t written_epoch_ = 0;

  std::mutex mutex_;
  runtime::Condition woken_;
  bool closing_ = false;
  runtime::Thread thread_;
};

}  // namespace huiliu::connectors::kafka
