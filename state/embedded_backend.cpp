#include "state/embedded_backend.h"

#include <numeric>

#include <fmt/format.h>

#include "runtime/base/paths.h"
#include "runtime/component/registry.h"
#include "state/intake/intake_log.h"
#include "state/reader.h"
#include "state/snapshot.h"

namespace huiliu::state {

StoreOptions store_options(const runtime::StateNeeds& needs) {
  StoreOptions options;
  options.identity = fmt::format("{} shards={}", needs.topology_id, needs.shards);
  if (needs.memory_bytes > 0) options.memory_bytes = needs.memory_bytes;
  return options;
}

Commit as_commit(const runtime::EpochCommit& commit, std::vector<LogEntry>& entries) {
  Commit batch;
  batch.epoch = commit.epoch;
  for (const auto& changes : commit.changes) {
    batch.changes.push_back(static_cast<const Changes*>(changes.get()));
  }
  batch.meta = commit.meta;
  entries.reserve(commit.appends.size());
  for (const runtime::LogAppend& append : commit.appends) {
    entries.push_back({append.sequence, append.bytes, append.records});
    batch.appends.emplace_back(append.log, &entries.back());
  }
  batch.trims = commit.trims;
  return batch;
}

std::shared_ptr<void> EmbeddedBackend::freeze(Table& table, std::uint64_t epoch) {
  return std::make_shared<Changes>(table.freeze_epoch(epoch));
}

runtime::Status EmbeddedBackend::commit(const runtime::EpochCommit& commit) {
  std::vector<LogEntry> entries;
  return store_->commit(as_commit(commit, entries));
}

runtime::Result<std::vector<runtime::OutboxEntry>> EmbeddedBackend::read_log(
    const std::string& log, std::uint64_t after, std::size_t max_bytes) {
  auto entries = store_->read_log(log, after, max_bytes);
  if (!entries.is_ok()) return entries.status();
  std::vector<runtime::OutboxEntry> result;
  for (LogEntry& entry : entries.value()) {
    result.push_back({entry.sequence, std::move(entry.bytes), entry.records});
  }
  return result;
}

runtime::Result<std::uint64_t> EmbeddedBackend::snapshot(const runtime::SnapshotRequest& request) {
  SnapshotInfo info;
  info.name = request.name;
  info.topology = request.topology;
  info.shards = request.shards;
  info.held.resize(request.shards);
  std::iota(info.held.begin(), info.held.end(), std::uint16_t{0});
  const auto reader = Reader::of(*store_);
  const auto written = Snapshot::write(*reader, request.folder, info, request.interrupted);
  if (!written.is_ok()) return written.status();
  return written.value().epoch;
}

runtime::Result<std::shared_ptr<runtime::Intake>> EmbeddedBackend::open_intake(
    const std::string& source, const runtime::IntakeOptions& options) {
  if (folder_.empty()) return Backend::open_intake(source, options);
  const std::string folder = folder_ + "/" + kIntakes + "/" + source;
  HUILIU_RETURN_IF_ERROR(runtime::make_folder(folder));
  auto log = IntakeLog::open(folder, options);
  if (!log.is_ok()) return log.status();
  return std::shared_ptr<runtime::Intake>(std::move(log.value()));
}

namespace {

const runtime::Registration registration(runtime::BackendType{
    .descriptor =
        {.name = "embedded",
         .summary = "Commits epochs in a RocksDB of its own; needs no server.",
         .description =
             "Positions of sources, changes of tables and lengths of files are one synced "
             "write in the state folder. For one machine.",
         .example = "type: embedded\n"},
    .open = [](const runtime::BackendContext& context)
        -> runtime::Result<std::unique_ptr<runtime::Backend>> {
      auto store = EpochStore::open(context.state_folder, store_options(context.needs));
      if (!store.is_ok()) return store.status();
      return std::unique_ptr<runtime::Backend>(
          std::make_unique<EmbeddedBackend>(std::move(store.value()), context.state_folder));
    }});

}  // namespace
}  // namespace huiliu::state
