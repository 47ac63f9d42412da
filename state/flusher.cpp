#include <algorithm>

#include <rocksdb/env.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/sst_file_writer.h>
#include <rocksdb/write_batch.h>
#include <spdlog/spdlog.h>

#include "state/batch.h"
#include "state/epoch_store_impl.h"
#include "state/failpoint.h"
#include "state/layout.h"
#include "state/rocksdb_status.h"
#include "state/sorted_entries.h"

namespace huiliu::state {

using runtime::Status;

namespace {

// Writes the entry's row, or its deletion, by `put(row, value)` or `remove(row)`; `row` is scratch.
template <typename Put, typename Remove>
rocksdb::Status write_row(const Entry& entry, std::string& row, Put put, Remove remove) {
  row.clear();
  append_big_endian(row, entry.shard, 2);
  row += entry.key();
  if (entry.tombstone) return remove(row);
  const std::string_view value = entry.value();
  return put(row, rocksdb::Slice(value.data(), value.size()));
}

/// Behind the rows: up to which epoch they are. Rows that are restored from elsewhere have none.
std::vector<std::pair<std::string, std::string>> marks_of(const Frozen& frozen) {
  std::vector<std::pair<std::string, std::string>> marks;
  if (!frozen.logged || mutant("state.mark_lost")) return marks;
  std::string epoch;
  append_big_endian(epoch, frozen.epoch, 8);
  for (const std::uint16_t shard : frozen.shards) marks.emplace_back(mark_key(shard), epoch);
  std::sort(marks.begin(), marks.end());
  return marks;
}

}  // namespace

bool EpochStore::Impl::over_budget(std::uint64_t bytes) const {
  const std::uint64_t all = active_bytes;
  return all >= options.memory_bytes / 2 && bytes >= all / std::max<std::size_t>(1, open_tables);
}

bool EpochStore::wants_epoch() const {
  return impl_->active_bytes >= impl_->options.memory_bytes / 2;
}

bool EpochStore::wants_pause() const { return wants_epoch() && impl_->unwritten > 0; }

void EpochStore::Impl::schedule(std::shared_ptr<Frozen> frozen) {
  const std::lock_guard lock(mutex);
  queue.push_back(std::move(frozen));
  ++unwritten;
}

// A generation may be written only when its last epoch is committed.
std::shared_ptr<Frozen> EpochStore::Impl::next_ready() {
  if (queue.empty()) return nullptr;
  if (queue.front()->epoch > epoch && !mutant("state.flush_uncommitted")) return nullptr;
  auto frozen = queue.front();
  queue.pop_front();
  return frozen;
}

void EpochStore::Impl::flush_ready() {
  if (!options.synchronous_flush) {
    const std::lock_guard lock(mutex);
    changed.notify_all();
    return;
  }
  for (;;) {
    std::shared_ptr<Frozen> frozen;
    {
      const std::lock_guard lock(mutex);
      frozen = next_ready();
    }
    if (!frozen) return;
    if (Status status = flush(*frozen); !status.is_ok()) {
      const std::lock_guard lock(mutex);
      failure = status;
      return;
    }
    frozen->done.store(true, std::memory_order_release);
    --unwritten;
    ++flushed;
  }
}

void EpochStore::Impl::run_flusher() {
  constexpr std::int64_t kFirstPauseMs = 50, kMostPauseMs = 5000;
  std::unique_lock lock(mutex);
  while (!stop) {
    std::shared_ptr<Frozen> frozen = next_ready();
    if (!frozen) {
      changed.wait_for(lock, kFirstPauseMs);
      continue;
    }
    flushing = true;
    lock.unlock();
    std::int64_t pause_ms = kFirstPauseMs;
    for (Status status = flush(*frozen); !stop && !status.is_ok(); status = flush(*frozen)) {
      // What does not pass ends the run at the next commit.
      if (status.code() != runtime::StatusCode::kUnavailable && !mutant("state.flushes_for_ever")) {
        const std::lock_guard failed(mutex);
        failure = status;
        stop = true;
        break;
      }
      // E.g. disk full: what is committed stays in memory and in the changelog.
      spdlog::warn("state: {}; trying again in {} ms", status.message(), pause_ms);
      runtime::sleep_ms(pause_ms);
      pause_ms = std::min(pause_ms * 2, kMostPauseMs);
    }
    if (!stop) ++flushed;
    frozen->done.store(!stop, std::memory_order_release);
    --unwritten;
    lock.lock();
    flushing = false;
    changed.notify_all();
  }
}

void EpochStore::wait_for_flushes() {
  if (impl_->options.synchronous_flush) return impl_->flush_ready();
  std::unique_lock lock(impl_->mutex);
  impl_->changed.wait(lock, [&] {
    const bool ready = !impl_->queue.empty() && impl_->queue.front()->epoch <= impl_->epoch;
    return impl_->stop || (!impl_->flushing && !ready);
  });
}

Status EpochStore::Impl::write_sst(const Frozen& frozen, const std::string& path) {
  rocksdb::Options sst_options(rocksdb::DBOptions(), table_options());
  if (options.env != nullptr) sst_options.env = options.env;
  // The last writing may have been cut off when the file was a table's already, under a second
  // name: opening it would empty the table.
  rocksdb::Env* const files = options.env != nullptr ? options.env : rocksdb::Env::Default();
  if (!mutant("state.overwrite_ingested")) {
    if (Status status = delete_if_there(*files, path); !status.is_ok()) return status;
  }
  rocksdb::SstFileWriter writer(rocksdb::EnvOptions(), sst_options, frozen.family);
  if (Status status = from_rocksdb(writer.Open(path), path); !status.is_ok()) return status;
  std::string row;
  for (const auto& [head, entry] : sorted_entries(*frozen.entries)) {
    const rocksdb::Status added = write_row(
        *entry, row, [&](const auto& key, const auto& value) { return writer.Put(key, value); },
        [&](const auto& key) { return writer.Delete(key); });
    if (!added.ok()) return from_rocksdb(added, path);
  }
  for (const auto& [key, value] : marks_of(frozen)) {
    if (rocksdb::Status added = writer.Put(key, value); !added.ok()) {
      return from_rocksdb(added, path);
    }
  }
  return from_rocksdb(writer.Finish(), path);
}

Status EpochStore::Impl::trim_changelog(const Frozen& frozen) {
  Batch batch;
  const std::lock_guard lock(sums.mutex());
  for (const std::uint16_t shard : frozen.shards) {
    batch.erase(changelog, changelog_key(frozen.table, shard, 0),
                changelog_key(frozen.table, shard, frozen.epoch + 1));
    if (!frozen.logged) continue;
    batch.put(meta, sum_key(frozen.table, shard),
              sums.trimmed({frozen.table, shard}, frozen.epoch).to_bytes());
  }
  if (Status status = resume(); !status.is_ok()) return status;
  const Status status = from_rocksdb(batch.write(*db), "changelog of " + frozen.table);
  if (!status.is_ok() || !frozen.logged) return status;
  for (const std::uint16_t shard : frozen.shards) sums.trim({frozen.table, shard}, frozen.epoch);
  return status;
}

// After an error RocksDB 7.8 cannot ingest files until it is opened anew: rows are written in
// batches until then, which is about twenty times as slow as a table file.
Status EpochStore::Impl::write_rows(const Frozen& frozen) {
  constexpr std::size_t kBatchBytes = 1 << 20;
  rocksdb::WriteBatch batch;
  rocksdb::WriteOptions write;
  write.sync = true;
  std::string row;
  rocksdb::Status status;
  const auto add = [&](const Entry& entry, std::uint32_t) {
    if (status.ok()) {
      status = write_row(
          entry, row,
          [&](const auto& key, const auto& value) { return batch.Put(frozen.family, key, value); },
          [&](const auto& key) { return batch.Delete(frozen.family, key); });
    }
    if (!status.ok() || batch.GetDataSize() < kBatchBytes) return;
    status = db->Write(write, &batch);
    batch.Clear();
  };
  frozen.entries->for_each(add);
  for (const auto& [key, value] : marks_of(frozen)) {
    if (status.ok()) status = batch.Put(frozen.family, key, value);
  }
  if (status.ok()) status = db->Write(write, &batch);
  return from_rocksdb(status, "table " + frozen.table);
}

Status EpochStore::Impl::ingest(const Frozen& frozen) {
  const std::string path = folder + "/flush-" + std::to_string(sst_number++ % 2) + ".sst";
  if (Status status = write_sst(frozen, path); !status.is_ok()) return status;
  failpoint("flush.after_sst");
  return take_over(frozen.family, path);
}

Status EpochStore::Impl::check_bounds(rocksdb::ColumnFamilyHandle* family,
                                      const std::string& table) const {
  rocksdb::ColumnFamilyMetaData files;
  db->GetColumnFamilyMetaData(family, &files);
  for (const auto& level : files.levels) {
    for (const auto& file : level.files) {
      if (!file.smallestkey.empty() && file.smallestkey <= file.largestkey) continue;
      return damaged("table " + table + ": it is not known which rows are in " + file.db_path +
                     file.name);
    }
  }
  return Status::ok();
}

// RocksDB 7.8 passes over a failing read of the file's first or last row, and notes for good that
// no rows are in it. The blocks with these rows are held in the cache meanwhile: it does not read
// them.
Status EpochStore::Impl::take_over(rocksdb::ColumnFamilyHandle* family, const std::string& path) {
  rocksdb::Options file_options(rocksdb::DBOptions(), table_options());
  if (options.env != nullptr) file_options.env = options.env;
  rocksdb::SstFileReader file(file_options);
  if (Status status = from_rocksdb(file.Open(path), path); !status.is_ok()) return status;
  rocksdb::ReadOptions held;
  held.pin_data = true;
  const std::unique_ptr<rocksdb::Iterator> ends(file.NewIterator(held));
  if (!mutant("state.ends_unread")) {
    ends->SeekToFirst();
    if (Status status = from_rocksdb(ends->status(), path); !status.is_ok()) return status;
    ends->SeekToLast();
    if (Status status = from_rocksdb(ends->status(), path); !status.is_ok()) return status;
  }
  rocksdb::IngestExternalFileOptions ingestion;
  ingestion.move_files = true;
  ingestion.verify_checksums_before_ingest = true;
  return from_rocksdb(db->IngestExternalFile(family, {path}, ingestion), path);
}

// The order matters: rows are durable before their changelog goes. All of it may be repeated.
Status EpochStore::Impl::flush(const Frozen& frozen) {
  if (mutant("state.trim_early")) {
    if (Status status = trim_changelog(frozen); !status.is_ok()) return status;
  }
  if (Status status = resume(); !status.is_ok()) return status;
  failpoint("flush.before_sst");
  const Status written = errors->seen ? write_rows(frozen) : ingest(frozen);
  if (!written.is_ok()) return written;
  failpoint("flush.after_ingest");
  if (Status status = trim_changelog(frozen); !status.is_ok()) return status;
  failpoint("flush.after_trim");
  return Status::ok();
}

}  // namespace huiliu::state
