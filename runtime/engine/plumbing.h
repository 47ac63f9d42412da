#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "runtime/component/operator.h"
#include "runtime/component/sink.h"
#include "runtime/component/sink_rejects.h"
#include "runtime/engine/messages.h"
#include "runtime/record/key.h"
#include "runtime/topology/plan.h"

namespace huiliu::runtime {

/// Sets the key's hash for a keyed operator that is fused (one thread).
class KeyHasher final : public Operator {
 public:
  explicit KeyHasher(KeyBuilder key) : key_(std::move(key)) {}
  void process(std::size_t /*input*/, Record& record, Outputs& out) override {
    record.key_hash = key_.hash(record);
    out.emit(record);
  }

 private:
  KeyBuilder key_;
};

/// Gives each of several consumers slots of its own, since receivers may change them; those that
/// only look at the record (exchanges, sinks) need none.
class FanOut final : public Operator {
 public:
  /// `only_looks` per port.
  FanOut(std::size_t row_slots, std::vector<bool> only_looks)
      : row_(row_slots), only_looks_(std::move(only_looks)) {}
  void process(std::size_t input, Record& record, Outputs& out) override;

 private:
  std::vector<Value> row_;
  std::vector<bool> only_looks_;
};

/// Collects records for the threads that own their shards (or for its own thread: kForward).
class ExchangeSender final : public Operator {
 public:
  /// `plan` outlives it.
  ExchangeSender(std::size_t edge, unsigned thread, const Plan& plan, bool keyed, KeyBuilder key,
                 OrderCounter& order, MemoryPool& pool);
  void process(std::size_t input, Record& record, Outputs& out) override;
  void add_memory(const std::shared_ptr<SliceMemory>& memory) { memory_.push_back(memory); }
  /// One part per receiver, maybe empty.
  std::vector<ExchangePart> take();

 private:
  std::size_t edge_;
  unsigned thread_;
  const std::vector<unsigned>& owners_;
  bool keyed_;
  KeyBuilder key_;
  OrderCounter& order_;  // of the stage that records leave here
  MemoryPool& pool_;
  std::vector<ExchangePart> parts_;
  std::vector<std::shared_ptr<SliceMemory>> memory_;
};

/// End of a chain at a sink: encodes. What the encoder refuses goes on by the reject port.
class SinkTap final : public Operator {
 public:
  /// `rejects` is empty if the sink may refuse nothing. `order` is that of the stage that records
  /// leave here; null: they need not be told apart any more.
  SinkTap(std::size_t node, std::unique_ptr<SinkEncoder> encoder,
          std::optional<RejectLayout> rejects, OrderCounter* order, MemoryPool& pool)
      : node_(node),
        encoder_(std::move(encoder)),
        rejects_(std::move(rejects)),
        order_(order),
        pool_(pool) {}
  void process(std::size_t input, Record& record, Outputs& out) override;
  SinkPart take();

 private:
  void refuse(const Record& record, const Reject& reject, Outputs& out);

  std::size_t node_;
  std::unique_ptr<SinkEncoder> encoder_;
  std::optional<RejectLayout> rejects_;
  OrderCounter* order_;
  MemoryPool& pool_;
  SinkPart part_;
};

}  // namespace huiliu::runtime
