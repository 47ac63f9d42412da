#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/component/descriptor.h"
#include "runtime/component/figure.h"
#include "runtime/component/intake.h"
#include "runtime/component/sink.h"

namespace huiliu::state {
class Table;
struct StoreOptions;
}  // namespace huiliu::state

namespace huiliu::runtime {

/// Records appended to a sink's outbox log by one epoch.
struct LogAppend {
  std::string log;
  std::uint64_t sequence = 0;
  std::string bytes;
  std::uint64_t records = 0;
};

/// Everything an epoch makes true, at once or not at all.
struct EpochCommit {
  std::uint64_t epoch = 0;
  std::vector<std::shared_ptr<void>> changes;             ///< from Backend::freeze
  std::vector<std::pair<std::string, std::string>> meta;  ///< key → value, "" erases
  std::vector<LogAppend> appends;
  std::vector<std::pair<std::string, std::uint64_t>> trims;  ///< log → last sequence to forget
  bool last = false;  ///< the topology is stopping: nothing follows, as far as is known
};

/// What a backend asks of the engine at a moment.
struct Pacing {
  bool end_epoch = false;    ///< tables hold so much in memory that they should be written
  bool empty_epoch = false;  ///< an epoch without input is of use, as when others' work is saved
  bool pause = false;        ///< no input should be read until tables that are full are written
  bool reopen = false;       ///< commit what was begun, and open the backend anew
  /// How many times as many slices as usual may be under way: where commits take long, the work
  /// goes on meanwhile. Fixed while the backend is open.
  unsigned window_factor = 1;
};

/// A copy of the state that is wanted while the run goes on.
struct SnapshotRequest {
  std::string folder;  ///< of the copy; must not exist
  std::string name;
  std::string topology;
  std::uint16_t shards = 0;
  std::function<bool()> interrupted = {};  ///< asked now and then: true ends it with kRestart
};

/// Where epochs commit. Tables belong to the thread that opened them; freeze() runs on it; all else
/// is called by the committer (commit) or by any thread (reads).
class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::uint64_t last_epoch() const = 0;
  virtual std::vector<std::pair<std::string, std::string>> meta(std::string_view prefix) const = 0;
  /// The part of a table that holds `shards`.
  virtual Result<state::Table*> open_table(const std::string& name,
                                           const std::vector<std::uint16_t>& shards) = 0;
  /// All tables are open; no epoch has begun.
  virtual Status opened() { return Status::ok(); }
  /// How the engine is to read and commit now. Cheap; any thread.
  virtual Pacing pacing() const { return {}; }
  /// Takes the epoch's changes out of a table; processing may go on at once.
  virtual std::shared_ptr<void> freeze(state::Table& table, std::uint64_t epoch) = 0;
  /// Where sinks append records that become visible with the epoch; null: nowhere. Kept by the
  /// backend.
  virtual LogTransaction* transaction() { return nullptr; }
  /// Shards that this process works on; empty: all. Fixed while the backend is open.
  virtual std::vector<std::uint16_t> owned_shards() const { return {}; }
  /// After an error, with no thread running: not ok if this process no longer owns what it looked
  /// at, so that the error may be an effect of others' work.
  virtual Status confirm() { return Status::ok(); }
  /// Where the source keeps what is sent to it, as it was left; kInvalid if there is no such place.
  virtual Result<std::shared_ptr<Intake>> open_intake(const std::string& source,
                                                      const IntakeOptions& /*options*/) {
    return Status::invalid(source +
                           ": what is sent to it cannot be kept with this backend yet; use "
                           "`backend: {type: embedded}`");
  }
  /// Durable when it returns ok. kUnavailable may be tried again with the same content.
  virtual Status commit(const EpochCommit& commit) = 0;
  /// Key figures of the store, and of what commits, for whoever watches. Called between commits.
  virtual std::vector<Figure> figures() const { return {}; }
  virtual Result<std::vector<OutboxEntry>> read_log(const std::string& log, std::uint64_t after,
                                                    std::size_t max_bytes) = 0;
  /// Copies the state as of the last committed epoch, and gives that epoch. Any thread; the run
  /// goes on meanwhile. kInvalid if it cannot, or if the folder exists.
  virtual Result<std::uint64_t> snapshot(const SnapshotRequest&) {
    return Status::invalid("this backend makes no snapshots on demand");
  }
};

struct SourceType;
struct SinkType;

/// What a state belongs to: keys "layout/NODE" for nodes ("source file", "operator dedupe with
/// state", "sink file format=csv") and "layout/NODE.TABLE" for tables ("dedupe key=(dept string)
/// seen"). Committed with the state, so that another topology file cannot take it for its own.
using StateLayout = std::vector<std::pair<std::string, std::string>>;

inline constexpr std::string_view kLayoutPrefix = "layout/";

struct TableNeed {
  std::string name;  ///< NODE.TABLE
  const TableDeclaration* declaration = nullptr;
  Place place;  ///< of the node
};

struct OutboxNeed {
  std::string sink;
  Place place;
};

/// A topic between two nodes of a topology that several processes share.
struct RepartitionNeed {
  std::string topic;
  std::string node;  ///< which reads it
  Place place;
};

/// A source or a sink, for a backend that must not collide with what these read and write.
struct Endpoint {
  ComponentKind kind = ComponentKind::kSource;
  std::string type;
  const Config* config = nullptr;
};

/// What a topology asks of its backend (runtime/topology/state_layout.h makes it). The topology
/// outlives it.
struct StateNeeds {
  std::string topology_id;
  std::string folder;                      ///< relative paths of the config start here
  const Config* backend_config = nullptr;  ///< checked, with defaults; null without a `backend:`
  std::int64_t epoch_ms = 0;
  std::uint16_t shards = 0;
  std::uint64_t memory_bytes = 0;  ///< for tables; 0: as the store likes
  StateLayout layout;
  std::vector<TableNeed> tables;
  std::vector<OutboxNeed> outboxes;  ///< of sinks that are fed from the state
  bool shares_work = false;          ///< several processes share the topology
  std::vector<RepartitionNeed> repartitions;
  std::vector<Endpoint> endpoints;

  /// Null if there is none of that name.
  const TableDeclaration* table(std::string_view name) const {
    for (const TableNeed& need : tables) {
      if (need.name == name) return need.declaration;
    }
    return nullptr;
  }
  std::vector<std::uint16_t> all_shards() const {
    std::vector<std::uint16_t> all(shards);
    std::iota(all.begin(), all.end(), std::uint16_t{0});
    return all;
  }
};

/// How far a backend is with reading its state again.
struct RestoreProgress {
  std::string what;                 ///< such as a topic
  std::uint64_t done = 0, all = 0;  ///< in a unit of the backend's
  std::uint64_t bytes = 0;          ///< read so far
};

struct BackendContext {
  StateNeeds needs;
  std::string state_folder;  ///< exists
  /// What the backend keeps between its openings in this process; may be null.
  std::shared_ptr<void>* session = nullptr;
  /// Whether the process is to end; asked while opening takes long. May be empty.
  std::function<bool()> interrupted = {};
  /// Told every few seconds while state is read again, on the thread that opens. May be empty.
  std::function<void(const RestoreProgress&)> restoring = {};
  /// Simulation: where and how the local store keeps its files. May be empty.
  std::function<void(state::StoreOptions&)> adjust_store = {};
};

/// How a backend lets several processes share the work of a topology: what goes to a keyed operator
/// goes through a topic whose partitions are the shards (runtime/topology/repartition.h).
struct RepartitionTypes {
  const SinkType* sink = nullptr;      ///< options: `topic`, `key`, `shards`
  const SourceType* source = nullptr;  ///< option: `topic`
};

struct BackendType {
  Descriptor descriptor;  ///< options of the topology file's `backend:`
  /// Further checks of the section; may be empty.
  std::function<void(const Config& config, Diagnostics& diagnostics)> declare = {};
  /// Further checks of what a topology needs, before it is split for several workers; may be empty.
  std::function<void(const StateNeeds& needs, Diagnostics& diagnostics)> check = {};
  /// At the last committed epoch. kUnavailable and kRestart may be tried again.
  std::function<Result<std::unique_ptr<Backend>>(const BackendContext&)> open;
  /// Whether the section says that several processes share the work; empty: they cannot.
  std::function<bool(const Config& config)> shares_work = {};
  RepartitionTypes repartition = {};
};

}  // namespace huiliu::runtime
