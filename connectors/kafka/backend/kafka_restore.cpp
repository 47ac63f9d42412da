// How the local copy is brought up to what Kafka has committed.
#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include "connectors/kafka/backend/backend_keys.h"
#include "connectors/kafka/backend/kafka_backend.h"
#include "connectors/kafka/client/replay.h"
#include "connectors/kafka/client/topics.h"
#include "runtime/base/failpoint.h"
#include "runtime/base/stored_number.h"
#include "runtime/record/key.h"
#include "state/layout.h"

namespace huiliu::connectors::kafka {

using runtime::failpoint;
using runtime::mutant;
using runtime::Result;
using runtime::Status;

namespace {

constexpr std::uint64_t kSegment = 128u << 20;
using Positions = std::vector<std::pair<std::string, std::string>>;

/// Makes a table's restored rows durable. They can be had again from Kafka, so they are written out
/// as the table's files, without the local changelog that an epoch's changes go through; how far
/// the topic is applied is noted when the rows are on disk. Only the last few become a local epoch.
class Restoring {
 public:
  /// `positions`: how far the topic is applied in memory, as keys of the local store. `begin`: what
  /// is noted before the first rows, so that those of a restore that was cut off have an age.
  Restoring(state::EpochStore& store, state::Table& table, std::uint64_t& epoch,
            std::function<Positions()> positions, Positions begin)
      : store_(store),
        table_(table),
        epoch_(epoch),
        positions_(std::move(positions)),
        being_written_(std::move(begin)) {}

  /// To be called after each record.
  Status took(std::uint64_t rows, std::size_t bytes) {
    constexpr std::uint64_t kOften = 4096;
    unwritten_ += bytes;
    const std::uint64_t before = std::exchange(rows_, rows_ + rows);
    if (before / kOften == rows_ / kOften) return Status::ok();
    return store_.wants_epoch() ? write_out(false) : Status::ok();
  }

  Status finish() {
    constexpr std::uint64_t kFew = 32u << 20;
    if (unwritten_ >= kFew) {
      if (Status status = write_out(true); !status.is_ok()) return status;
    }
    if (!being_written_.empty()) store_.wait_for_flushes();
    const state::Changes rest = table_.freeze_epoch(++epoch_);
    state::Commit last;
    last.epoch = epoch_;
    last.changes = {&rest};
    last.meta = positions_();
    return store_.commit(last);
  }

 private:
  Status write_out(bool all) {
    if (!being_written_.empty()) store_.wait_for_flushes();
    if (!table_.freeze_unlogged(++epoch_, all)) return Status::ok();
    state::Commit next;  // from then on the rows may be written
    next.epoch = epoch_;
    next.meta = std::exchange(being_written_, positions_());
    if (mutant("kafka.restored_early")) next.meta = being_written_;
    unwritten_ = 0;
    const Status status = store_.commit(next);
    failpoint("kafka.restored_part");
    return status;
  }

  state::EpochStore& store_;
  state::Table& table_;
  std::uint64_t& epoch_;
  std::function<Positions()> positions_;
  Positions being_written_;      // how far the rows reach that are on their way to disk
  std::uint64_t unwritten_ = 0;  // bytes
  std::uint64_t rows_ = 0;
};

}  // namespace

ChangelogForm KafkaBackend::form_of_table(const std::string& name) const {
  return form_of(needs_.table(name));
}

InternalTopic KafkaBackend::topic_of_table(const std::string& name) const {
  return changelog_topic(form_of_table(name), topic_name(name, "changelog"), needs_.shards,
                         options_.replication);
}

InternalTopic KafkaBackend::outbox_topic(const std::string& sink) const {
  return compacted(topic_name(sink, "outbox"), 1, options_.replication, kSegment);
}

// Each says that the table's topic was there once.
std::vector<std::string> KafkaBackend::marks_of(const std::string& table) const {
  if (!membership_) return {std::string(kTable) + table};
  std::vector<std::string> marks;
  for (const std::uint16_t shard : owned_) {
    marks.push_back(shard_key(kShardTable, shard) + "/" + table);
  }
  return marks;
}

// In one request, since each takes the brokers a while. A topic that was there once and was deleted
// is found when its table is opened.
Status KafkaBackend::create_topics() {
  std::vector<InternalTopic> topics, all = {progress_topic()};
  const auto known = [this](const std::string& mark) { return meta_.contains(mark); };
  for (const std::string& topic : repartition_topics_) {
    all.push_back(uncompacted(topic, needs_.shards, options_.replication));
  }
  for (const auto& [sink, place] : needs_.outboxes) {
    topics.push_back(outbox_topic(sink));
    all.push_back(outbox_topic(sink));
  }
  for (const auto& [name, declaration, place] : needs_.tables) {
    const auto marks = marks_of(name);
    all.push_back(topic_of_table(name));
    if (std::any_of(marks.begin(), marks.end(), known)) continue;
    topics.push_back(topic_of_table(name));
  }
  Status status = ensure_topics(transaction_->client(), topics);
  return status.is_ok() ? check_topics(all) : status;
}

// At every start: somebody may have changed them, or the brokers may have made them.
Status KafkaBackend::check_topics(const std::vector<InternalTopic>& topics) {
  std::vector<std::string> untold;
  Status status = check_settings(transaction_->client(), topics, untold);
  const bool said = untold.empty() || !session_->checked_sinks->insert("").second;
  if (!said) {
    spdlog::warn(
        "DescribeConfigs is not allowed on {}: whether they keep the state (cleanup.policy, "
        "retention.ms) is not checked",
        fmt::join(untold, ", "));
  }
  return status;
}

InternalTopic KafkaBackend::progress_topic() const {
  return compacted(topic_name("", "progress"), options_.several ? needs_.shards : 1,
                   options_.replication, kProgressSegment);
}

Result<KafkaBackend::Changelog*> KafkaBackend::changelog(const std::string& table) {
  Changelog& log = changelogs_[table];
  if (log.topic != nullptr) return &log;
  log.topic_name = topic_name(table, "changelog");
  log.form = form_of_table(table);
  const std::vector<std::string> marks = marks_of(table);
  const auto known = [this](const std::string& mark) { return meta_.contains(mark); };
  if (std::any_of(marks.begin(), marks.end(), known)) {
    auto exists = topic_exists(transaction_->client(), log.topic_name);
    if (!exists.is_ok()) return exists.status();
    if (!*exists) {
      return Status::corrupt(
          fmt::format("topic {} was deleted, and with it what table {} has held. Restore it, or "
                      "start afresh with "
                      "another `topology` id",
                      log.topic_name, table));
    }
  }
  if (Status status = mark(table, marks, log); !status.is_ok()) return status;
  if (Status status = ensure_topic(transaction_->client(), topic_of_table(table));
      !status.is_ok()) {
    return status;
  }
  auto topic = transaction_->topic(log.topic_name);
  if (!topic.is_ok()) return topic.status();
  log.topic = *topic;
  log.start_at(std::vector<std::int64_t>(needs_.shards, 0));
  return &log;
}

// A topic that holds the rows in the other form would be read as other rows.
Status KafkaBackend::mark(const std::string& table, const std::vector<std::string>& marks,
                          const Changelog& log) {
  const std::string own = log.topic_name + (log.form == ChangelogForm::kPacked ? " packed" : "");
  for (const std::string& mark : marks) {
    const auto known = meta_.find(mark);
    if (known == meta_.end()) {
      new_meta_.emplace_back(mark, own);
    } else if (known->second != own) {
      return Status::invalid(fmt::format(
          "topic {} holds table {} in another form: another version of the operator wrote it. Take "
          "a snapshot with that version and start from it (huiliu run --from) with another "
          "`topology` id, or start afresh with another id",
          log.topic_name, table));
    }
  }
  return Status::ok();
}

Result<state::Table*> KafkaBackend::open_table(const std::string& name,
                                               const std::vector<std::uint16_t>& shards) {
  auto log = changelog(name);
  if (!log.is_ok()) return log.status();
  if (Status status = prepare_shards(name, shards, **log); !status.is_ok()) return status;
  auto table = store_->table(name, shards);
  if (!table.is_ok()) return table;
  if (Status status = restore(name, shards, *table.value(), **log); !status.is_ok()) return status;
  local_ahead_ = local_epoch_ - epoch_;
  return table;
}

// Shards that the local store knows nothing of, or nothing new, begin at the newest snapshot that
// has them, or empty. Their position comes last: what was cut off is done again.
Status KafkaBackend::prepare_shards(const std::string& table,
                                    const std::vector<std::uint16_t>& shards,
                                    const Changelog& log) {
  if (Status status = forget_old_shards(shards, log); !status.is_ok()) return status;
  std::map<const state::Snapshot*, std::vector<std::uint16_t>> sources;
  state::Commit filled;
  for (const std::uint16_t shard : shards) {
    const std::string key = local_position(log.topic_name, shard);
    if (local_.contains(key)) continue;
    std::string position;
    const state::Snapshot* snapshot =
        options_.snapshots.folder.empty() ? nullptr : open_snapshots().find(shard, key, position);
    if (snapshot == nullptr) {
      if (Status status = store_->clear(table, shard); !status.is_ok()) return status;
      continue;
    }
    sources[snapshot].push_back(shard);
    filled.meta.emplace_back(key, position);
  }
  for (const auto& [snapshot, some] : sources) {
    auto rows = store_->fill(table, some, *snapshot);
    if (!rows.is_ok()) return rows.status();
    spdlog::info("table {}: {} rows of {} shards from snapshot {}", table, *rows, some.size(),
                 snapshot->info().name);
  }
  if (filled.meta.empty()) return Status::ok();
  runtime::failpoint("kafka.after_fill");
  filled.epoch = ++local_epoch_;
  for (const auto& [key, position] : filled.meta) local_[key] = position;
  return store_->commit(filled);
}

// After days without its worker, or of another one's work: the changelog may have forgotten
// meanwhile what was deleted. A shard that nothing was written to is as it was.
Status KafkaBackend::forget_old_shards(const std::vector<std::uint16_t>& shards,
                                       const Changelog& log) {
  if (log.form == ChangelogForm::kPacked) return Status::ok();  // it forgets nothing
  state::Commit forgotten;
  for (const std::uint16_t shard : shards) {
    const auto known = local_.find(local_position(log.topic_name, shard));
    if (known == local_.end() || !is_too_old(known->second)) continue;
    auto marks = offset_range(transaction_->client(), log.topic_name, shard);
    if (!marks.is_ok()) return marks.status();
    // The marker of the transaction may be behind the position.
    if (marks->end <= local_offset(known->second) + 1) continue;
    spdlog::info("the local copy of shard {} of {} is too old: it is rebuilt", shard,
                 log.topic_name);
    forgotten.meta.emplace_back(known->first, "");
    local_.erase(known);
  }
  if (forgotten.meta.empty()) return Status::ok();
  forgotten.epoch = ++local_epoch_;
  return store_->commit(forgotten);
}

Status KafkaBackend::restore(const std::string& name, const std::vector<std::uint16_t>& shards,
                             state::Table& table, Changelog& log) {
  std::vector<ReplayFrom> from;
  Positions begin;
  for (const std::uint16_t shard : shards) {
    const auto known = local_.find(local_position(log.topic_name, shard));
    log.restart[shard] = known == local_.end() ? 0 : local_offset(known->second);
    if (known == local_.end()) {
      begin.emplace_back(local_position(log.topic_name, shard), as_local(0));
    }
    from.push_back({shard, log.restart[shard]});
  }
  const bool has_some = !shards.empty() && log.restart[shards.front()] > 0;
  if (mutant("kafka.tail_skipped") && has_some) return Status::ok();
  Restoring restoring(
      *store_, table, local_epoch_,
      [&] {
        Positions positions;
        for (const std::uint16_t shard : shards) {
          positions.emplace_back(local_position(log.topic_name, shard),
                                 as_local(log.restart[shard]));
        }
        positions.emplace_back(kTime, std::to_string(now_ms()));
        return positions;
      },
      std::move(begin));
  std::uint64_t all_rows = 0;
  std::function<void(std::string_view)> expect;
  if (log.form == ChangelogForm::kRows) {
    expect = [&](std::string_view key) { table.prefetch(runtime::KeyBuilder::hash_bytes(key)); };
  }
  const ReplayEnd end = replay_topic(
      {.connection = options_.producer.connection,
       .group = options_.group,
       .topic = log.topic_name,
       .from = from,
       .on_open_transaction = on_open_transaction(),
       .expect = expect,
       .interrupted = interrupted_},
      [&](const ReplayedRecord& record) {
        const auto shard = static_cast<std::uint16_t>(record.partition);
        auto rows = apply_record(log.form, table, shard, record.key,
                                 record.tombstone ? std::nullopt : std::optional(record.value));
        if (!rows.is_ok()) {
          return Status::corrupt(fmt::format("{}[{}] at offset {}: {}", log.topic_name, shard,
                                             record.offset, rows.status().message()));
        }
        log.restart[shard] = record.offset + 1;
        all_rows += *rows;
        return restoring.took(*rows, record.key.size() + record.value.size());
      });
  if (!end.status.is_ok()) return end.status;
  for (std::size_t i = 0; i < shards.size(); ++i) log.restart[shards[i]] = end.next[i];
  if (end.records == 0) return Status::ok();
  constexpr std::uint64_t kMany = 1000;
  spdlog::log(all_rows < kMany ? spdlog::level::debug : spdlog::level::info,
              "table {}: {} rows, {} MiB restored from {}", name, all_rows, end.bytes >> 20,
              log.topic_name);
  return restoring.finish();
}

Status KafkaBackend::restore_outboxes() {
  for (const auto& [sink, place] : needs_.outboxes) {
    if (Status status = restore_outbox(sink); !status.is_ok()) return status;
  }
  local_ahead_ = local_epoch_ - epoch_;
  return Status::ok();
}

Status KafkaBackend::restore_outbox(const std::string& log) {
  Changelog& outbox = outboxes_[log];
  outbox.topic_name = topic_name(log, "outbox");
  if (Status status = ensure_topic(transaction_->client(), outbox_topic(log)); !status.is_ok()) {
    return status;
  }
  auto topic = transaction_->topic(outbox.topic_name);
  if (!topic.is_ok()) return topic.status();
  outbox.topic = *topic;
  const auto known = local_.find(local_position(outbox.topic_name, 0));
  outbox.start_at({known == local_.end() ? 0 : local_offset(known->second)});
  const auto trim = meta_.find(std::string(kTrimmed) + log);
  const std::uint64_t trimmed =
      trim == meta_.end() ? 0 : runtime::stored_number<std::uint64_t>(trim->second, trim->first);
  const std::vector<ReplayFrom> from = {{0, outbox.restart[0]}};
  const ReplayEnd end =
      replay_topic({options_.producer.connection, options_.group, outbox.topic_name, from},
                   [&](const ReplayedRecord& record) {
                     outbox.restart[0] = record.offset + 1;
                     const std::uint64_t sequence = state::read_big_endian(record.key);
                     if (record.tombstone || sequence <= trimmed) return Status::ok();
                     const state::LogEntry entry{sequence, std::string(record.value.substr(8)),
                                                 state::read_big_endian(record.value.substr(0, 8))};
                     state::Commit local;
                     local.epoch = ++local_epoch_;
                     local.appends.emplace_back(log, &entry);
                     local.meta.emplace_back(local_position(outbox.topic_name, 0),
                                             std::to_string(outbox.restart[0]));
                     return store_->commit(local);
                   });
  if (end.status.is_ok()) outbox.restart[0] = end.next[0];
  return end.status;
}

}  // namespace huiliu::connectors::kafka
