#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/status.h"
#include "state/reader.h"

namespace huiliu::state {

struct SnapshotTable {
  std::string name;
  std::string file;  ///< in the snapshot's folder; empty if there are no rows
  std::uint64_t rows = 0;
};

/// What `manifest.json` of a snapshot says.
struct SnapshotInfo {
  std::string name;
  std::string topology;
  std::uint16_t shards = 0;
  std::vector<std::uint16_t> held;  ///< shards whose rows are in it
  std::uint64_t epoch = 0;
  std::string time;                           ///< UTC, ISO 8601
  std::uint64_t meta_rows = 0, log_rows = 0;  ///< of meta.sst and log.sst; there is none without
  std::vector<SnapshotTable> tables;
};

/// A copy of a topology's state as of one epoch, readable on any machine: a folder with a manifest,
/// `meta.sst` (positions and the like), `log.sst` (outboxes) and a file per table. The files are
/// RocksDB's sorted tables; keys are as in the store (state/layout.h). A folder with a manifest is
/// whole and never changes.
class Snapshot {
 public:
  /// Writes a new one. `info` says name, topology, shards and held. kInvalid if the folder exists;
  /// whatever fails leaves nothing under that name.
  /// `interrupted`, asked now and then, ends it with kRestart.
  static runtime::Result<SnapshotInfo> write(const Reader& reader, const std::string& folder,
                                             SnapshotInfo info,
                                             const std::function<bool()>& interrupted = {});
  /// kNotFound if there is none, kCorrupt, with the file's name, if one is missing or not as it was
  /// written.
  static runtime::Result<std::unique_ptr<Snapshot>> open(const std::string& folder);
  ~Snapshot();

  const SnapshotInfo& info() const;
  std::vector<std::pair<std::string, std::string>> meta(std::string_view prefix) const;
  /// Rows of a shard in the order of their keys.
  runtime::Status for_each(const std::string& table, std::uint16_t shard,
                           const Reader::Visit& visit) const;
  runtime::Status for_each_log(const std::string& log,
                               const std::function<runtime::Status(LogEntry)>& visit) const;

 private:
  struct Impl;
  explicit Snapshot(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace huiliu::state
