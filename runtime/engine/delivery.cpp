#include "runtime/engine/delivery.h"

#include <spdlog/spdlog.h>

#include "runtime/base/failpoint.h"
#include "runtime/base/log_context.h"
#include "runtime/topology/receipts.h"

namespace huiliu::runtime {
namespace {
constexpr std::size_t kMostBytes = 8 << 20;
constexpr std::size_t kOneEntry = 1;
}  // namespace

Delivery::Delivery(RunContext& run, Committer& committer, std::size_t node)
    : run_(run), committer_(committer), node_(node) {
  const Node& description = run.topology->nodes[node];
  sink_ = description.sink->create_outbox_sink(*description.sink_declaration);
}

Status Delivery::attach() {
  const Node& node = run_.topology->nodes[node_];
  SinkContext context;
  context.node_name = node.name;
  context.topology = run_.topology->id;
  context.base_folder = run_.topology->folder;
  context.clock = run_.clock;
  context.ending = [&run = run_] { return run.end.stop || run.end.abandon; };
  if (node.sink_declaration->receipts_read) {
    // Its reader opens the same.
    HUILIU_ASSIGN_OR_RETURN(context.receipts, run_.intakes.open(receipts_name(node.name), {}));
  }
  const bool keeps = sink_->keeps_position();
  if (!keeps) context.delivered = committer_.keep_delivered(node_);
  if (Status status = sink_->open(context); !status.is_ok()) return status;
  position_ = context.delivered;
  if (keeps) {
    HUILIU_ASSIGN_OR_RETURN(position_, sink_->position());
  }
  if (mutant("outbox.resume_late") && position_ > 0) ++position_;
  if (position_ > opened_end_) {
    return Status::fatal(node.name +
                         ": the store is ahead of the state folder; they do not belong together. "
                         "Use the state folder that filled this store, or an empty store.");
  }
  HUILIU_RETURN_IF_ERROR(committer_.count_waiting(node_, position_, opened_end_));
  committer_.delivered(node_, position_, 0);
  attached_ = true;
  return Status::ok();
}

Status Delivery::open() {
  const std::string& name = run_.topology->nodes[node_].name;
  opened_end_ = committer_.outbox_end(node_);
  if (opened_end_ > 0 && !committer_.outbox_fits(node_)) {
    // The first commit says that entries look as they do now, so what was written before it must be
    // known to be delivered.
    HUILIU_RETURN_IF_ERROR(retry(run_, name, [&] { return attach(); }));
    if (position_ == opened_end_) return Status::ok();
    return Status::invalid(
        name + ": " + std::to_string(opened_end_ - position_) +
        " entries of its outbox are not delivered yet and were written with other fields, or by "
        "an earlier version. Run what wrote them until they are delivered (a run that ends by "
        "itself delivers all), then start this again");
  }
  Status status = attach();
  if (status.code() != StatusCode::kUnavailable) return status;
  run_.health.failed(name, status.message());
  spdlog::warn("{}: {}; records wait in the outbox until it is there", name, status.message());
  return Status::ok();
}

bool Delivery::wait_for_store() {
  const std::string& name = run_.topology->nodes[node_].name;
  const Status status = retry(run_, name, [&] { return attach(); });
  if (status.is_ok()) {
    run_.health.works(name);
    return true;
  }
  if (!run_.end.stop) run_.end.fail(status);
  return false;
}

bool delivers_all(const RunContext& run) {
  return run.end.input_ended || (run.requests.drain && !mutant("drain.undelivered"));
}

bool Delivery::step() {
  if (!attached_ && !wait_for_store()) return false;
  if (drained()) return false;
  const std::string& name = run_.topology->nodes[node_].name;
  const std::size_t most = sink_->keeps_position() ? kMostBytes : kOneEntry;
  Result<std::vector<OutboxEntry>> entries = run_.backend->read_log(name, position_, most);
  if (!entries.is_ok()) {
    run_.end.fail(entries.status());
    return true;
  }
  if (entries->empty() || entries->front().sequence != position_ + 1) {
    run_.end.fail(Status::corrupt(name + ": the outbox has a gap"));
    return true;
  }
  failpoint("outbox.before_apply");
  const Status status = retry(run_, name, [&] { return sink_->apply(entries.value()); });
  if (!status.is_ok()) {
    if (!run_.end.stop) run_.end.fail(status);
    return false;
  }
  failpoint("outbox.after_apply");
  std::uint64_t records = 0;
  for (const OutboxEntry& entry : entries.value()) records += entry.records;
  position_ = entries->back().sequence;
  committer_.delivered(node_, position_, records);
  run_.bell.ring();
  return true;
}

void Delivery::run() {
  constexpr std::int64_t kWaitMs = 50;
  const LogScope scope{std::string_view(run_.topology->nodes[node_].name)};
  while (!run_.end.abandon) {
    const std::uint64_t seen = run_.bell.rings();
    if (step()) continue;
    if (run_.end.finished && (!delivers_all(run_) || drained() || run_.end.stop)) return;
    run_.bell.wait(seen, kWaitMs);
  }
}

}  // namespace huiliu::runtime
