#include "runtime/engine/delivery.h"

#include "runtime/base/failpoint.h"
#include "runtime/base/log_context.h"

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

Status Delivery::open() {
  const Node& node = run_.topology->nodes[node_];
  SinkContext context;
  context.node_name = node.name;
  context.topology = run_.topology->id;
  context.base_folder = run_.topology->folder;
  context.clock = run_.clock;
  context.ending = [&run = run_] { return run.end.stop || run.end.abandon; };
  const bool keeps = sink_->keeps_position();
  if (!keeps) context.delivered = committer_.keep_delivered(node_);
  return retry(run_, node.name, [&] {
    Status status = sink_->open(context);
    if (!status.is_ok()) return status;
    Result<std::uint64_t> position = keeps ? sink_->position() : context.delivered;
    if (!position.is_ok()) return position.status();
    position_ = position.value();
    if (mutant("outbox.resume_late") && position_ > 0) ++position_;
    if (position_ > committer_.outbox_end(node_)) {
      return Status::fatal(node.name +
                           ": the store is ahead of the state folder; they do not belong together. "
                           "Use the state folder that filled this store, or an empty store.");
    }
    if (position_ < committer_.outbox_end(node_) && !committer_.outbox_fits(node_)) {
      return Status::invalid(
          node.name + ": " + std::to_string(committer_.outbox_end(node_) - position_) +
          " entries of its outbox are not delivered yet and were written with other fields, or by "
          "an earlier version. Run what wrote them until they are delivered (a run that ends by "
          "itself delivers all), then start this again");
    }
    committer_.delivered(node_, position_, 0);
    return Status::ok();
  });
}

bool delivers_all(const RunContext& run) {
  return run.end.input_ended || (run.requests.drain && !mutant("drain.undelivered"));
}

bool Delivery::step() {
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
