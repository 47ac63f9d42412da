#pragma once

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
#include "runtime/component/event_time.h"
#include "runtime/component/figure.h"
#include "runtime/component/intake.h"
#include "runtime/component/operator.h"
#include "runtime/component/outputs.h"
#include "runtime/component/run_parts.h"
#include "runtime/record/arena.h"
#include "runtime/record/record.h"
#include "runtime/record/schema.h"

namespace huiliu::runtime {

class Selection;

/// A change to the durable position of a source: key → value ("" erases). Committed with the epoch
/// that holds the slice.
using PositionChange = std::pair<std::string, std::string>;

/// A part of a source's input with an order and a time of its own: a topic's partition, a file.
using SplitId = std::uint32_t;
inline constexpr SplitId kNoSplit = ~SplitId{0};

struct SplitDescription {
  std::string key;  ///< what the split is known by from run to run; its time is kept under it
  /// There may be nothing of it for long, and windows then wait no longer than `idle`. Otherwise
  /// more of it is there, and windows wait until it is read.
  bool live = false;
  int shard = -1;  ///< which says what process reads it, where several share the work
  /// Of a reader that tells times itself (Slice::told): what was told last. Otherwise the engine
  /// knows it.
  std::int64_t time = kNoEventTime;
};

/// How far a split has come, where its records do not say it.
struct ToldTime {
  std::int64_t time = kNoEventTime;  ///< kNoEventTime: windows wait until there is one
  bool idle = false;                 ///< windows do not wait for it
  std::string saved;  ///< what SourceContext::times holds of it in the next run; "": as it was
};

/// Where a reader says what splits there are. Windows wait for each that was announced, so a reader
/// announces all that it knows of before it gives the first record of any of them, as far as it
/// can.
class Splits {
 public:
  virtual ~Splits() = default;
  virtual SplitId announce(const SplitDescription& /*split*/) { return 0; }
  /// All of it has been given.
  virtual void end(SplitId /*split*/) {}

  /// Takes no notice.
  static Splits& none();
};

/// What is there of a split and has not been read yet.
struct Backlog {
  std::uint64_t amount = 0;
  bool records = false;  ///< of records; else of bytes
};

/// A piece of raw input, cut at record boundaries: the unit of work of a topology. Slices have one
/// total order; results depend on that order only, never on threads.
struct Slice {
  /// Raw, as the source's decoder wants it; readable 64 bytes past the end. The reader replaces
  /// what an earlier slice left here.
  std::string bytes;
  const std::string* partition = nullptr;  ///< interned name of where the bytes come from
  std::uint64_t partition_hash = 0;
  std::uint64_t first_offset = 0;      ///< offset of the first record
  std::uint32_t format = 0;            ///< source's own (e.g. which format or edition the file has)
  std::shared_ptr<const void> detail;  ///< source's own (e.g. a CSV header)
  /// Of a reader that announces some: what the records are of; kNoSplit if none has a time.
  SplitId split = kNoSplit;
  std::vector<PositionChange> positions;  ///< what is true after this slice
  /// Not empty: how far `split` has come, whatever times its records have.
  std::optional<ToldTime> told;
  std::optional<Backlog> backlog;  ///< behind this slice, as far as the reader knows
  /// In a rejudgement: all rows count as selected.
  bool whole = false;
};

enum class ReadResult {
  kSlice,   ///< `slice` is filled
  kIdle,    ///< nothing now; ask again later
  kEnd,     ///< bounded input is exhausted for good
  kFailed,  ///< see failure()
  kRetry,   ///< a dependency is unavailable; ask again with backoff (the reader has logged it)
};

/// What the reader of a source may use.
struct SourceContext {
  std::string node_name;
  std::string topology_id;
  std::string base_folder;  ///< folder of the topology file; relative paths start here
  std::vector<std::pair<std::string, std::string>> positions;  ///< as committed last
  std::vector<std::pair<std::string, std::string>> times;  ///< of splits, by key, as committed last
  std::function<const std::string*(std::string_view)> intern;  ///< partition names
  Clock* clock = nullptr;
  Splits* splits = &Splits::none();
  /// Opens where the source keeps what is sent to it; kInvalid with the remedy if the backend has
  /// no such place. May be empty: the source is opened where nothing is sent to it.
  std::function<Result<std::shared_ptr<Intake>>(const IntakeOptions&)> intake = {};
  /// Of the source that gives a sink's receipts: whether the sink has delivered all that it will
  /// ever get. May be empty: then nobody knows.
  std::function<bool()> nothing_follows = {};
  /// Whether the run has ended: then a reader gives up waiting for others. May be empty.
  std::function<bool()> ending = {};
  RunParts* parts = nullptr;          ///< what readers of the run share; null: nothing
  std::size_t slice_bytes = 1 << 20;  ///< aim of a slice's size
  /// If several processes share the work: this one reads partitions whose number modulo `shards` is
  /// among these. Empty: all.
  std::vector<std::uint16_t> owned_shards = {};
  std::uint16_t shards = 0;
  const Selection* selection =
      nullptr;  ///< of a rejudgement (runtime/component/selection.h); else null
  /// In a rejudgement: selected rows of the partition cannot be had, and why.
  std::function<void(const std::string& partition, const std::string& why)> not_found = {};
  /// Something that should be read is left out, and why; "" takes it back. A bounded run in which
  /// something is left out at its end does not succeed.
  std::function<void(const std::string& name, const std::string& why)> left_out = {};
};

/// Reads raw input in order, on a thread of its own. Called by one thread at a time.
class SourceReader {
 public:
  virtual ~SourceReader() = default;
  /// Continues after the committed positions. Errors that a user must mend are returned.
  virtual Status open(const SourceContext& context) = 0;
  virtual ReadResult read(Slice& slice) = 0;
  /// From now on a read may wait so long for something to come; before, hardly at all. False: it
  /// never waits, and is asked again after a while.
  virtual bool may_wait(std::int64_t /*most_ms*/) { return false; }
  /// Gives nothing of the split until it is held no longer; what comes of it meanwhile waits. Only
  /// asked of readers whose source has the option `alignment`.
  virtual void hold(SplitId /*split*/, bool /*held*/) {}
  /// An epoch with these positions is committed: what is before them is not read again.
  virtual void committed(const std::vector<PositionChange>& /*positions*/) {}
  /// Whether all that is to be read is there, and read() never says kIdle.
  virtual bool is_bounded() const { return false; }
  /// Whether all that was there when it was opened has been given. Only asked after kIdle.
  virtual bool has_caught_up() const { return true; }
  /// Key figures for whoever watches, with labels that do not name the node. Any thread, once it is
  /// open.
  virtual std::vector<Figure> figures() const { return {}; }
  /// Why nothing can be read for now although read() says kIdle, such as servers that do not
  /// answer;
  /// "" = it can. Asked after each read; cheap.
  virtual std::string_view away() const { return {}; }
  /// Whether it announces splits. Otherwise it has one, which is all that it gives.
  virtual bool has_splits() const { return false; }
  /// Why read() said kFailed.
  virtual Status failure() const { return Status::ok(); }
  /// Progress for people: bytes done and in all (0 = unknown).
  virtual std::pair<std::uint64_t, std::uint64_t> progress() const { return {0, 0}; }
};

/// Turns slices into records; one instance per thread. For every row of the slice, in order, calls
/// out.emit or out.reject once, with origin, id and event time set (see
/// DecodeContext::row).
class Decoder {
 public:
  virtual ~Decoder() = default;
  virtual void decode(const Slice& slice, Outputs& out) = 0;
};

/// Given to a decoder: the row it fills again and again.
struct DecoderContext {
  std::size_t row_slots = 0;
  int event_time_field = -1;
};

struct SourceDeclaration : Declaration {
  using Declaration::Declaration;
  EventTime event_time;
  /// Of the source that gives a sink's receipts: what a receipt repeats of the record; else null.
  std::shared_ptr<const Schema> receipt_row;
};

/// Where a record stands for people who open the file it came from.
struct RecordPlace {
  std::string path;
  std::string sheet;       ///< of a workbook
  std::uint64_t line = 0;  ///< of the file, or row of the sheet, as editors count
};

struct SourceType {
  Descriptor descriptor;
  std::function<void(SourceDeclaration&)> declare;
  std::function<std::unique_ptr<SourceReader>(const SourceDeclaration&)> create_reader;
  std::function<std::unique_ptr<Decoder>(const SourceDeclaration&, const DecoderContext&)>
      create_decoder;
  /// Optional: finds the place of a record again; may read the file up to there. Empty when it is
  /// not there (any more).
  std::function<std::optional<RecordPlace>(const SourceDeclaration&, const std::string& base_folder,
                                           const Origin&)>
      locate = {};
  /// Optional: for a rejudgement (runtime/component/selection.h), a reader of the selected rows.
  /// Slices say no positions, unless they are `whole`.
  std::function<std::unique_ptr<SourceReader>(const SourceDeclaration&)> create_rereader = {};
};

}  // namespace huiliu::runtime
