#pragma once

#include <any>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/status.h"
#include "runtime/component/descriptor.h"
#include "runtime/component/outputs.h"
#include "runtime/record/arena.h"
#include "runtime/record/record.h"
#include "runtime/record/schema.h"

namespace huiliu::state {
class Table;
}

namespace huiliu::runtime {

/// Names and values of a row of a table, as people read them.
using RowText = std::vector<std::pair<std::string, std::string>>;

/// A row of a table of another layout, made one of this.
struct AdoptedRow {
  std::string key, value;  ///< no key: the row has no place any more and is left out, which is said
  std::string record_key;  ///< bytes of the record's key, which say the shard
  bool stays = false;      ///< in the shard that it is in, whatever its key
};

/// How a table takes over a state that was made with another layout.
struct Adoption {
  std::string note;  ///< what becomes of it, for people
  /// Takes any bytes; nothing if they are no row of the layout. Null: the table starts empty.
  std::function<std::optional<AdoptedRow>(std::string_view key, std::string_view value)> row;
};

/// A keyed table of an operator.
struct TableDeclaration {
  std::string name;  ///< unique within the operator
  /// What the bytes of its values mean, and what else the config says of the content, such as
  /// "window=60000 count: int64". State of another layout is refused
  /// (runtime/topology/state_layout.h).
  std::string layout;
  /// A row for `huiliu state`, without the fields of the record's key if keys are nothing else.
  /// Unset: the value in hexadecimal. It must take any bytes. It gives nothing for a row that is
  /// the operator's own and no key's: that is neither shown nor counted.
  std::function<RowText(std::string_view key, std::string_view value)> describe = {};
  /// Keys have more to them than the fields of the record's key.
  bool longer_keys = false;
  /// Rows are never changed or removed, so what a changelog holds of them is never out of date.
  bool only_inserts = false;
  /// The operator keeps rows of it in memory of its own: OperatorContext::cache_bytes().
  bool cached = false;
  /// Optional: how a state with that layout (runtime/topology/state_layout.h) is taken over by
  /// `huiliu run
  /// --from`; nothing if it cannot be. In place it is refused all the same.
  std::function<std::optional<Adoption>(std::string_view layout)> adopt = {};
  /// Optional: whether what a state with that layout holds is understood as it is.
  std::function<bool(std::string_view layout)> accepts = {};
  std::string remedy = {};  ///< what else to do about a layout that is refused; "" = nothing
};

/// What an operator says of itself when a topology is planned: filled in by OperatorType::declare.
class Declaration {
 public:
  Declaration(const Config& checked_config, std::vector<const Schema*> input_schemas,
              Diagnostics& found)
      : config(checked_config), inputs(std::move(input_schemas)), diagnostics(found) {}

  const Config& config;               ///< checked, with defaults
  const Config* backend = nullptr;    ///< the topology's `backend:`; null if there is none
  std::vector<const Schema*> inputs;  ///< one per stream of `input:`, in order
  Diagnostics& diagnostics;

  const Schema& input() const { return *inputs.front(); }
  /// Index of the input's field named by config[option]; reports an error (and returns 0) if there
  /// is no such field.
  std::size_t field(const Config& node);

  /// The fields by which records of this input are routed.
  const std::vector<std::string>& key_of(std::size_t input) const {
    return input_keys.empty() ? key_fields : input_keys[input];
  }

  // Results.
  Schema output;                                             ///< main output
  std::vector<std::pair<std::string, Schema>> side_outputs;  ///< in the descriptor's order
  /// Side outputs, "" for the main one, whose records may take back earlier ones (Record::change).
  /// Those of an operator that passes on what it gets need not be named.
  std::vector<std::string> changing_outputs;
  std::vector<std::string> key_fields;  ///< keyed operators: records are routed by these
  /// Where inputs have schemas of their own (Descriptor::inputs): the key's fields of each, in the
  /// order of `key_fields`, which are those of the first. Empty: all have `key_fields`.
  std::vector<std::vector<std::string>> input_keys;
  std::vector<TableDeclaration> tables;

  /// What declare() made of the options, for those that are handed the declaration later: options
  /// are parsed, and their defaults stated, in one place.
  template <class Settings>
  void keep(Settings settings) {
    settings_ = std::make_shared<const Settings>(std::move(settings));
  }
  /// Throws std::bad_any_cast if declare() has kept nothing, or something else.
  template <class Settings>
  const Settings& kept() const {
    return *std::any_cast<const std::shared_ptr<const Settings>&>(settings_);
  }

 private:
  std::any settings_;
};

/// Given to an operator when its thread opens it. References live as long as the operator.
class OperatorContext {
 public:
  virtual ~OperatorContext() = default;
  virtual const std::string& node_name() const = 0;
  /// The thread's part of a table that declare() named. Shard of a record:
  /// shard_of(record.key_hash).
  virtual Result<state::Table*> table(std::string_view name) = 0;
  virtual std::uint16_t shard_of(std::uint64_t key_hash) const = 0;
  /// The thread's shards, ascending: what reaches a keyed operator here is of one of them.
  virtual const std::vector<std::uint16_t>& shards() const = 0;
  virtual Clock& clock() = 0;
  /// Slots that a row of this topology may need; rows an operator makes itself must have as many.
  virtual std::size_t row_slots() const = 0;
  /// Number of the rejudgement that this run is (runtime/component/selection.h): every record was
  /// read, and refused, before. 0: records are new.
  virtual std::uint64_t rejudgement() const { return 0; }
  /// See Operator::on_watermark.
  virtual std::size_t piece_rows() const { return 4096; }
  /// How much memory the operator may take here for rows of its tables that are `cached`: its part
  /// of `state.memory`, in bytes.
  virtual std::uint64_t cache_bytes() const { return 0; }
};

/// One processing step on one thread. Single-threaded; all state in tables; deterministic given its
/// input order and the context's clock.
class Operator {
 public:
  virtual ~Operator() = default;
  /// An error ends the run before anything is read.
  virtual Status open(OperatorContext&) { return Status::ok(); }
  /// Every input record ends in exactly one of out.emit, out.reject, out.drop, out.absorb (the
  /// ledger checks it); further output goes through out.emit_new. `input` is the number of the
  /// stream of `input:` by which the record came.
  virtual void process(std::size_t input, Record& record, Outputs& out) = 0;
  /// A record with this key hash comes soon: a keyed operator may prefetch its row
  /// (Table::prefetch).
  virtual void expect(std::uint64_t /*key_hash*/) {}
  // The engine calls these two for keyed and stateful operators only. What a keyed one makes of its
  // state there comes after Outputs::begin_rows(), so that its order does not depend on threads.
  /// No record with an earlier event time is to come; kEndOfTime at the end of bounded input. What
  /// it makes then is of one slice, so of each shard it makes OperatorContext::piece_rows() records
  /// at most, and the rest when it is called again with the next slices, as long as held_time()
  /// says that there is more.
  virtual void on_watermark(std::int64_t /*watermark_ms*/, Outputs& /*out*/) {}
  /// The earliest event time of what on_watermark() has not made yet, though it is due; kEndOfTime
  /// if there is nothing. Nodes behind it have no later watermark than this.
  virtual std::int64_t held_time() const { return kEndOfTime; }
  /// The last slice of an epoch is done; emit what changed since the last call, if that is wanted.
  virtual void on_epoch(Outputs& /*out*/) {}
  virtual void close() {}
};

struct OperatorType {
  Descriptor descriptor;
  std::function<void(Declaration&)> declare;
  /// `declaration` is the filled one; the operator may keep nothing of it but copies.
  std::function<std::unique_ptr<Operator>(const Declaration&)> create;
};

}  // namespace huiliu::runtime
