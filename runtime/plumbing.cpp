#include "runtime/plumbing.h"

#include <algorithm>
#include <utility>

#include "runtime/check.h"

namespace huiliu::runtime {

void FanOut::process(Record& record, Outputs& out) {
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
                               KeyBuilder key, MemoryPool& pool)
    : edge_(edge),
      thread_(thread),
      owners_(plan.owners),
      keyed_(keyed),
      key_(std::move(key)),
      pool_(pool),
      parts_(plan.parallelism) {}

void ExchangeSender::process(Record& record, Outputs& out) {
  out.absorb(record);
  unsigned receiver = thread_;
  if (keyed_) {
    record.key_hash = key_.hash(record);
    receiver = owners_[shard_of_hash(record.key_hash, static_cast<std::uint16_t>(owners_.size()))];
    HUILIU_CHECK(receiver < parts_.size());
  }
  Part& part = parts_[receiver];
  part.rows.push_back(
      {record.ordinal, record.width, record.event_time, record.id, record.key_hash, record.origin});
  part.values.insert(part.values.end(), record.values, record.values + record.width);
}

std::vector<Part> ExchangeSender::take() {
  std::vector<Part> taken(parts_.size());
  for (std::size_t receiver = 0; receiver < parts_.size(); ++receiver) {
    Part& part = parts_[receiver];
    part.edge = edge_;
    part.sender = thread_;
    if (part.rows.empty()) continue;
    part.memory = memory_;
    taken[receiver] = std::exchange(part, pool_.take_part(edge_));
  }
  memory_.clear();
  return taken;
}

void SinkTap::process(Record& record, Outputs& out) {
  out.absorb(record);
  const std::size_t before = part_.bytes.size();
  encoder_->encode(record, part_.bytes);
  ++part_.records;
  if (!keep_order_) return;
  part_.ordinals.push_back(record.ordinal);
  part_.sizes.push_back(static_cast<std::uint32_t>(part_.bytes.size() - before));
}

SinkPart SinkTap::take() {
  if (part_.records == 0) return {};
  SinkPart taken = std::exchange(part_, pool_.take_sink_part(node_));
  taken.node = node_;
  taken.input = input_;
  taken.thread = thread_;
  return taken;
}

}  // namespace huiliu::runtime
