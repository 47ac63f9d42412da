#include "connectors/kafka/backend/changelogs.h"

#include <algorithm>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "connectors/kafka/backend/backend_keys.h"
#include "connectors/kafka/backend/table_restore.h"
#include "runtime/base/failpoint.h"
#include "runtime/record/key.h"
#include "state/layout.h"

namespace huiliu::connectors::kafka {

using runtime::EpochCommit;
using runtime::mutant;
using runtime::Result;
using runtime::Status;

Result<state::Table*> Changelogs::open_table(TopicTransaction& transaction,
                                             const std::string& table,
                                             const std::vector<std::uint16_t>& shards,
                                             const Marks& marks,
                                             const std::function<Status()>& on_open) {
  auto log = open(transaction, table, marks);
  if (!log.is_ok()) return log.status();
  Changelog& changelog = **log;
  Status prepared =
      shards_.prepare(transaction.client(), table, shards, changelog.topic_name, changelog.form);
  if (!prepared.is_ok()) return prepared;
  auto opened = copy_.store().table(table, shards);
  if (!opened.is_ok()) return opened;
  Status restored = restore(table, shards, **opened, changelog, on_open);
  if (!restored.is_ok()) return restored;
  return opened;
}

Result<Changelogs::Changelog*> Changelogs::open(TopicTransaction& transaction,
                                                const std::string& table, const Marks& marks) {
  Changelog& log = logs_[table];
  if (log.topic != nullptr) return &log;
  log.topic_name = topics_.name(table, "changelog");
  log.form = topics_.form(table);
  if (Status status = check_exists(transaction.client(), table, marks, log); !status.is_ok()) {
    return status;
  }
  if (Status status = mark(table, marks, log); !status.is_ok()) return status;
  Status ensured = setup_.calls.ensure_topic(transaction.client(), topics_.changelog(table));
  if (!ensured.is_ok()) return ensured;
  auto topic = transaction.topic(log.topic_name, {});
  if (!topic.is_ok()) return topic.status();
  log.topic = *topic;
  log.start_at(std::vector<std::int64_t>(setup_.needs.shards, 0));
  return &log;
}

Status Changelogs::check_exists(rd_kafka_t* client, const std::string& table, const Marks& marks,
                                const Changelog& log) const {
  const bool was_there = std::any_of(
      marks.begin(), marks.end(), [this](const std::string& mark) { return progress_.has(mark); });
  if (!was_there) return Status::ok();
  auto exists = setup_.calls.topic_exists(client, log.topic_name);
  if (!exists.is_ok()) return exists.status();
  if (*exists) return Status::ok();
  return Status::corrupt(
      fmt::format("topic {} was deleted, and with it what table {} has held. Restore it, or start "
                  "afresh with another `topology` id",
                  log.topic_name, table));
}

// A topic that holds the rows in the other form would be read as other rows.
Status Changelogs::mark(const std::string& table, const Marks& marks, const Changelog& log) {
  const std::string own = log.topic_name + (log.form == ChangelogForm::kPacked ? " packed" : "");
  for (const std::string& mark : marks) {
    const std::string* const known = progress_.find(mark);
    if (known == nullptr) {
      progress_.add_next(mark, own);
    } else if (*known != own) {
      return Status::invalid(fmt::format(
          "topic {} holds table {} in another form: another version of the operator wrote it. Take "
          "a snapshot with that version and start from it (huiliu run --from) with another "
          "`topology` id, or start afresh with another id",
          log.topic_name, table));
    }
  }
  return Status::ok();
}

// Where the changelog of each shard is read from; positions of shards that the copy knows nothing
// of, to be noted before their first rows.
LocalCopy::Meta Changelogs::find_starts(const std::vector<std::uint16_t>& shards,
                                        Changelog& log) const {
  LocalCopy::Meta begin;
  for (const std::uint16_t shard : shards) {
    const auto known = copy_.offset(log.topic_name, shard);
    log.restart[shard] = known.value_or(0);
    if (!known) begin.emplace_back(LocalCopy::position_key(log.topic_name, shard), as_local(0));
  }
  return begin;
}

// How far the changelog is in the table, in memory.
LocalCopy::Meta Changelogs::reached(const std::vector<std::uint16_t>& shards,
                                    const Changelog& log) {
  LocalCopy::Meta positions;
  for (const std::uint16_t shard : shards) {
    positions.emplace_back(LocalCopy::position_key(log.topic_name, shard),
                           as_local(log.restart[shard]));
  }
  positions.emplace_back(kTime, std::to_string(now_ms()));
  return positions;
}

// Puts a record into its table: the number of rows, or kCorrupt with the record's place.
Result<std::uint64_t> Changelogs::apply(const ReplayedRecord& record, state::Table& table,
                                        Changelog& log) {
  const auto shard = static_cast<std::uint16_t>(record.partition);
  auto rows = apply_record(log.form, table, shard, record.key,
                           record.tombstone ? std::nullopt : std::optional(record.value));
  if (!rows.is_ok()) {
    return Status::corrupt(fmt::format("{}[{}] at offset {}: {}", log.topic_name, shard,
                                       record.offset, rows.status().message()));
  }
  log.restart[shard] = record.offset + 1;
  return rows;
}

// 1. Each shard is read from where the local copy is.
// 2. The records are put into the table up to the end of what is committed. Where another worker
//    may have a transaction open, that is the end of all records there are now: `on_open` has the
//    brokers end the transaction.
// 3. From time to time, and at the end, the rows are made durable together with how far they reach
//    (TableRestore).
Status Changelogs::restore(const std::string& name, const std::vector<std::uint16_t>& shards,
                           state::Table& table, Changelog& log,
                           const std::function<Status()>& on_open) {
  LocalCopy::Meta begin = find_starts(shards, log);
  std::vector<ReplayFrom> from;
  for (const std::uint16_t shard : shards) from.push_back({shard, log.restart[shard]});
  const bool has_some = !shards.empty() && log.restart[shards.front()] > 0;
  if (mutant("kafka.tail_skipped") && has_some) return Status::ok();
  TableRestore durable(
      copy_, table, [&] { return reached(shards, log); }, std::move(begin));
  std::uint64_t all_rows = 0;
  ReplayRequest request = setup_.replay(log.topic_name, from);
  request.on_open_transaction = on_open;
  request.interrupted = setup_.interrupted;
  request.progress = setup_.restoring;
  if (log.form == ChangelogForm::kRows) {
    request.expect = [&](std::string_view key) {
      table.prefetch(runtime::KeyBuilder::hash_bytes(key));
    };
  }
  const ReplayEnd end = setup_.calls.replay(request, [&](const ReplayedRecord& record) {
    auto rows = apply(record, table, log);
    if (!rows.is_ok()) return rows.status();
    all_rows += *rows;
    return durable.took(*rows, record.key.size() + record.value.size());
  });
  if (!end.status.is_ok()) return end.status;
  for (std::size_t i = 0; i < shards.size(); ++i) log.restart[shards[i]] = end.next[i];
  if (end.records == 0) return Status::ok();
  constexpr std::uint64_t kMany = 1000;
  spdlog::log(all_rows < kMany ? spdlog::level::debug : spdlog::level::info,
              "table {}: {} rows, {} MiB restored from {}", name, all_rows, end.bytes >> 20,
              log.topic_name);
  return durable.finish();
}

Result<std::vector<FollowedTable>> Changelogs::follow(rd_kafka_t* client,
                                                      const std::vector<std::uint16_t>& shards) {
  std::vector<FollowedTable> followed;
  for (const auto& [name, log] : logs_) {
    Status status = shards_.prepare(client, name, shards, log.topic_name, log.form);
    if (!status.is_ok()) return status;
    auto table = copy_.store().table(name, shards);
    if (!table.is_ok()) return table.status();
    FollowedTable& one = followed.emplace_back(FollowedTable{log.topic_name, log.form, *table, {}});
    for (const std::uint16_t shard : shards) {
      one.positions[shard] = copy_.offset(log.topic_name, shard).value_or(0);
    }
  }
  return followed;
}

Status Changelogs::produce(TopicTransaction& transaction, const EpochCommit& commit) {
  for (const auto& one : commit.changes) {
    const auto* changes = static_cast<const state::Changes*>(one.get());
    Changelog& log = logs_.at(changes->table);
    for (const auto& [shard, blob] : changes->blobs) {
      records_.clear();
      Status status = log.form == ChangelogForm::kPacked ? add_packed(blob) : add_rows(blob);
      if (!status.is_ok()) return status;
      const int partition = mutant("kafka.wrong_shard") ? (shard + 1) % setup_.needs.shards : shard;
      status = transaction.produce_all(log.topic, partition, records_, &log.written[shard]);
      if (!status.is_ok()) return status;
    }
  }
  return Status::ok();
}

Status Changelogs::add_rows(std::string_view blob) {
  const bool whole =
      state::read_changes(blob, [&](bool tombstone, std::string_view key, std::string_view value) {
        rd_kafka_message_t& record = records_.emplace_back();
        record.key = const_cast<char*>(key.data());
        record.key_len = key.size();
        // A row may have an empty value: only a null pointer makes the record a tombstone.
        record.payload = tombstone ? nullptr : const_cast<char*>(value.data());
        record.len = tombstone ? 0 : value.size();
        if (mutant("kafka.row_lost") && records_.size() % 50 == 0) records_.pop_back();
      });
  return whole ? Status::ok() : Status::corrupt("the changes of an epoch are damaged");
}

Status Changelogs::add_packed(std::string_view blob) {
  return split_changes(blob, [&](std::string_view piece) {
    rd_kafka_message_t& record = records_.emplace_back();
    record.payload = const_cast<char*>(piece.data());
    record.len = piece.size();
    if (mutant("kafka.row_lost") && ++pieces_ % 50 == 0) records_.pop_back();
  });
}

void Changelogs::add_positions(state::Commit& commit) const {
  for (const state::Changes* changes : commit.changes) {
    const Changelog& log = logs_.at(changes->table);
    for (const auto& [shard, blob] : changes->blobs) {
      commit.meta.emplace_back(LocalCopy::position_key(log.topic_name, shard),
                               as_local(log.next(shard)));
    }
  }
}

}  // namespace huiliu::connectors::kafka
