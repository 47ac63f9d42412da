#include "state/epoch_store.h"

#include <algorithm>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <unistd.h>

#include "runtime/base/paths.h"
#include "runtime/record/key.h"
#include "state/batch.h"
#include "state/epoch_store_impl.h"
#include "state/failpoint.h"
#include "state/folder_lock.h"
#include "state/layout.h"
#include "state/rocksdb_log.h"
#include "state/rocksdb_status.h"
#include "state/table_files.h"

namespace huiliu::state {

using runtime::Result;
using runtime::Status;

namespace {

const std::string kEpochKey = "!epoch";
const std::string kIdentityKey = "!identity";

rocksdb::DBOptions db_options(const StoreOptions& options) {
  rocksdb::DBOptions db;
  db.create_if_missing = true;
  db.create_missing_column_families = true;
  db.max_open_files = 512;
  db.max_background_jobs = 2;
  db.info_log = rocksdb_log();
  db.max_total_wal_size = 256u << 20;
  db.keep_log_file_num = 2;
  db.info_log_level = rocksdb::WARN_LEVEL;
  // A last write torn by a power cut ends the log; everything before it counts.
  db.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  if (options.env != nullptr) db.env = options.env;
  return db;
}

/// Why RocksDB did not open; a lock of somebody else has words of its own.
Status not_opened(const rocksdb::Status& status, const std::string& folder, bool on_disk) {
  // Within one process RocksDB says so itself, and looking at the file would give the lock away.
  const bool own = status.ToString().find("current process") != std::string::npos;
  const pid_t owner = on_disk && status.IsIOError() && !own ? owner_of(folder) : 0;
  if (owner == 0) return from_rocksdb(status, "state " + folder);
  return Status::unavailable(owned_text(folder, owner) +
                             ". End it first, or give this topology another state folder");
}

}  // namespace

bool has_remains(const std::string& folder) {
  // RocksDB writes the first manifest before CURRENT. If that manifest stands alone, a first start
  // ended before it wrote CURRENT, or another process is in its first start now: neither is damage.
  constexpr std::string_view kFirstManifest = "MANIFEST-000001";
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = file.path().filename().string();
    if ((name.starts_with("MANIFEST-") && name != kFirstManifest) || name == "CURRENT" ||
        name.ends_with(".sst") || name.ends_with(".log") || name == LastEpochFile::kName) {
      return true;
    }
  }
  return false;
}

namespace {

// Blobs are written once and deleted soon: large buffers, no compression, no filters.
rocksdb::ColumnFamilyOptions blob_options() {
  rocksdb::ColumnFamilyOptions family;
  family.write_buffer_size = 32u << 20;
  family.compression = rocksdb::kNoCompression;
  // What is merged early is mostly what a sink is about to take: it would be written twice for
  // nothing. Files wait until there are more of them.
  family.level0_file_num_compaction_trigger = 8;
  return family;
}

}  // namespace

rocksdb::ColumnFamilyOptions EpochStore::Impl::table_options() const {
  rocksdb::ColumnFamilyOptions family;
  rocksdb::BlockBasedTableOptions blocks;
  blocks.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10, false));
  blocks.block_cache = cache;
  blocks.block_size = 16 << 10;
  blocks.format_version = 5;
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(blocks));
  family.compression = rocksdb::kNoCompression;
  family.compaction_style = rocksdb::kCompactionStyleUniversal;
  family.write_buffer_size = 4u << 20;
  family.level0_file_num_compaction_trigger = 8;
  return family;
}

Result<std::unique_ptr<EpochStore>> EpochStore::open(const std::string& folder,
                                                     const StoreOptions& options) {
  auto impl = std::make_unique<Impl>();
  impl->folder = folder;
  impl->options = options;
  impl->cache = rocksdb::NewLRUCache(std::max<std::uint64_t>(8u << 20, options.memory_bytes / 8));
  if (options.env == nullptr) {
    if (Status made = runtime::make_folder(folder); !made.is_ok()) return made;
    if (Status sound = check_footers(folder); !sound.is_ok()) return sound;
  }
  rocksdb::DBOptions db = db_options(options);
  db.listeners.push_back(impl->errors);
  std::vector<std::string> names;
  const rocksdb::Status listed = rocksdb::DB::ListColumnFamilies(db, folder, &names);
  if (!listed.ok()) {
    // What cannot be read now, as when too many files are open, says nothing of the state.
    if (listed.IsIOError() && !listed.IsPathNotFound()) {
      return from_rocksdb(listed, "state " + folder);
    }
    // RocksDB would begin a new state over the rest of the old one.
    if (options.env == nullptr && has_remains(folder)) {
      return damaged("state " + folder + ": " + listed.ToString());
    }
    names = {"default"};
  }
  for (const char* needed : {"changelog", "log"}) {
    if (std::find(names.begin(), names.end(), needed) == names.end()) names.push_back(needed);
  }
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const std::string& name : names) {
    const bool table = name.starts_with(kTablePrefix);
    descriptors.emplace_back(name, table ? impl->table_options() : blob_options());
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(db, folder, descriptors, &handles, &opened);
  if (!status.ok()) return not_opened(status, folder, options.env == nullptr);
  impl->db.reset(opened);
  for (std::size_t i = 0; i < names.size(); ++i) impl->families[names[i]] = handles[i];
  impl->meta = impl->families.at("default");
  impl->changelog = impl->families.at("changelog");
  impl->log = impl->families.at("log");
  if (Status sound = impl->open_meta(); !sound.is_ok()) return sound;
  if (Status owned = impl->claim(); !owned.is_ok()) return owned;
  if (!options.synchronous_flush) {
    impl->flusher = runtime::Thread([state = impl.get()] { state->run_flusher(); });
  }
  return std::unique_ptr<EpochStore>(new EpochStore(std::move(impl)));
}

Result<std::string> EpochStore::Impl::value_of(rocksdb::ColumnFamilyHandle* family,
                                               const std::string& key) const {
  std::string value;
  const rocksdb::Status status = db->Get({}, family, key, &value);
  if (status.IsNotFound()) return std::string();
  if (!status.ok()) return from_rocksdb(status, "state " + folder);
  return value;
}

/// The epoch that the state ends at. A state without one has nothing in it.
Status EpochStore::Impl::open_meta() {
  auto value = value_of(meta, kEpochKey);
  if (!value.is_ok()) return value.status();
  if (!value->empty()) {
    epoch = read_big_endian(*value);
  } else {
    const std::unique_ptr<rocksdb::Iterator> it(db->NewIterator({}, meta));
    for (it->SeekToFirst(); it->Valid() && it->key().starts_with("!"); it->Next()) {
    }
    if (it->Valid()) return damaged("state " + folder + " has positions, but no epoch");
    if (!it->status().ok()) return from_rocksdb(it->status(), "state " + folder);
  }
  if (options.env != nullptr) return Status::ok();
  last_epoch_file = std::make_unique<LastEpochFile>(folder);
  const std::uint64_t known = last_epoch_file->read();
  if (known <= epoch || mutant("state.last_epoch_unread")) return Status::ok();
  return damaged(
      fmt::format("state {} ends at epoch {}, but epoch {} was committed: the log was cut", folder,
                  epoch.load(), known));
}

/// The identity is that of the topology. A start that failed before its first commit has left an
/// identity, and nothing else.
Status EpochStore::Impl::claim() {
  auto value = value_of(meta, kIdentityKey);
  if (!value.is_ok()) return value.status();
  if (epoch > 0 && !value->empty()) {
    if (*value == options.identity) return Status::ok();
    return Status::invalid("the state in " + folder + " belongs to '" + *value + "', not to '" +
                           options.identity + "'; use another state folder, or remove this one");
  }
  if (options.identity.empty()) return Status::ok();
  rocksdb::WriteOptions sync;
  sync.sync = true;
  return from_rocksdb(db->Put(sync, meta, kIdentityKey, options.identity), "state " + folder);
}

EpochStore::EpochStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EpochStore::~EpochStore() = default;

EpochStore::Impl::~Impl() {
  stop = true;
  {
    const std::lock_guard lock(mutex);
    changed.notify_all();
  }
  if (flusher.joinable()) flusher.join();
  tables.clear();
  for (auto& [name, handle] : families) db->DestroyColumnFamilyHandle(handle);
}

std::uint64_t EpochStore::last_epoch() const { return impl_->epoch; }

std::vector<std::pair<std::string, std::string>> EpochStore::meta(std::string_view prefix) const {
  std::vector<std::pair<std::string, std::string>> found;
  std::unique_ptr<rocksdb::Iterator> it(impl_->db->NewIterator({}, impl_->meta));
  const rocksdb::Slice start(prefix.data(), prefix.size());
  for (it->Seek(start); it->Valid() && it->key().starts_with(start); it->Next()) {
    if (it->key().ToString().starts_with("!")) continue;
    found.emplace_back(it->key().ToString(), it->value().ToString());
  }
  require(it->status(), "state " + impl_->folder);
  return found;
}

Status EpochStore::Impl::resume() {
  if (!errors->unresolved) return Status::ok();
  const rocksdb::Status status = db->Resume();
  // Damage that merging has found does not pass.
  if (status.IsCorruption()) return from_rocksdb(status, "state " + folder);
  if (!status.ok()) return Status::unavailable("the state recovers: " + status.ToString());
  errors->unresolved = false;
  return Status::ok();
}

Result<rocksdb::ColumnFamilyHandle*> EpochStore::Impl::family(const std::string& name) {
  const std::string full = kTablePrefix + name;
  const auto found = families.find(full);
  if (found != families.end()) return found->second;
  if (Status sound = resume(); !sound.is_ok()) return sound;
  rocksdb::ColumnFamilyHandle* handle = nullptr;
  const Status status =
      from_rocksdb(db->CreateColumnFamily(table_options(), full, &handle), "table " + name);
  if (!status.is_ok()) return status;
  families[full] = handle;
  return handle;
}

Result<Table*> EpochStore::table(const std::string& name,
                                 const std::vector<std::uint16_t>& shards) {
  const std::lock_guard lock(impl_->mutex);
  auto family = impl_->family(name);
  if (!family.is_ok()) return family.status();
  auto table = std::make_unique<Table::Impl>();
  table->name = name;
  table->shards = shards;
  table->db = impl_->db.get();
  table->family = family.value();
  table->store = this;
  if (Status status = impl_->replay(*table); !status.is_ok()) return status;
  impl_->tables.emplace_back(new Table(std::move(table)));
  impl_->open_tables = impl_->tables.size();
  return impl_->tables.back().get();
}

// What is in RocksDB feeds the filter; the changelog after it goes into memory, to be written
// again.
Status EpochStore::Impl::replay(Table::Impl& table) {
  if (Status sound = check_bounds(table.family, table.name); !sound.is_ok()) return sound;
  for (const std::uint16_t shard : table.shards) {
    if (Status status = replay_rows(table, shard); !status.is_ok()) return status;
    if (Status status = replay_changelog(table, shard); !status.is_ok()) return status;
    if (Status status = check_shard(table, shard); !status.is_ok()) return status;
  }
  for (Entry* entry : table.dirty) entry->dirty = false;
  table.dirty.clear();
  return Status::ok();
}

Status EpochStore::Impl::replay_rows(Table::Impl& table, std::uint16_t shard) {
  const std::unique_ptr<rocksdb::Iterator> rows(db->NewIterator({}, table.family));
  const std::string prefix = row_key(shard, {});
  for (rows->Seek(prefix); rows->Valid() && rows->key().starts_with(prefix); rows->Next()) {
    const std::string_view key(rows->key().data() + 2, rows->key().size() - 2);
    table.filter.add(Generation::tag_of(runtime::KeyBuilder::hash_bytes(key)));
    table.materialised = true;
  }
  if (mutant("state.replay_unchecked")) return Status::ok();
  return from_rocksdb(rows->status(), "table " + table.name);
}

Status EpochStore::Impl::replay_changelog(Table::Impl& table, std::uint16_t shard) {
  auto mark = value_of(table.family, mark_key(shard));
  if (!mark.is_ok()) return mark.status();
  const Sums::Shard key{table.name, shard};
  sums.open(key, read_big_endian(*mark));
  const std::string from = changelog_key(table.name, shard, 0);
  const std::string to = changelog_key(table.name, shard, ~0ull);
  std::vector<std::string> blobs;
  const std::unique_ptr<rocksdb::Iterator> it(db->NewIterator({}, changelog));
  for (it->Seek(from); it->Valid() && it->key().compare(to) <= 0; it->Next()) {
    blobs.push_back(it->value().ToString());
    const std::string_view at(it->key().data(), it->key().size());
    const std::uint64_t blob_epoch = read_big_endian(at.substr(at.size() - 8));
    sums.found(key, blob_epoch, blob_hash(blob_epoch, blobs.back()));
  }
  if (!it->status().ok()) return from_rocksdb(it->status(), "changelog of " + table.name);
  if (mutant("state.replay_skips_last") && !blobs.empty()) blobs.pop_back();
  for (const std::string& blob : blobs) {
    table.changelog_bytes += blob.size();
    const bool whole =
        read_changes(blob, [&](bool tombstone, std::string_view row, std::string_view value) {
          table.write(shard, row, runtime::KeyBuilder::hash_bytes(row), value, tombstone);
        });
    if (!whole) return damaged("the changelog of " + table.name + " cannot be read");
  }
  return Status::ok();
}

Status EpochStore::Impl::check_shard(const Table::Impl& table, std::uint16_t shard) {
  const ShardSum found = sums.of({table.name, shard});
  const auto refuse = [&](const std::string& why) {
    return damaged(fmt::format("state {}, table {}, shard {}: {}", folder, table.name, shard, why));
  };
  if (mutant("state.sums_unchecked")) return Status::ok();
  if (found.written > epoch) {
    return refuse(fmt::format("its files have the rows of epoch {}, the log ends at epoch {}",
                              found.written, epoch.load()));
  }
  auto saved = value_of(meta, sum_key(table.name, shard));
  if (!saved.is_ok()) return saved.status();
  if (saved->empty()) return Status::ok();  // of a version that wrote none, or nothing yet
  const auto sum = ShardSum::parse(*saved);
  if (!sum) return refuse("what the log says of it cannot be read");
  if (found.written < sum->written) {
    return refuse(fmt::format("its files have the rows of epoch {}, the log says epoch {}",
                              found.written, sum->written));
  }
  if (found.blobs != sum->blobs || found.digest != sum->digest) {
    return refuse(fmt::format("its changelog has {} parts, the log says {}{}", found.blobs,
                              sum->blobs, found.blobs == sum->blobs ? " of other content" : ""));
  }
  return Status::ok();
}

namespace {

// A batch that grows by doubling needs three times its size for a moment.
std::size_t size_of(const Commit& commit) {
  constexpr std::size_t kOverhead = 64;
  std::size_t bytes = 0;
  for (const Changes* changes : commit.changes) {
    for (const auto& [shard, blob] : changes->blobs) bytes += blob.size() + kOverhead;
  }
  for (const auto& [key, value] : commit.meta) bytes += key.size() + value.size() + kOverhead;
  for (const auto& [log, entry] : commit.appends) bytes += entry->bytes.size() + kOverhead;
  return bytes + kOverhead;
}

}  // namespace

Status EpochStore::commit(const Commit& commit) {
  Batch batch(size_of(commit));
  std::unique_lock sums(impl_->sums.mutex());
  std::vector<std::pair<Sums::Shard, std::uint64_t>> hashes;
  for (const Changes* changes : commit.changes) {
    for (const auto& [shard, blob] : changes->blobs) {
      batch.put(impl_->changelog, changelog_key(changes->table, shard, commit.epoch), blob);
      hashes.emplace_back(Sums::Shard(changes->table, shard), blob_hash(commit.epoch, blob));
      const auto& [key, hash] = hashes.back();
      batch.put(impl_->meta, sum_key(changes->table, shard),
                impl_->sums.with(key, commit.epoch, hash).to_bytes());
    }
  }
  for (const auto& [key, value] : commit.meta) {
    if (value.empty()) {
      batch.erase(impl_->meta, key);
    } else {
      batch.put(impl_->meta, key, value);
    }
  }
  for (const auto& [log, entry] : commit.appends) {
    std::string head;
    append_big_endian(head, entry->records, 8);
    batch.put(impl_->log, log_key(log, entry->sequence), head, entry->bytes);
  }
  for (const auto& [log, last] : commit.trims) {
    batch.erase(impl_->log, log_key(log, 0), log_key(log, last + 1));
  }
  std::string epoch;
  append_big_endian(epoch, commit.epoch, 8);
  batch.put(impl_->meta, kEpochKey, epoch);
  if (Status sound = impl_->resume(); !sound.is_ok()) return sound;
  failpoint("commit.before_write");
  const Status status = from_rocksdb(batch.write(*impl_->db, !mutant("commit.unsynced")), "commit");
  // The same batch again changes nothing if part of it had been written.
  if (!status.is_ok()) return status;
  failpoint("commit.after_write");
  for (const auto& [key, hash] : hashes) impl_->sums.add(key, commit.epoch, hash);
  sums.unlock();
  if (impl_->last_epoch_file) impl_->last_epoch_file->write(commit.epoch);
  impl_->epoch = commit.epoch;
  impl_->flush_ready();
  const std::lock_guard lock(impl_->mutex);
  return impl_->failure;
}

Result<std::vector<LogEntry>> read_entries(rocksdb::Iterator& it, const std::string& log,
                                           std::uint64_t after, std::size_t max_bytes) {
  std::vector<LogEntry> entries;
  std::size_t bytes = 0;
  const std::string last = log_key(log, ~0ull);
  for (it.Seek(log_key(log, after + 1)); it.Valid() && it.key().compare(last) <= 0; it.Next()) {
    const std::string_view value(it.value().data(), it.value().size());
    const std::string_view key(it.key().data(), it.key().size());
    entries.push_back({read_big_endian(key.substr(key.size() - 8)), std::string(value.substr(8)),
                       read_big_endian(value.substr(0, 8))});
    bytes += value.size();
    if (bytes >= max_bytes) break;
  }
  if (!it.status().ok()) return from_rocksdb(it.status(), "log " + log);
  return entries;
}

Result<std::vector<LogEntry>> EpochStore::read_log(const std::string& log, std::uint64_t after,
                                                   std::size_t max_bytes) const {
  const std::unique_ptr<rocksdb::Iterator> it(impl_->db->NewIterator({}, impl_->log));
  return read_entries(*it, log, after, max_bytes);
}

std::vector<std::string> EpochStore::tables() const {
  std::vector<std::string> names;
  for (const auto& [name, handle] : impl_->families) {
    if (name.starts_with(kTablePrefix)) names.push_back(name.substr(std::strlen(kTablePrefix)));
  }
  return names;
}

std::uint64_t EpochStore::flushes() const { return impl_->flushed; }

}  // namespace huiliu::state
