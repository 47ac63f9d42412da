#include "connectors/kafka/kafka_backend.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include "connectors/kafka/backend_keys.h"
#include "connectors/kafka/position.h"
#include "connectors/kafka/replay.h"
#include "connectors/kafka/topics.h"
#include "runtime/base/failpoint.h"
#include "runtime/base/machine.h"
#include "runtime/base/stored_number.h"
#include "runtime/component/meta_key.h"
#include "runtime/record/key.h"
#include "state/embedded_backend.h"
#include "state/layout.h"

namespace huiliu::connectors::kafka {

using runtime::EpochCommit;
using runtime::failpoint;
using runtime::LogAppend;
using runtime::mutant;
using runtime::Result;
using runtime::Status;

namespace {
bool is_number(std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end;
}
}  // namespace

std::string random_owner() { return fmt::format("{:016x}", runtime::random_number()); }

Result<std::unique_ptr<KafkaBackend>> KafkaBackend::open(const runtime::BackendContext& context,
                                                         BackendOptions options) {
  std::unique_ptr<KafkaBackend> made(new KafkaBackend(context.needs, std::move(options)));
  made->interrupted_ = context.interrupted;
  made->session_ = std::make_shared<Session>();
  if (context.session != nullptr) {
    if (!*context.session) *context.session = made->session_;
    made->session_ = std::static_pointer_cast<Session>(*context.session);
  }
  made->options_.producer.checked_sinks = made->session_->checked_sinks;
  Status opened_store = made->open_store(context.state_folder, context.adjust_store);
  if (!opened_store.is_ok()) return opened_store;
  const Status opened = made->options_.several ? made->join(context) : made->open_alone();
  if (!opened.is_ok()) return opened;
  if (Status status = made->transaction_->begin(); !status.is_ok()) return status;
  return made;
}

Status KafkaBackend::open_alone() {
  if (Status status = announce(); !status.is_ok()) return status;
  // Before anything is read that counts: it fences a worker that still runs, and ends what a dead
  // one left open.
  auto transaction = Transaction::open(options_.producer);
  if (!transaction.is_ok()) return transaction.status();
  transaction_ = std::move(transaction.value());
  group_.reset(rd_kafka_consumer_group_metadata_new(options_.group.c_str()));
  for (const auto step :
       {&KafkaBackend::check_cluster, &KafkaBackend::open_progress, &KafkaBackend::remember,
        &KafkaBackend::claim, &KafkaBackend::create_topics, &KafkaBackend::restore_outboxes}) {
    if (Status status = (this->*step)(); !status.is_ok()) return status;
  }
  return Status::ok();
}

// Its last delivery reports write into the changelogs; then the shards may go to others.
KafkaBackend::~KafkaBackend() {
  failpoint("kafka.before_release");
  standby_.reset();
  snapshots_.reset();
  transaction_.reset();
  if (membership_) membership_->release();
}

std::string KafkaBackend::topic_name(std::string_view name, std::string_view kind) const {
  return fmt::format("{}.{}{}{}", needs_.topology_id, name, name.empty() ? "" : ".", kind);
}

std::string KafkaBackend::local_position(std::string_view topic, int partition) const {
  return fmt::format("{}{}/{}", kPosition, topic, partition);
}

Status KafkaBackend::open_store(const std::string& folder,
                                const std::function<void(state::StoreOptions&)>& adjust) {
  state::StoreOptions store_options = state::store_options(needs_);
  store_options.identity += " backend=kafka";
  if (adjust) adjust(store_options);
  auto store = state::EpochStore::open(folder, store_options);
  if (!store.is_ok()) return store.status();
  store_ = std::move(store.value());
  local_epoch_ = store_->last_epoch();
  for (auto& [key, value] : store_->meta("kafka/")) local_[key] = value;
  return begin_local_copy();
}

// Until all of it is as of one epoch, nobody else is to read it (state/reader.h).
Status KafkaBackend::begin_local_copy() {
  if (local_.erase(std::string(kWhole)) == 0) return Status::ok();
  state::Commit opening;
  opening.epoch = ++local_epoch_;
  opening.meta.emplace_back(kWhole, "");
  return store_->commit(opening);
}

// What others read beside the tables: the engine's keys as Kafka has them.
Status KafkaBackend::opened() {
  if (Status status = start_standby(); !status.is_ok()) return status;
  state::Commit whole;
  whole.epoch = ++local_epoch_;
  for (const auto& [key, value] : store_->meta("")) {
    if (!key.starts_with("kafka/") && !meta_.contains(key)) whole.meta.emplace_back(key, "");
  }
  for (const auto& [key, value] : meta_) {
    if (!key.starts_with("!")) whole.meta.emplace_back(key, value);
  }
  whole.meta.emplace_back(kWhole, membership_ ? fmt::format("{}", fmt::join(owned_, ",")) : "all");
  local_ahead_ = local_epoch_ - epoch_;
  if (Status status = store_->commit(whole); !status.is_ok()) return status;
  if (options_.snapshots.folder.empty()) return Status::ok();
  open_snapshots().forget();
  snapshots_->start_writing(*store_, membership_ ? owner_ : "worker",
                            membership_ ? owned_ : needs_.all_shards());
  return Status::ok();
}

SharedSnapshots& KafkaBackend::open_snapshots() {
  if (!snapshots_) {
    snapshots_ = std::make_unique<SharedSnapshots>(options_.snapshots, needs_.topology_id,
                                                   needs_.shards, local_[std::string(kCluster)]);
    snapshots_->look();
  }
  return *snapshots_;
}

Status KafkaBackend::check_cluster() {
  char* id = rd_kafka_clusterid(transaction_->client(), kRequestMs);
  if (id == nullptr) return Status::restart("the brokers do not answer");
  const std::string cluster = id;
  rd_kafka_mem_free(transaction_->client(), id);
  const auto known = local_.find(std::string(kCluster));
  if (known != local_.end() && known->second != cluster) {
    return Status::invalid(fmt::format(
        "the local state belongs to the Kafka cluster {}, `bootstrap` leads to {}; correct it, or "
        "remove the local state folder to restore the state from this cluster",
        known->second, cluster));
  }
  if (known == local_.end()) new_local_.emplace_back(kCluster, cluster);
  return Status::ok();
}

// Not before the topics have been seen to fit: a start with a wrong config is to leave nothing.
Status KafkaBackend::remember() {
  if (new_local_.empty()) return Status::ok();
  state::Commit first;
  first.epoch = ++local_epoch_;
  first.meta = std::exchange(new_local_, {});
  for (const auto& [key, value] : first.meta) local_[key] = value;
  return store_->commit(first);
}

Status KafkaBackend::open_progress() {
  const std::string name = topic_name("", "progress");
  if (Status status = ensure_topic(transaction_->client(), progress_topic()); !status.is_ok()) {
    return status;
  }
  auto topic = transaction_->topic(name);
  if (!topic.is_ok()) return topic.status();
  progress_ = *topic;
  if (!mutant("kafka.marker_before_fence")) {
    if (Status status = read_progress(); !status.is_ok()) return status;
  }
  if (meta_[std::string(kOwner)] != owner_) return taken_over();
  const auto epoch = meta_.find(std::string(kEpoch));
  if (epoch != meta_.end())
    epoch_ = runtime::stored_number<std::uint64_t>(epoch->second, epoch->first);
  if (epoch == meta_.end() && local_.contains(std::string(kTime))) {
    return Status::corrupt(
        fmt::format("topic {} holds no epoch, but the local state has some: the topic was made "
                    "anew. Restore it, "
                    "or start afresh with another `topology` id",
                    name));
  }
  return check_shards();
}

Status KafkaBackend::check_shards() const {
  const auto shards = meta_.find(std::string(kShards));
  const std::string own = std::to_string(needs_.shards);
  if (shards != meta_.end() && shards->second != own) {
    return Status::invalid(fmt::format(
        "the topology '{}' has state with {} shards in this cluster, not {}: `shards` is fixed for "
        "the life of the state; use the old number, or another `topology` id",
        needs_.topology_id, shards->second, own));
  }
  return Status::ok();
}

Status KafkaBackend::read_progress() {
  const std::string name = topic_name("", "progress");
  const std::vector<ReplayFrom> from = {{0, 0}};
  const ReplayEnd end =
      replay_topic({options_.producer.connection, options_.group, name, from},
                   [this](const ReplayedRecord& record) { return take_progress(record); });
  return end.status;
}

// Whoever may write to the topic can put anything there, such as by a mistake with a tool.
Status KafkaBackend::take_progress(const ReplayedRecord& record) {
  if (record.tombstone) {
    meta_.erase(std::string(record.key));
    return Status::ok();
  }
  const bool number = record.key == kEpoch || record.key.starts_with(kTrimmed);
  const bool fits = number                           ? is_number(record.value)
                    : parse_position_key(record.key) ? parse_position(record.value).has_value()
                                                     : true;
  if (!fits) {
    return Status::corrupt(fmt::format(
        "{}[{}] at offset {}: '{}' is no value of {}: something else has written it there. Restore "
        "the topic, or start afresh with another `topology` id",
        topic_name("", "progress"), record.partition, record.offset, record.value.substr(0, 80),
        record.key));
  }
  meta_[std::string(record.key)] = record.value;
  return Status::ok();
}

// The owner is written before the fence goes up, without a transaction: whoever is fenced finds a
// successor there, and can tell it from a transaction of its own that took too long.
Status KafkaBackend::announce() {
  if (!session_->owner.empty()) {
    owner_ = session_->owner;
    return check_owner();
  }
  const std::string name = topic_name("", "progress");
  auto producer = make_connected_producer(options_.producer.connection);
  if (!producer.is_ok()) return producer.status();
  rd_kafka_t* const client = producer->client.get();
  if (Status status = ensure_topic(client, progress_topic()); !status.is_ok()) return status;
  if (Status status = read_progress(); !status.is_ok()) return status;
  if (Status status = check_shards(); !status.is_ok()) return status;
  owner_ = random_owner();
  if (Status status = produce_one(client, name, kOwner, owner_); !status.is_ok()) {
    return status;
  }
  meta_[std::string(kOwner)] = owner_;
  session_->owner = owner_;
  failpoint("kafka.after_claim");
  return Status::ok();
}

// Of the state, for the life of the topics.
Status KafkaBackend::claim() {
  if (meta_.contains(std::string(kShards))) return Status::ok();
  new_meta_.emplace_back(kShards, std::to_string(needs_.shards));
  return Status::ok();
}

// Before it opens its transactions again, which would fence a successor.
Status KafkaBackend::check_owner() {
  if (Status status = read_progress(); !status.is_ok()) return status;
  return meta_[std::string(kOwner)] == owner_ ? Status::ok() : taken_over();
}

Status KafkaBackend::taken_over() const {
  return Status::taken_over(fmt::format(
      "another process runs the topology '{}' and has taken over; this one ends. If both are meant "
      "to run, give them different `topology` ids",
      needs_.topology_id));
}

std::vector<std::pair<std::string, std::string>> KafkaBackend::meta(std::string_view prefix) const {
  if (membership_ && prefix == runtime::kLayoutPrefix) return shared_layout();
  std::vector<std::pair<std::string, std::string>> found;
  for (auto it = meta_.lower_bound(std::string(prefix));
       it != meta_.end() && it->first.starts_with(prefix); ++it) {
    found.emplace_back(*it);
  }
  return found;
}

std::shared_ptr<void> KafkaBackend::freeze(state::Table& table, std::uint64_t epoch) {
  return std::make_shared<state::Changes>(table.freeze_epoch(epoch + local_ahead_));
}

Status KafkaBackend::commit(const EpochCommit& commit) {
  if (commit.epoch > epoch_) {
    if (Status status = commit_to_kafka(commit); !status.is_ok()) return status;
    epoch_ = commit.epoch;
    if (membership_) forget_consumed();
    if (Status status = transaction_->begin(); !status.is_ok()) return status;
  }
  return commit_locally(commit);
}

Status KafkaBackend::commit_to_kafka(const EpochCommit& commit) {
  failpoint("kafka.before_changelog");
  if (mutant("kafka.applied_early")) {
    if (Status status = commit_locally(commit); !status.is_ok()) return status;
  }
  for (const auto step : {&KafkaBackend::produce_changes, &KafkaBackend::produce_appends}) {
    if (Status status = (this->*step)(commit); !status.is_ok()) return status;
  }
  failpoint("kafka.before_progress");
  const bool late = mutant("kafka.positions_after_commit");
  if (late) {
    if (Status status = transaction_->commit(); !status.is_ok()) return status;
    failpoint("kafka.after_commit");
    if (Status status = transaction_->begin(); !status.is_ok()) return status;
  }
  if (Status status = produce_progress(commit); !status.is_ok()) return status;
  if (Status status = transaction_->flush(); !status.is_ok()) return status;
  failpoint("kafka.before_offsets");
  if (Status status = send_offsets(commit); !status.is_ok()) return status;
  failpoint("kafka.before_commit");
  if (Status status = transaction_->commit(); !status.is_ok()) return status;
  failpoint("kafka.after_commit");
  return Status::ok();
}

Status KafkaBackend::produce_changes(const EpochCommit& commit) {
  for (const auto& one : commit.changes) {
    const auto* changes = static_cast<const state::Changes*>(one.get());
    Changelog& log = changelogs_.at(changes->table);
    for (const auto& [shard, blob] : changes->blobs) {
      records_.clear();
      Status status = log.form == ChangelogForm::kPacked ? add_packed(blob) : add_rows(blob);
      if (!status.is_ok()) return status;
      const int partition = mutant("kafka.wrong_shard") ? (shard + 1) % needs_.shards : shard;
      status = transaction_->produce_all(log.topic, partition, records_, &log.written[shard]);
      if (!status.is_ok()) return status;
    }
  }
  return Status::ok();
}

Status KafkaBackend::add_rows(std::string_view blob) {
  const bool whole =
      state::read_changes(blob, [&](bool tombstone, std::string_view key, std::string_view value) {
        rd_kafka_message_t& record = records_.emplace_back();
        record.key = const_cast<char*>(key.data());
        record.key_len = key.size();
        // Only a null pointer makes a tombstone: an empty value is one.
        record.payload = tombstone ? nullptr : const_cast<char*>(value.data());
        record.len = tombstone ? 0 : value.size();
        if (mutant("kafka.row_lost") && records_.size() % 50 == 0) records_.pop_back();
      });
  return whole ? Status::ok() : Status::corrupt("the changes of an epoch are damaged");
}

Status KafkaBackend::add_packed(std::string_view blob) {
  return split_changes(blob, [&](std::string_view piece) {
    rd_kafka_message_t& record = records_.emplace_back();
    record.payload = const_cast<char*>(piece.data());
    record.len = piece.size();
    if (mutant("kafka.row_lost") && ++pieces_ % 50 == 0) records_.pop_back();
  });
}

Status KafkaBackend::produce_appends(const EpochCommit& commit) {
  std::string key, value;
  for (const LogAppend& append : commit.appends) {
    Changelog& outbox = outboxes_.at(append.log);
    key.clear();
    value.clear();
    state::append_big_endian(key, append.sequence, 8);
    state::append_big_endian(value, append.records, 8);
    value += append.bytes;
    Status status = transaction_->produce(
        outbox.topic, {.partition = 0, .key = key, .value = value, .offset = &outbox.written[0]});
    if (!status.is_ok()) return status;
  }
  // Compaction then removes what is delivered.
  for (const auto& [log, last] : commit.trims) {
    std::string& trimmed = meta_[std::string(kTrimmed) + log];
    for (std::uint64_t gone =
             trimmed.empty() ? 1 : runtime::stored_number<std::uint64_t>(trimmed, log) + 1;
         gone <= last; ++gone) {
      key.clear();
      state::append_big_endian(key, gone, 8);
      Status status = transaction_->produce(outboxes_.at(log).topic, {.partition = 0, .key = key});
      if (!status.is_ok()) return status;
    }
    trimmed = std::to_string(last);
    Status status = transaction_->produce(
        progress_, {.partition = 0, .key = std::string(kTrimmed) + log, .value = trimmed});
    if (!status.is_ok()) return status;
  }
  return Status::ok();
}

Status KafkaBackend::produce_progress(const EpochCommit& commit) {
  const auto put = [&](const std::string& key, const std::string& value) {
    std::string& known = meta_[key];
    if (known == value) return Status::ok();
    known = value;
    const bool erased = value.empty();
    if (erased) meta_.erase(key);
    return transaction_->produce(progress_,
                                 {.partition = progress_partition(key),
                                  .key = key,
                                  .value = erased ? std::string_view() : std::string_view(value)});
  };
  for (const auto& [key, value] : commit.meta) {
    // Sums of one worker say nothing when its shards are another's.
    if (membership_ && key.starts_with(runtime::MetaKey::kLedger)) continue;
    if (membership_ && key.starts_with(runtime::kLayoutPrefix)) continue;
    if (Status status = put(key, value); !status.is_ok()) return status;
  }
  for (const auto& [key, value] : std::exchange(new_meta_, {})) {
    if (Status status = put(key, value); !status.is_ok()) return status;
  }
  if (!membership_) return put(std::string(kEpoch), std::to_string(commit.epoch));
  // Each partition gets a record before the offsets are sent: who takes a shard over waits for it.
  for (const std::uint16_t shard : owned_) {
    meta_.erase(shard_key(kEpoch, shard));  // also if it is the same as that of an earlier opening
    Status status = put(shard_key(kEpoch, shard), fmt::format("{} {}", owner_, commit.epoch));
    if (!status.is_ok()) return status;
    if (!commit.last) continue;
    if (status = put(shard_key(kLeft, shard), owner_); !status.is_ok()) return status;
  }
  return Status::ok();
}

// For lag monitors and for consumers that take over; the truth is in the progress topic, since
// group offsets expire.
Status KafkaBackend::send_offsets(const EpochCommit& commit) {
  const PartitionList list(rd_kafka_topic_partition_list_new(8));
  for (const auto& [key, value] : commit.meta) {
    const auto place = parse_position_key(key);
    const auto position = place ? parse_position(value) : std::nullopt;
    if (!position) continue;
    rd_kafka_topic_partition_list_add(list.get(), place->topic.c_str(), place->partition)->offset =
        position->reached();
  }
  // Those of the shards are nothing but a proof that this worker is still of the group.
  for (const std::uint16_t shard : owned_) {
    rd_kafka_topic_partition_list_add(list.get(), topic_name("", "work").c_str(), shard)->offset =
        0;
  }
  if (list->cnt == 0) return Status::ok();
  if (membership_ && !mutant("kafka.no_member")) group_ = membership_->metadata();
  if (!group_) return Status::restart("this worker has lost its shards");
  return transaction_->send_offsets(list.get(), group_.get());
}

Status KafkaBackend::commit_locally(const EpochCommit& commit) {
  std::vector<state::LogEntry> entries;
  state::Commit local = state::as_commit(commit, entries);
  local.epoch = commit.epoch + local_ahead_;
  for (const state::Changes* changes : local.changes) {
    const Changelog& log = changelogs_.at(changes->table);
    for (const auto& [shard, blob] : changes->blobs) {
      local.meta.emplace_back(local_position(log.topic_name, shard), as_local(log.next(shard)));
    }
  }
  local.meta.emplace_back(kTime, std::to_string(now_ms()));
  if (mutant("kafka.position_without_changes") && commit.epoch % 4 == 0) local.changes.clear();
  for (const auto& [log, outbox] : outboxes_) {
    local.meta.emplace_back(local_position(outbox.topic_name, 0), std::to_string(outbox.next(0)));
  }
  if (standby_) {
    for (const auto& [place, next] : standby_->collect(local)) {
      local.meta.emplace_back(local_position(place.first, place.second), as_local(next));
    }
  }
  if (Status status = store_->commit(local); !status.is_ok()) return status;
  local_epoch_ = local.epoch;
  if (standby_) standby_->saved();
  return Status::ok();
}

Result<std::vector<runtime::OutboxEntry>> KafkaBackend::read_log(const std::string& log,
                                                                 std::uint64_t after,
                                                                 std::size_t max_bytes) {
  auto entries = store_->read_log(log, after, max_bytes);
  if (!entries.is_ok()) return entries.status();
  std::vector<runtime::OutboxEntry> result;
  for (state::LogEntry& entry : entries.value()) {
    result.push_back({entry.sequence, std::move(entry.bytes), entry.records});
  }
  return result;
}

}  // namespace huiliu::connectors::kafka
