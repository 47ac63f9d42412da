#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "connectors/kafka/backend/backend_setup.h"
#include "connectors/kafka/backend/changelog.h"
#include "connectors/kafka/backend/local_copy.h"

namespace huiliu::connectors::kafka {

/// What the local copy holds of a shard of a table before its changelog is read: what it held, or
/// the newest shared snapshot's rows, or nothing.
class ShardCopies {
 public:
  /// Both outlive the object.
  ShardCopies(const BackendSetup& setup, LocalCopy& copy) : setup_(setup), copy_(copy) {}

  /// Brings the shards of a table that is not open into a state that a restore can go on from.
  runtime::Status prepare(rd_kafka_t* client, const std::string& table,
                          const std::vector<std::uint16_t>& shards, const std::string& topic,
                          ChangelogForm form);
  /// Closes the snapshots that were found, and writes one every so often, if there is a folder.
  void start_writing(const std::string& worker, std::vector<std::uint16_t> held);
  /// Ends the writing; before the local copy goes.
  void stop() { snapshots_.reset(); }

 private:
  SharedSnapshots& snapshots();
  runtime::Status forget_old(rd_kafka_t* client, const std::vector<std::uint16_t>& shards,
                             const std::string& topic);

  const BackendSetup& setup_;
  LocalCopy& copy_;
  std::unique_ptr<SharedSnapshots> snapshots_;  // null: not looked for yet
};

}  // namespace huiliu::connectors::kafka
