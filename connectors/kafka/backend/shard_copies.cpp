#include "connectors/kafka/backend/shard_copies.h"

#include <map>

#include <spdlog/spdlog.h>

#include "connectors/kafka/backend/backend_keys.h"
#include "runtime/base/failpoint.h"

namespace huiliu::connectors::kafka {

using runtime::Status;

SharedSnapshots& ShardCopies::snapshots() {
  if (!snapshots_) {
    const std::string* const cluster = copy_.note(kCluster);
    snapshots_ =
        std::make_unique<SharedSnapshots>(setup_.options.snapshots, setup_.needs.topology_id,
                                          setup_.needs.shards, cluster == nullptr ? "" : *cluster);
    snapshots_->look();
  }
  return *snapshots_;
}

void ShardCopies::start_writing(const std::string& worker, std::vector<std::uint16_t> held) {
  if (setup_.options.snapshots.folder.empty()) return;
  snapshots().forget();
  snapshots().start_writing(copy_.store(), worker, std::move(held));
}

// 1. Shards whose copy is too old count as unknown.
// 2. Of an unknown shard the store may hold rows of a filling that was cut off. The shard is
//    cleared, or filled with a snapshot's rows.
// 3. The positions of the filled shards are committed last, so that a filling which is cut off
//    before is done again at the next start.
Status ShardCopies::prepare(rd_kafka_t* client, const std::string& table,
                            const std::vector<std::uint16_t>& shards, const std::string& topic,
                            ChangelogForm form) {
  // A packed changelog is not compacted, so it forgets nothing.
  if (form != ChangelogForm::kPacked) {
    if (Status status = forget_old(client, shards, topic); !status.is_ok()) return status;
  }
  std::map<const state::Snapshot*, std::vector<std::uint16_t>> sources;
  state::Commit filled;
  for (const std::uint16_t shard : shards) {
    const std::string key = LocalCopy::position_key(topic, shard);
    if (copy_.note(key) != nullptr) continue;
    std::string position;
    const state::Snapshot* snapshot =
        setup_.options.snapshots.folder.empty() ? nullptr : snapshots().find(shard, key, position);
    if (snapshot == nullptr) {
      if (Status status = copy_.store().clear(table, shard); !status.is_ok()) return status;
      continue;
    }
    sources[snapshot].push_back(shard);
    filled.meta.emplace_back(key, position);
  }
  for (const auto& [snapshot, some] : sources) {
    auto rows = copy_.store().fill(table, some, *snapshot);
    if (!rows.is_ok()) return rows.status();
    spdlog::info("table {}: {} rows of {} shards from snapshot {}", table, *rows, some.size(),
                 snapshot->info().name);
  }
  if (filled.meta.empty()) return Status::ok();
  runtime::failpoint("kafka.after_fill");
  return copy_.commit_next(filled, true);
}

// A copy gets too old when its worker was away for days, or when the shard was another worker's:
// the changelog may have forgotten meanwhile which rows were deleted. A shard that nothing was
// written to since is as it was.
Status ShardCopies::forget_old(rd_kafka_t* client, const std::vector<std::uint16_t>& shards,
                               const std::string& topic) {
  state::Commit forgotten;
  for (const std::uint16_t shard : shards) {
    const std::string key = LocalCopy::position_key(topic, shard);
    const std::string* const known = copy_.note(key);
    if (known == nullptr || !is_too_old(*known)) continue;
    auto range = setup_.calls.offset_range(client, topic, shard);
    if (!range.is_ok()) return range.status();
    // The record behind the position may be the mark that ended the transaction.
    if (range->end <= local_offset(*known) + 1) continue;
    spdlog::info("the local copy of shard {} of {} is too old: it is rebuilt", shard, topic);
    forgotten.meta.emplace_back(key, "");
  }
  return forgotten.meta.empty() ? Status::ok() : copy_.commit_next(forgotten, true);
}

}  // namespace huiliu::connectors::kafka
