#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/status.h"
#include "runtime/component/figure.h"
#include "runtime/component/intake.h"
#include "runtime/component/operator.h"
#include "runtime/record/record.h"
#include "runtime/record/schema.h"

namespace huiliu::runtime {

/// Turns records into bytes on the engine's threads; one instance per thread and input stream.
class SinkEncoder {
 public:
  virtual ~SinkEncoder() = default;
  /// Appends the record's bytes to `out` and returns null. Or says why it refuses the record: then
  /// `out` is as before, and the reject's text lives until the next call. Only types whose
  /// descriptor has `rejects` may refuse.
  virtual const Reject* encode(const Record& record, std::string& out) = 0;
};

/// A backend's own transaction that sinks of the same system take part in: the connector knows what
/// is behind it.
class LogTransaction {
 public:
  virtual ~LogTransaction() = default;
};

struct SinkContext {
  std::string node_name;
  std::string base_folder;
  std::string topology = {};
  std::vector<std::pair<std::string, std::string>> positions;  ///< as committed last
  /// Of a sink that keeps no position: the last entry of which the state knows that it was applied.
  std::uint64_t delivered = 0;
  Clock* clock = nullptr;
  LogTransaction* transaction = nullptr;  ///< of the backend; null if it has none
  bool rejudges = false;                  ///< the rows are judged again: they came before
  /// Of several workers' shards those of this process; empty: all. Then the keys of positions are
  /// "SHARD" or "SHARD/REST", so that whoever owns the shard has them.
  std::vector<std::uint16_t> owned_shards = {};
  /// Whether the topology is to end: then the sink gives up waiting for others. May be null.
  std::function<bool()> ending = {};
  /// Of a sink whose receipts somebody reads (SinkDeclaration::receipts_read): where it says what
  /// became of records, before its position moves on. Else null.
  std::shared_ptr<Intake> receipts = {};
};

/// How far the input of one shard has come in event time at the end of an epoch, as far as it
/// reaches a sink. Only what is known is said.
struct ShardTime {
  enum class State : std::uint8_t {
    kTime,  ///< no record with an earlier time is to come
    kIdle,  ///< nothing has come for so long that nobody waits; `time` was reached before
    kNone,  ///< there is no such input
  };
  std::uint16_t shard = 0;
  State state = State::kNone;
  std::int64_t time = kNoEventTime;
  bool operator==(const ShardTime&) const = default;
};

/// A sink whose length is part of the epoch's commit (files). Used by the committer thread only.
class EpochSink {
 public:
  virtual ~EpochSink() = default;
  /// Opens and cuts back whatever was written after the committed positions.
  virtual Status open(const SinkContext& context) = 0;
  /// Encoded records in their order.
  virtual Status append(std::string_view bytes, std::uint64_t records) = 0;
  /// Of the engine's own sinks: called before prepare().
  virtual void reached(const std::vector<ShardTime>& /*times*/) {}
  /// Makes everything appended durable and says the positions to commit with the epoch.
  virtual Status prepare(std::vector<std::pair<std::string, std::string>>& positions) = 0;
  /// The positions that prepare() said last are committed.
  virtual void committed() {}
  /// Called now and then between commits, also when nothing comes in: the time for work beside the
  /// commits, which wait meanwhile. `stopping`: the topology is about to stop before its input has
  /// ended. kUnavailable is logged, and the topology goes on; other errors stop it.
  virtual Status settle(bool /*stopping*/) { return Status::ok(); }
  /// Asked before a start from a snapshot, with its positions and before anything is opened: true
  /// if what the sink wrote is as it was then and goes on, false if there is nothing and it starts
  /// afresh; kInvalid if it cannot be either, with the remedy.
  virtual Result<bool> fits(const SinkContext& /*context*/) { return true; }
  /// What it says of itself to whoever watches: of what is committed. Asked after open() and then
  /// twice a second at most, after committed().
  virtual std::vector<Figure> figures() const { return {}; }
  /// The topology ended (bounded input done, last epoch committed): finish files.
  virtual Status finish() { return Status::ok(); }
};

/// One committed entry of a sink's outbox: records encoded by its SinkEncoder, concatenated.
struct OutboxEntry {
  std::uint64_t sequence = 0;
  std::string bytes;
  std::uint64_t records = 0;
};

/// A sink fed from its outbox log after the commit (databases, push targets). Used by its own
/// delivery thread only. apply() stores the position in the same transaction as the rows, so that
/// redelivery changes nothing; a sink whose receiver takes part in no transaction says that it
/// keeps no position.
class OutboxSink {
 public:
  virtual ~OutboxSink() = default;
  /// kUnavailable: the topology starts all the same, records wait in the outbox, and this is called
  /// again until it succeeds. Whoever waits in here looks at `ending`.
  virtual Status open(const SinkContext& context) = 0;
  /// If not, the position commits with the epochs, after the entries were applied. After a crash
  /// those since the last commit come once more, with the same sequences and bytes, and the sink
  /// must apply them so that its receiver knows them again. They come one by one, so that few do.
  virtual bool keeps_position() const { return true; }
  /// Sequence of the last entry applied, 0 if none; asked once after open() if it keeps one.
  virtual Result<std::uint64_t> position() { return std::uint64_t{0}; }
  /// kUnavailable → retried with backoff; other errors stop the topology.
  virtual Status apply(const std::vector<OutboxEntry>& entries) = 0;
  /// What it says of itself to whoever watches; any thread, also during apply().
  virtual std::vector<Figure> figures() const { return {}; }
  /// All entries of a bounded run are applied.
  virtual Status finish() { return Status::ok(); }
};

struct SourceDeclaration;

struct SinkDeclaration : Declaration {
  using Declaration::Declaration;
  /// The topology's sources, which outlive the declaration.
  std::map<std::string, const SourceDeclaration*> sources;
  /// What the rows that the sink has written look like, such as "format=csv": one of another layout
  /// does not go on with them (runtime/topology/state_layout.h). "" = nothing that matters.
  std::string layout;
  /// What encoded records in an outbox look like, such as their columns: entries of another form
  /// must be delivered by the version that wrote them. "" = they describe themselves.
  std::string entries;
  /// Which part of the file at its option `path` it writes, such as a table; "" = the whole file.
  std::string part;
  bool shares_part = false;  ///< another sink may write the same part, since rows have keys
  /// A node reads what becomes of the records (SinkType::receipt_row).
  bool receipts_read = false;
  /// Of an outbox sink: with so many bytes of records that are committed and not applied, sources
  /// that feed it are not read.
  std::uint64_t outbox_bytes = kOutboxBytes;

  static constexpr std::uint64_t kOutboxBytes = 256u << 20;
};

/// The option `outbox`, for a sink that is fed from its outbox.
Option outbox_option();

struct SinkType {
  Descriptor descriptor;
  /// Checks the config against the input schemas; `output` stays empty.
  std::function<void(SinkDeclaration&)> declare;
  /// For input stream number `input`.
  std::function<std::unique_ptr<SinkEncoder>(const SinkDeclaration&, std::size_t input)>
      create_encoder;
  /// Exactly one of the two is set.
  std::function<std::unique_ptr<EpochSink>(const SinkDeclaration&)> create_epoch_sink;
  std::function<std::unique_ptr<OutboxSink>(const SinkDeclaration&)> create_outbox_sink;
  /// Optional, of an outbox sink that learns what becomes of each record: what a receipt repeats of
  /// the record. Then the topology may read SINK.receipts (runtime/topology/receipts.h).
  std::function<Schema(const SinkDeclaration&)> receipt_row = {};
};

}  // namespace huiliu::runtime
