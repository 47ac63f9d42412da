#include "connectors/kafka/backend/kafka_backend.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include "connectors/kafka/backend/backend_keys.h"
#include "connectors/kafka/backend/group_ownership.h"
#include "connectors/kafka/backend/sole_ownership.h"
#include "connectors/kafka/backend/start_check.h"
#include "connectors/kafka/backend/state_topics.h"
#include "connectors/kafka/backend/topic_intake.h"
#include "connectors/kafka/client/topic_settings.h"
#include "runtime/base/failpoint.h"
#include "runtime/base/machine.h"
#include "state/embedded_backend.h"

namespace huiliu::connectors::kafka {

using runtime::EpochCommit;
using runtime::failpoint;
using runtime::mutant;
using runtime::Result;
using runtime::Status;

namespace {
std::unique_ptr<Ownership> make_ownership(const OwnershipParts& parts) {
  if (parts.setup.options.several) return std::make_unique<GroupOwnership>(parts);
  return std::make_unique<SoleOwnership>(parts);
}
}  // namespace

std::string random_owner() { return fmt::format("{:016x}", runtime::random_number()); }

KafkaBackend::KafkaBackend(BackendSetup setup, LocalCopy copy)
    : setup_(std::move(setup)),
      topics_(setup_.needs, setup_.options.replication, setup_.options.several),
      copy_(std::move(copy)),
      progress_(topics_.name("", "progress")),
      ownership_(make_ownership({setup_, topics_, copy_, progress_})),
      shards_(setup_, copy_),
      changelogs_(setup_, topics_, copy_, progress_, shards_),
      outboxes_(setup_, topics_, copy_, progress_) {}

Result<std::unique_ptr<KafkaBackend>> KafkaBackend::open(const runtime::BackendContext& context,
                                                         BackendOptions options) {
  BackendSetup setup{.needs = context.needs,
                     .options = std::move(options),
                     .interrupted = context.interrupted,
                     .restoring = context.restoring};
  if (context.session != nullptr) {
    if (!*context.session) *context.session = setup.session;
    setup.session = std::static_pointer_cast<Session>(*context.session);
  }
  setup.options.producer.checked_sinks = setup.session->checked_sinks;
  auto copy = LocalCopy::open(context.state_folder, setup.needs, context.adjust_store);
  if (!copy.is_ok()) return copy.status();
  std::unique_ptr<KafkaBackend> made(new KafkaBackend(std::move(setup), std::move(copy.value())));
  if (Status status = made->start(); !status.is_ok()) return status;
  return made;
}

// 1. At the process's first opening, all that can refuse the start is looked at, before any topic
//    is created.
// 2. The process announces itself as the owner, so that whoever is fenced finds a successor.
// 3. The transactions are opened, which fences a process that still runs with the same
//    transactional id, and ends what a dead one left open. Nothing that counts is read before.
// 4. What is committed is read, and the shards become this process's own (Ownership::take_over).
// 5. The topics that do not exist yet are created.
// 6. The outboxes are brought up to date; tables follow one by one, when the engine opens them.
// 7. The first epoch's transaction begins.
Status KafkaBackend::start() {
  if (!setup_.session->start_checked) {
    if (Status status = check_start(setup_, topics_, copy_); !status.is_ok()) return status;
    setup_.session->start_checked = true;
  }
  if (Status status = ownership_->prepare(); !status.is_ok()) return status;
  if (Status status = open_transactions(); !status.is_ok()) return status;
  if (Status status = ownership_->take_over(*transaction_); !status.is_ok()) return status;
  epoch_ = ownership_->epoch();
  if (Status status = create_topics(); !status.is_ok()) return status;
  ownership_->announce();
  if (!setup_.options.several) {
    if (Status status = outboxes_.restore(*transaction_); !status.is_ok()) return status;
  }
  copy_.align(epoch_);
  return transaction_->begin();
}

Status KafkaBackend::open_transactions() {
  ProducerOptions producer = setup_.options.producer;
  producer.transactional_id = ownership_->transactional_id();
  auto transaction = setup_.calls.open_transaction(producer);
  if (!transaction.is_ok()) return transaction.status();
  transaction_ = std::move(transaction.value());
  return check_cluster(transaction_->client(), copy_);
}

// The delivery reports of the transaction write into the changelogs: it goes first. The shards may
// go to others when nothing of this process is under way any more.
KafkaBackend::~KafkaBackend() {
  failpoint("kafka.before_release");
  standby_.reset();
  shards_.stop();
  transaction_.reset();
  ownership_->release();
}

// The topics are created in one request, since each takes the brokers a while. A table's topic that
// was there once and was deleted is not created: it is found when the table is opened. The settings
// of all are checked at every start: somebody may have changed them, or the brokers may have
// created the topics.
Result<std::shared_ptr<runtime::Intake>> KafkaBackend::open_intake(
    const std::string& source, const runtime::IntakeOptions& options) {
  if (setup_.options.several) {
    return Status::invalid(source + ": several workers cannot share what is sent to one of them");
  }
  const InternalTopic topic = topics_.intake(source);
  HUILIU_RETURN_IF_ERROR(setup_.calls.ensure_topic(transaction_->client(), topic));
  auto intake =
      TopicIntake::open({setup_.options.producer.connection, setup_.options.group, topic.name},
                        options, setup_.interrupted);
  if (!intake.is_ok()) return intake.status();
  return std::shared_ptr<runtime::Intake>(std::move(intake.value()));
}

Status KafkaBackend::create_topics() {
  std::vector<InternalTopic> missing, all = {topics_.progress()};
  for (const auto& need : setup_.needs.repartitions) all.push_back(topics_.repartition(need.topic));
  for (const auto& need : setup_.needs.outboxes) {
    missing.push_back(topics_.outbox(need.sink));
    all.push_back(topics_.outbox(need.sink));
  }
  for (const auto& need : setup_.needs.tables) {
    all.push_back(topics_.changelog(need.name));
    const auto marks = ownership_->table_marks(need.name);
    const auto known = [this](const std::string& mark) { return progress_.has(mark); };
    if (std::any_of(marks.begin(), marks.end(), known)) continue;
    missing.push_back(topics_.changelog(need.name));
  }
  if (Status status = ensure_topics(transaction_->client(), missing); !status.is_ok()) {
    return status;
  }
  std::vector<std::string> untold;
  Status status = check_settings(transaction_->client(), all, untold);
  if (!untold.empty() && setup_.session->checked_sinks->insert("").second) {
    spdlog::warn(
        "DescribeConfigs is not allowed on {}: whether they keep the state (cleanup.policy, "
        "retention.ms) is not checked",
        fmt::join(untold, ", "));
  }
  return status;
}

Result<state::Table*> KafkaBackend::open_table(const std::string& name,
                                               const std::vector<std::uint16_t>& shards) {
  auto table = changelogs_.open_table(*transaction_, name, shards, ownership_->table_marks(name),
                                      ownership_->on_open_transaction());
  if (table.is_ok()) copy_.align(epoch_);
  return table;
}

Status KafkaBackend::opened() {
  if (Status status = start_standby(); !status.is_ok()) return status;
  const std::vector<std::uint16_t> owned = ownership_->owned();
  const std::string held = owned.empty() ? "all" : fmt::format("{}", fmt::join(owned, ","));
  if (Status status = copy_.tell_whole(progress_.all(), held, epoch_); !status.is_ok()) {
    return status;
  }
  shards_.start_writing(ownership_->worker(), owned.empty() ? setup_.needs.all_shards() : owned);
  return Status::ok();
}

std::vector<std::uint16_t> KafkaBackend::shards_of_others() const {
  const std::vector<std::uint16_t> owned = ownership_->owned();
  std::vector<std::uint16_t> shards;
  for (const std::uint16_t shard : setup_.needs.all_shards()) {
    if (std::find(owned.begin(), owned.end(), shard) == owned.end()) shards.push_back(shard);
  }
  return shards;
}

// The group may give any worker any shard, so each keeps a copy of all that are not its own.
Status KafkaBackend::start_standby() {
  constexpr std::uint64_t kMost = 32u << 20;
  if (!setup_.options.several || !setup_.options.standby) return Status::ok();
  const std::vector<std::uint16_t> shards = shards_of_others();
  if (shards.empty()) return Status::ok();
  auto followed = changelogs_.follow(transaction_->client(), shards);
  if (!followed.is_ok()) return followed.status();
  if (followed->empty()) return Status::ok();
  const std::uint64_t budget = state::store_options(setup_.needs).memory_bytes;
  standby_ = std::make_unique<Standby>(setup_.options.producer.connection, setup_.options.group,
                                       std::move(*followed), std::min(kMost, budget / 8));
  return standby_->start();
}

std::shared_ptr<void> KafkaBackend::freeze(state::Table& table, std::uint64_t epoch) {
  return std::make_shared<state::Changes>(table.freeze_epoch(copy_.number_of(epoch)));
}

runtime::Pacing KafkaBackend::pacing() const {
  return {.end_epoch = copy_.store().wants_epoch(),
          .empty_epoch = standby_ && standby_->has_unsaved(),
          .pause = copy_.store().wants_pause(),
          .reopen = ownership_->changed(),
          .window_factor = 4};  // measured: docs/performance.md
}

// 1. The transaction of the epoch is committed to Kafka; from then on the epoch is true.
// 2. The next epoch's transaction begins.
// 3. The local copy takes the epoch. If that fails, or the process ends before, the copy is brought
//    up to the topics at the next start. Called again for the same epoch, only this step is done.
Status KafkaBackend::commit(const EpochCommit& commit) {
  if (commit.epoch > epoch_) {
    if (Status status = commit_to_kafka(commit); !status.is_ok()) return status;
    epoch_ = commit.epoch;
    ownership_->committed(*transaction_);
    if (Status status = transaction_->begin(); !status.is_ok()) return status;
  }
  return commit_locally(commit);
}

// The transaction already holds what the sinks have written since it began.
// 1. The changes of the tables go into the changelogs, and new entries into the outboxes.
// 2. The positions and all else that the engine notes go into the progress topic.
// 3. The brokers have all of these records, or the epoch fails.
// 4. The consumed offsets are sent. With several workers they prove that this one still is a member
//    of the group; a record in the progress of each of its shards is before that proof.
// 5. The brokers make all of it visible at once, or nothing.
Status KafkaBackend::commit_to_kafka(const EpochCommit& commit) {
  failpoint("kafka.before_changelog");
  if (mutant("kafka.applied_early")) {
    if (Status status = commit_locally(commit); !status.is_ok()) return status;
  }
  if (Status status = changelogs_.produce(*transaction_, commit); !status.is_ok()) return status;
  if (Status status = outboxes_.produce(*transaction_, commit); !status.is_ok()) return status;
  failpoint("kafka.before_progress");
  if (mutant("kafka.positions_after_commit")) {
    if (Status status = transaction_->commit(); !status.is_ok()) return status;
    failpoint("kafka.after_commit");
    if (Status status = transaction_->begin(); !status.is_ok()) return status;
  }
  if (Status status = ownership_->produce_progress(*transaction_, commit); !status.is_ok()) {
    return status;
  }
  if (Status status = transaction_->flush(); !status.is_ok()) return status;
  failpoint("kafka.before_offsets");
  if (Status status = ownership_->send_offsets(*transaction_, commit); !status.is_ok()) {
    return status;
  }
  failpoint("kafka.before_commit");
  if (Status status = transaction_->commit(); !status.is_ok()) return status;
  failpoint("kafka.after_commit");
  return Status::ok();
}

// What the standby has taken in goes with the epoch: it saves nothing by itself.
Status KafkaBackend::commit_locally(const EpochCommit& commit) {
  std::vector<state::LogEntry> entries;
  state::Commit local = state::as_commit(commit, entries);
  local.epoch = copy_.number_of(commit.epoch);
  changelogs_.add_positions(local);
  local.meta.emplace_back(kTime, std::to_string(now_ms()));
  if (mutant("kafka.position_without_changes") && commit.epoch % 4 == 0) local.changes.clear();
  outboxes_.add_positions(local);
  if (standby_) {
    for (const auto& [place, next] : standby_->collect(local)) {
      local.meta.emplace_back(LocalCopy::position_key(place.first, place.second), as_local(next));
    }
  }
  if (Status status = copy_.commit_epoch(local); !status.is_ok()) return status;
  if (standby_) standby_->saved();
  return Status::ok();
}

Result<std::vector<runtime::OutboxEntry>> KafkaBackend::read_log(const std::string& log,
                                                                 std::uint64_t after,
                                                                 std::size_t max_bytes) {
  auto entries = copy_.store().read_log(log, after, max_bytes);
  if (!entries.is_ok()) return entries.status();
  std::vector<runtime::OutboxEntry> result;
  for (state::LogEntry& entry : entries.value()) {
    result.push_back({entry.sequence, std::move(entry.bytes), entry.records});
  }
  return result;
}

std::vector<runtime::Figure> KafkaBackend::figures() const {
  std::vector<runtime::Figure> figures = copy_.store().figures();
  const std::vector<runtime::Figure> producer = transaction_->figures();
  figures.insert(figures.end(), producer.begin(), producer.end());
  return figures;
}

}  // namespace huiliu::connectors::kafka
