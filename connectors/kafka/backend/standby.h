#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "connectors/kafka/backend/changelog.h"
#include "connectors/kafka/client/client.h"
#include "runtime/base/machine.h"
#include "state/epoch_store.h"
#include "state/table.h"

namespace huiliu::connectors::kafka {

/// A table whose changelog is followed for shards that another worker owns.
struct FollowedTable {
  std::string topic;
  ChangelogForm form = ChangelogForm::kRows;
  state::Table* table = nullptr;                    ///< of these shards; nobody else uses it
  std::map<std::uint16_t, std::int64_t> positions;  ///< shard → next offset
};

/// Keeps copies of other workers' shards up to date, in a thread of its own: committed records of
/// their changelogs go into tables of the local store. What has come is saved with this worker's
/// own epochs, so a worker without any takes in no more than `most_unsaved` bytes.
class Standby {
 public:
  Standby(Connection connection, std::string group, std::vector<FollowedTable> tables,
          std::uint64_t most_unsaved);
  ~Standby();
  Standby(const Standby&) = delete;
  Standby& operator=(const Standby&) = delete;

  runtime::Status start();
  /// Adds what came since the last saved() to a local commit; the object keeps what is added.
  /// Called again before saved() it adds the same. Positions are (topic, shard) → next offset.
  using Positions = std::vector<std::pair<std::pair<std::string, std::uint16_t>, std::int64_t>>;
  Positions collect(state::Commit& commit);
  /// The commit is done.
  void saved();
  /// Whether something has come that no collect() has taken.
  bool has_unsaved() const { return unsaved_ > 0; }

 private:
  void run();
  runtime::Status take(const rd_kafka_message_t& message);
  bool wait_for_room();
  void tell_if_complete(const rd_kafka_message_t& end);

  Connection connection_;
  std::string group_;
  std::vector<FollowedTable> tables_;
  std::map<std::string, FollowedTable*> by_topic_;
  const std::uint64_t most_unsaved_;
  std::size_t behind_ = 0;  // shards of tables whose end was not reached yet
  std::map<std::pair<std::string, std::int32_t>, bool> reached_;

  std::mutex mutex_;  // of the tables, the positions and what is below
  runtime::Condition woken_;
  std::atomic<std::uint64_t> unsaved_{0};  // bytes; changed under the mutex
  bool closing_ = false;
  std::vector<state::Changes> pending_;
  Positions pending_positions_;

  Client client_;
  runtime::Thread thread_;
};

}  // namespace huiliu::connectors::kafka
