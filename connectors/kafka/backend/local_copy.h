#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/component/backend.h"
#include "state/epoch_store.h"

namespace huiliu::connectors::kafka {

/// The state folder of a topology whose epochs are committed to Kafka: a copy that is brought up to
/// the topics after a start, and follows the committed epochs. Beside the tables it notes how far
/// each topic is applied. It numbers its own commits, since a restore takes several: the number of
/// an epoch here is its own number plus a constant of this opening.
class LocalCopy {
 public:
  using Meta = std::vector<std::pair<std::string, std::string>>;

  /// `adjust` may be empty.
  static runtime::Result<LocalCopy> open(const std::string& folder,
                                         const runtime::StateNeeds& needs,
                                         const std::function<void(state::StoreOptions&)>& adjust);

  state::EpochStore& store() { return *store_; }
  const state::EpochStore& store() const { return *store_; }

  /// A note of the copy's own (backend_keys.h); null if there is none.
  const std::string* note(std::string_view key) const;
  /// Whether something of the shard was read: a copy for which nothing has come yet, such as a
  /// standby's, has a position too, at the beginning.
  bool has_position_of_shard(std::uint16_t shard) const;
  /// Takes a note that remember() writes.
  void add_note(std::string_view key, std::string value);
  /// Writes the notes. Called when the topics have been seen to fit: a start with a wrong config
  /// leaves nothing behind.
  runtime::Status remember();
  /// kInvalid if the copy is of another cluster; notes the cluster if it is of none yet.
  runtime::Status check_cluster(const std::string& cluster);

  /// The key that says how far a partition of a topic is applied.
  static std::string position_key(std::string_view topic, int partition);
  /// The offset to go on at; nothing if the copy knows nothing of the partition.
  std::optional<std::int64_t> offset(std::string_view topic, int partition) const;
  /// Commits under the next number of the copy's own. `known`: the notes are to be found by note()
  /// from then on.
  runtime::Status commit_next(state::Commit& commit, bool known);
  /// For a restore, which commits by itself.
  std::uint64_t& last_number() { return number_; }

  /// From now on the copy is as of the epoch that Kafka has committed last.
  void align(std::uint64_t epoch) { ahead_ = number_ - epoch; }
  std::uint64_t number_of(std::uint64_t epoch) const { return epoch + ahead_; }
  /// Commits what the epoch's commit has become; its number is number_of() the epoch.
  runtime::Status commit_epoch(const state::Commit& commit);
  /// Says that all of the copy is as of `epoch`, so that others may read it (state/reader.h):
  /// `engine` are the engine's keys as Kafka has them, `shards` is "all" or the shards it is of.
  runtime::Status tell_whole(const std::map<std::string, std::string>& engine,
                             const std::string& shards, std::uint64_t epoch);

 private:
  runtime::Status begin();

  std::unique_ptr<state::EpochStore> store_;
  std::map<std::string, std::string, std::less<>> notes_;
  Meta new_notes_;
  std::uint64_t number_ = 0;  // of the last commit
  std::uint64_t ahead_ = 0;   // number of an epoch less the epoch
};

}  // namespace huiliu::connectors::kafka
