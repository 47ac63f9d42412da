#include "state/embedded_backend.h"

namespace huiliu::state {

std::shared_ptr<void> EmbeddedBackend::freeze(Table& table, std::uint64_t epoch) {
  return std::make_shared<Changes>(table.freeze_epoch(epoch));
}

runtime::Status EmbeddedBackend::commit(const runtime::EpochCommit& commit) {
  Commit batch;
  batch.epoch = commit.epoch;
  for (const auto& changes : commit.changes) {
    batch.changes.push_back(static_cast<const Changes*>(changes.get()));
  }
  batch.meta = commit.meta;
  std::vector<LogEntry> entries;
  entries.reserve(commit.appends.size());
  for (const runtime::LogAppend& append : commit.appends) {
    entries.push_back({append.sequence, append.bytes, append.records});
    batch.appends.emplace_back(append.log, &entries.back());
  }
  batch.trims = commit.trims;
  return store_->commit(batch);
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

}  // namespace huiliu::state
