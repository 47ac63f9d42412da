#pragma once

#include <array>
#include <cstdint>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/record/arena.h"
#include "runtime/record/record.h"

namespace huiliu::runtime {

class Operator;
class Outputs;

/// Count and order-independent hash of records: one entry of the ledger.
struct Tally {
  std::uint64_t count = 0;
  std::uint64_t hash = 0;
  void add(const Record& record) {
    ++count;
    hash += record.id;
  }
  void add(const Tally& other) {
    count += other.count;
    hash += other.hash;
  }
  bool operator==(const Tally&) const = default;
};

/// Why a record is refused. All views must outlive the slice (literals, config or arena text).
struct Reject {
  std::string_view code;   ///< e.g. "E202_CHECK_DIGIT"
  std::string_view field;  ///< field's name, may be empty
  std::string_view value;  ///< offending value as received
  std::string_view rule;   ///< id and version of the rule that decided
  std::string_view message_en;
  std::string_view message_zh;
  std::string_view faults = {};  ///< everything that is wrong, as JSON; empty: this alone
};

/// Fields that the `rejects` output has behind those of the operator's input, all strings.
inline constexpr std::string_view kRejectFields[] = {
    "reject_code",       "reject_field", "reject_value",  "reject_rule",  "reject_message_en",
    "reject_message_zh", "reject_by",    "reject_faults", "reject_origin"};
inline constexpr std::size_t kRejectFieldCount = std::size(kRejectFields);

/// The values of these fields, in their order; `by` is the node that refuses, `origin` what
/// origin_text() says of the record.
inline std::array<std::string_view, kRejectFieldCount> texts_of(const Reject& reject,
                                                                std::string_view by,
                                                                std::string_view origin) {
  return {reject.code,       reject.field, reject.value,  reject.rule, reject.message_en,
          reject.message_zh, by,           reject.faults, origin};
}

/// Observes what passes a port; used by `explain` only. Calls nest as the chain does: all that an
/// operator does with a record lies between its enter and its leave. Outputs are told apart by
/// node(); what the engine itself puts between two nodes has none. Records and rejects are valid
/// during the call, their text until the slice is done.
class Tracer {
 public:
  virtual ~Tracer() = default;
  /// `record` is about to be processed by the operator, or written by the sink, behind `to`.
  virtual void enter(const Outputs& to, const Record& record) = 0;
  virtual void leave(const Outputs& to) = 0;
  virtual void emitted(const Outputs& from, std::size_t port, const Record& record) = 0;
  /// The record is still without the fields that a reject appends.
  virtual void rejected(const Outputs& from, const Record& record, const Reject& reject) = 0;
  virtual void dropped(const Outputs& from, const Record& record, std::string_view why) = 0;
};

/// One output of an operator: where its records go, and how many did.
struct Port {
  Operator* target = nullptr;  ///< null: nobody listens
  Outputs* target_outputs = nullptr;
  std::size_t input = 0;  ///< of the target, by which the records come
  Tally sent;
};

/// Puts the records that an operator makes of its state in an order that no thread changes.
class StateOrder {
 public:
  virtual ~StateOrder() = default;
  /// As Outputs::begin_rows().
  virtual void begin(std::uint16_t shard, std::int64_t time) = 0;
};

/// The outputs of one operator instance on one thread.
class Outputs {
 public:
  Outputs(std::string_view node, std::size_t ports, std::uint32_t input_width);

  /// Sends the processed record on; port 0 is the main output, side outputs follow in the
  /// descriptor's order. Accounts for the input record: call it at most once for each.
  void emit(Record& record, std::size_t port = 0);
  /// Refuses the record: it goes to the `rejects` output with the reason appended.
  void reject(Record& record, const Reject& reject);
  /// The record ends here on purpose (e.g. a duplicate).
  void drop(const Record& record, std::string_view why = {});
  /// The record's content went into state; what comes of it later has a new identity.
  void absorb(const Record& record) { absorbed_.add(record); }
  /// Sends a further record: one made from state, or a second copy for another port.
  void emit_new(Record& record, std::size_t port = 0);
  /// Within on_watermark() and on_epoch(): what follows is made of this shard's state. Threads have
  /// different shards, and what they make is put together by `time` first (such as the start of a
  /// window; 0 if there is none), then by shard, then in the order of emit_new(). So calls must
  /// ascend in that order; throws StatusError if they do not.
  void begin_rows(std::uint16_t shard, std::int64_t time = 0) {
    state_order_->begin(shard, time);
    unplaced_ = false;
  }

  /// Memory for text that lives until the slice is done.
  Arena& arena() { return *arena_; }

  // For the engine.
  Port& port(std::size_t index) { return ports_[index]; }
  std::size_t ports() const { return ports_.size(); }
  bool is_read(std::size_t index) const { return ports_[index].target != nullptr; }
  Port& reject_port() { return reject_port_; }
  void set_arena(Arena* arena) { arena_ = arena; }
  void set_tracer(Tracer* tracer) { tracer_ = tracer; }
  /// While on_watermark and on_epoch run; null: they are over. `keyed`: begin_rows() must come
  /// before emit_new().
  void set_state_order(StateOrder* order, bool keyed) {
    state_order_ = order;
    unplaced_ = order != nullptr && keyed;
  }
  std::string_view node() const { return node_; }
  void received(const Record& record) { received_.add(record); }
  /// Latest event time emitted since the last call; kNoEventTime if none.
  std::int64_t take_max_event_time() { return std::exchange(max_event_time_, kNoEventTime); }
  /// Records with a later event time are refused; `field` is what the reject names.
  void bound_event_time(std::int64_t latest, std::string_view field) {
    latest_event_time_ = latest;
    event_time_field_ = field;
  }
  struct Counts {
    Tally received, emitted, rejected, dropped, absorbed, created;
    std::vector<Tally> ports;  ///< per port: everything sent, then the reject port
    std::vector<std::pair<std::string, std::uint64_t>> codes = {};  ///< rejects by code
  };
  /// Counts since the last call.
  Counts take_counts();

 private:
  [[noreturn]] static void refuse_unplaced();
  void refuse_time(Record& record);
  void count_code(std::string_view code);
  void deliver(Port& port, Record& record);
  void deliver_traced(Port& port, Record& record);

  std::vector<Port> ports_;
  Port reject_port_;
  std::string_view node_;
  std::uint32_t input_width_;
  std::vector<std::pair<std::string, std::uint64_t>> codes_;  // of rejects since the last call
  Tally received_, emitted_, rejected_, dropped_, absorbed_, created_;
  Arena* arena_ = nullptr;
  Tracer* tracer_ = nullptr;
  std::int64_t max_event_time_ = kNoEventTime;
  std::int64_t latest_event_time_ = std::numeric_limits<std::int64_t>::max();
  std::string_view event_time_field_;
  StateOrder* state_order_ = nullptr;
  bool unplaced_ = false;
};

}  // namespace huiliu::runtime
