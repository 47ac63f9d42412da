#include "runtime/engine/plumbing.h"

#include <algorithm>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/base/failpoint.h"

namespace huiliu::runtime {

void FanOut::process(std::size_t /*input*/, Record& record, Outputs& out) {
  const std::size_t last = out.ports() - 1;
  for (std::size_t port = 0; port < last; ++port) {
    Record copy = record;
    if (!only_looks_[port]) {
      std::copy_n(record.values, record.width, row_.data());
      copy.values = row_.data();
    }
    out.emit_new(copy, port);
  }
  out.emit(record, last);
}

ExchangeSender::ExchangeSender(std::size_t edge, unsigned thread, const Plan& plan, bool keyed,
                               KeyBuilder key, OrderCounter& order, MemoryPool& pool)
    : edge_(edge),
      thread_(thread),
      owners_(plan.owners),
      keyed_(keyed),
      key_(std::move(key)),
      order_(order),
      pool_(pool),
      parts_(plan.parallelism) {}

void ExchangeSender::process(std::size_t /*input*/, Record& record, Outputs& out) {
  out.absorb(record);
  unsigned receiver = thread_;
  if (keyed_) {
    record.key_hash = key_.hash(record);
    receiver = owners_[shard_of_hash(record.key_hash, static_cast<std::uint16_t>(owners_.size()))];
    HUILIU_CHECK(receiver < parts_.size());
  }
  ExchangePart& part = parts_[receiver];
  part.rows.push_back({order_.next(), record.event_time, record.id, record.key_hash, record.origin,
                       record.width, record.change});
  part.values.insert(part.values.end(), record.values, record.values + record.width);
}

std::vector<ExchangePart> ExchangeSender::take() {
  std::vector<ExchangePart> taken(parts_.size());
  for (std::size_t receiver = 0; receiver < parts_.size(); ++receiver) {
    ExchangePart& part = parts_[receiver];
    part.edge = edge_;
    part.sender = thread_;
    if (part.rows.empty()) continue;
    part.memory = memory_;
    taken[receiver] = std::exchange(part, pool_.take_part(edge_));
  }
  memory_.clear();
  return taken;
}

void SinkTap::process(std::size_t /*input*/, Record& record, Outputs& out) {
  const std::size_t before = part_.bytes.size();
  if (const Reject* reject = encoder_->encode(record, part_.bytes)) [[unlikely]] {
    return refuse(record, *reject, out);
  }
  out.absorb(record);
  ++part_.records;
  if (order_ == nullptr) return;
  part_.order.push_back(order_->next());
  part_.sizes.push_back(static_cast<std::uint32_t>(part_.bytes.size() - before));
}

// The encoder's text ends with its next call; the reject may travel to other threads.
void SinkTap::refuse(const Record& record, const Reject& reject, Outputs& out) {
  HUILIU_CHECK(rejects_.has_value());
  if (mutant("sink.reject_lost")) return;
  Arena& arena = out.arena();
  Record refused = rejects_->lay_out(record, arena);
  out.reject(refused, {arena.copy(reject.code), arena.copy(reject.field), arena.copy(reject.value),
                       arena.copy(reject.rule), arena.copy(reject.message_en),
                       arena.copy(reject.message_zh)});
}

SinkPart SinkTap::take() {
  if (part_.records == 0) return {};
  SinkPart taken = std::exchange(part_, pool_.take_sink_part(node_));
  taken.node = node_;
  return taken;
}

}  // namespace huiliu::runtime
