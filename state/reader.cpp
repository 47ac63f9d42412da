#include "state/reader.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_reader.h>

#include "state/epoch_store_impl.h"
#include "state/layout.h"
#include "state/rocksdb_log.h"
#include "state/rocksdb_status.h"
#include "state/table_files.h"

namespace huiliu::state {

using runtime::Result;
using runtime::Status;

namespace {

std::set<std::string> files_in(const std::string& folder) {
  std::set<std::string> names;
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(folder, error)) {
    std::string name = file.path().filename().string();
    // It says which files count: it grows when one is added.
    if (name.starts_with("MANIFEST")) name += ":" + std::to_string(file.file_size(error));
    names.insert(std::move(name));
  }
  return names;
}

rocksdb::Options follower_options() {
  rocksdb::Options options;
  options.max_open_files = -1;  // files that are deleted meanwhile can be read to the end
  options.info_log = rocksdb_log();
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  return options;
}

}  // namespace

struct Reader::Impl {
  std::unique_ptr<rocksdb::DB> own;  // null: another's store
  rocksdb::DB* db = nullptr;
  const rocksdb::Snapshot* snapshot = nullptr;
  std::map<std::string, rocksdb::ColumnFamilyHandle*> families;

  ~Impl() {
    if (snapshot != nullptr) db->ReleaseSnapshot(snapshot);
    if (!own) return;
    for (auto& [name, handle] : families) db->DestroyColumnFamilyHandle(handle);
  }

  rocksdb::ReadOptions options() const {
    rocksdb::ReadOptions read;
    read.snapshot = snapshot;
    read.fill_cache = false;
    return read;
  }
  std::unique_ptr<rocksdb::Iterator> iterate(const std::string& family) const {
    const auto found = families.find(family);
    if (found == families.end()) return nullptr;
    return std::unique_ptr<rocksdb::Iterator>(db->NewIterator(options(), found->second));
  }
  std::string meta_value(const std::string& key) const {
    std::string value;
    const rocksdb::Status status = db->Get(options(), families.at("default"), key, &value);
    if (!status.IsNotFound()) require(status, "state");
    return value;
  }

  /// Changes of a shard that are not in the table's files yet; nothing: erased.
  using Changed = std::map<std::string, std::optional<std::string>, std::less<>>;
  Result<Changed> changed(const std::string& table, std::uint16_t shard) const {
    Changed rows;
    const std::string to = changelog_key(table, shard, ~0ull);
    const auto it = iterate("changelog");
    for (it->Seek(changelog_key(table, shard, 0)); it->Valid() && it->key().compare(to) <= 0;
         it->Next()) {
      const bool whole = read_changes(
          {it->value().data(), it->value().size()},
          [&](bool tombstone, std::string_view key, std::string_view value) {
            rows.insert_or_assign(std::string(key),
                                  tombstone ? std::optional<std::string>() : std::string(value));
          });
      if (!whole) return damaged("the changelog of " + table + " cannot be read");
    }
    if (Status status = from_rocksdb(it->status(), "changelog of " + table); !status.is_ok()) {
      return status;
    }
    return rows;
  }

  /// Whether all parts are of one moment, as a start checks it; `known`: an epoch that they are not
  /// before.
  void verify_moment(std::uint64_t known, std::vector<std::string>& problems) const {
    const std::string value = meta_value("!epoch");
    const std::uint64_t epoch = value.empty() ? 0 : read_big_endian(value);
    if (known > epoch) {
      problems.push_back(
          fmt::format("the state ends at epoch {}, but epoch {} was committed", epoch, known));
    }
    const auto sums = iterate("default");
    constexpr std::string_view kPrefix = "!shard/";
    for (sums->Seek(rocksdb::Slice(kPrefix.data(), kPrefix.size()));
         sums->Valid() && sums->key().starts_with(kPrefix); sums->Next()) {
      const std::string key = sums->key().ToString().substr(kPrefix.size());
      const std::string table = key.substr(0, key.size() - 3);
      const auto shard =
          static_cast<std::uint16_t>(read_big_endian(std::string_view(key).substr(key.size() - 2)));
      const auto saved = ShardSum::parse(sums->value().ToString());
      const ShardSum found = sum_of(table, shard);
      if (saved && found.written <= epoch && found.written >= saved->written &&
          found.blobs == saved->blobs && found.digest == saved->digest) {
        continue;
      }
      problems.push_back(
          fmt::format("table {}, shard {}: files and changelog are not those of epoch {}", table,
                      shard, epoch));
    }
    require(sums->status(), "state");
  }

  ShardSum sum_of(const std::string& table, std::uint16_t shard) const {
    ShardSum sum;
    if (const auto family = families.find(kTablePrefix + table); family != families.end()) {
      std::string mark;
      const rocksdb::Status status = db->Get(options(), family->second, mark_key(shard), &mark);
      if (!status.IsNotFound()) require(status, "table " + table);
      sum.written = read_big_endian(mark);
    }
    const std::string to = changelog_key(table, shard, ~0ull);
    const auto it = iterate("changelog");
    for (it->Seek(changelog_key(table, shard, 0)); it->Valid() && it->key().compare(to) <= 0;
         it->Next()) {
      const std::string_view at(it->key().data(), it->key().size());
      ++sum.blobs;
      sum.digest ^= blob_hash(read_big_endian(at.substr(at.size() - 8)),
                              {it->value().data(), it->value().size()});
    }
    require(it->status(), "changelog of " + table);
    return sum;
  }

  static Result<std::unique_ptr<Impl>> follow(const std::string& folder,
                                              const std::string& scratch) {
    if (Status sound = check_footers(folder); !sound.is_ok()) return sound;
    const rocksdb::Options options = follower_options();
    std::vector<std::string> names;
    const rocksdb::Status listed = rocksdb::DB::ListColumnFamilies(options, folder, &names);
    if (listed.IsPathNotFound() && !has_remains(folder)) {
      return Status::not_found("there is no state in " + folder);
    }
    if (!listed.ok()) return from_rocksdb(listed, "state " + folder);
    for (const char* needed : {"changelog", "log"}) {
      if (std::find(names.begin(), names.end(), needed) != names.end()) continue;
      return Status::not_found("there is no state in " + folder + " yet");  // its first start ended
    }
    std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
    for (const std::string& name : names) {
      descriptors.emplace_back(name, rocksdb::ColumnFamilyOptions());
    }
    auto impl = std::make_unique<Impl>();
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    const rocksdb::Status status =
        rocksdb::DB::OpenAsSecondary(options, folder, scratch, descriptors, &handles, &impl->db);
    if (!status.ok()) return from_rocksdb(status, "state " + folder);
    impl->own.reset(impl->db);
    for (std::size_t i = 0; i < names.size(); ++i) impl->families[names[i]] = handles[i];
    return impl;
  }
  static Result<std::unique_ptr<Impl>> follow_one_moment(const std::string& folder,
                                                         const std::string& scratch);
};

Reader::Reader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Reader::~Reader() = default;

// The list of a table's files is read first, the log after it. Rows that a running process moves
// from the log into a new file in between would be in neither: then all is read again.
Result<std::unique_ptr<Reader::Impl>> Reader::Impl::follow_one_moment(const std::string& folder,
                                                                      const std::string& scratch) {
  constexpr int kTries = 100;
  Status last = Status::ok();
  for (int attempt = 0; attempt < kTries; ++attempt) {
    const std::set<std::string> before = files_in(folder);
    auto impl = follow(folder, scratch);
    if (files_in(folder) == before) return impl;
    last = impl.is_ok()
               ? Status::unavailable("the state in " + folder + " changes too fast to be read")
               : impl.status();
  }
  return last;
}

Result<std::unique_ptr<Reader>> Reader::open(const std::string& folder,
                                             const std::string& scratch) {
  auto impl = Impl::follow_one_moment(folder, scratch);
  if (!impl.is_ok()) return impl.status();
  return std::unique_ptr<Reader>(new Reader(std::move(impl.value())));
}

namespace {

/// Those of the tables are named by a number; others are not finished.
std::set<std::string> table_files_in(const std::string& folder) {
  std::error_code error;
  std::set<std::string> paths;
  for (const auto& file : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = file.path().filename().string();
    if (name.ends_with(".sst") && name.find_first_not_of("0123456789") == name.size() - 4) {
      paths.insert(file.path().string());
    }
  }
  return paths;
}

/// Table files one by one, so that each damaged one is named.
void verify_files(const std::set<std::string>& paths, std::vector<std::string>& problems) {
  for (const std::string& path : paths) {
    if (const Status footer = check_footer(path); !footer.is_ok()) {
      problems.push_back(footer.message());
      continue;
    }
    rocksdb::SstFileReader reader{rocksdb::Options()};
    rocksdb::Status status = reader.Open(path);
    if (status.ok()) status = reader.VerifyChecksum();
    // The process that runs deletes files that it has merged.
    std::error_code error;
    if (status.ok() || !std::filesystem::exists(path, error)) continue;
    problems.push_back(path + ": " + status.ToString());
  }
}

}  // namespace

Result<std::vector<std::string>> Reader::verify(const std::string& folder,
                                                const std::string& scratch) {
  std::vector<std::string> problems;
  const auto note = [&](const Status& status) {
    if (status.is_ok()) return;
    if (std::find(problems.begin(), problems.end(), status.message()) != problems.end()) return;
    problems.push_back(status.message());
  };
  // Before the rest: the process that runs goes on.
  const std::uint64_t known = LastEpochFile::look(folder);
  auto impl = Impl::follow_one_moment(folder, scratch);
  if (!impl.is_ok()) {
    if (impl.status().code() == runtime::StatusCode::kNotFound) return impl.status();
    verify_files(table_files_in(folder), problems);
    note(impl.status());
    return problems;
  }
  // A kill may have left files that are nobody's.
  std::vector<rocksdb::LiveFileMetaData> live;
  (*impl)->db->GetLiveFilesMetaData(&live);
  std::set<std::string> paths;
  for (const rocksdb::LiveFileMetaData& file : live) paths.insert(folder + file.name);
  verify_files(paths, problems);
  for (const auto& [name, handle] : (*impl)->families) {
    const auto it = (*impl)->iterate(name);
    for (it->SeekToFirst(); it->Valid(); it->Next()) {
    }
    note(from_rocksdb(it->status(), name));
  }
  try {
    (*impl)->verify_moment(known, problems);
  } catch (const runtime::StatusError& error) {
    note(error.status());
  }
  return problems;
}

std::unique_ptr<Reader> Reader::of(EpochStore& store) {
  auto impl = std::make_unique<Impl>();
  const std::lock_guard lock(store.impl_->mutex);
  impl->db = store.impl_->db.get();
  impl->families = store.impl_->families;
  impl->snapshot = impl->db->GetSnapshot();
  return std::unique_ptr<Reader>(new Reader(std::move(impl)));
}

std::uint64_t Reader::epoch() const {
  const std::string value = impl_->meta_value("!epoch");
  return value.empty() ? 0 : read_big_endian(value);
}

std::string Reader::identity() const { return impl_->meta_value("!identity"); }

std::vector<std::pair<std::string, std::string>> Reader::meta(std::string_view prefix) const {
  std::vector<std::pair<std::string, std::string>> found;
  const auto it = impl_->iterate("default");
  const rocksdb::Slice start(prefix.data(), prefix.size());
  for (it->Seek(start); it->Valid() && it->key().starts_with(start); it->Next()) {
    if (!it->key().starts_with("!")) {
      found.emplace_back(it->key().ToString(), it->value().ToString());
    }
  }
  require(it->status(), "state");
  return found;
}

std::vector<std::string> Reader::tables() const {
  std::vector<std::string> names;
  for (const auto& [name, handle] : impl_->families) {
    if (name.starts_with(kTablePrefix)) names.push_back(name.substr(std::strlen(kTablePrefix)));
  }
  return names;
}

std::vector<std::string> Reader::logs() const {
  std::vector<std::string> names;
  const auto it = impl_->iterate("log");
  if (!it) return names;
  for (it->SeekToFirst(); it->Valid();) {
    const std::string key = it->key().ToString();
    names.push_back(key.substr(0, key.find('\0')));
    it->Seek(names.back() + '\1');
  }
  require(it->status(), "state");
  return names;
}

Result<std::optional<std::string>> Reader::get(const std::string& table, std::uint16_t shard,
                                               std::string_view key) const {
  auto changed = impl_->changed(table, shard);
  if (!changed.is_ok()) return changed.status();
  if (const auto found = changed->find(key); found != changed->end()) return found->second;
  const auto family = impl_->families.find(kTablePrefix + table);
  if (family == impl_->families.end()) return std::optional<std::string>();
  std::string value;
  const rocksdb::Status status =
      impl_->db->Get(impl_->options(), family->second, row_key(shard, key), &value);
  if (status.IsNotFound()) return std::optional<std::string>();
  if (!status.ok()) return from_rocksdb(status, "table " + table);
  return std::optional<std::string>(std::move(value));
}

Status Reader::for_each(const std::string& table, std::uint16_t shard, const Visit& visit) const {
  auto changed = impl_->changed(table, shard);
  if (!changed.is_ok()) return changed.status();
  auto next = changed->begin();
  const auto visit_changed = [&] {
    const auto& [key, value] = *next;
    const Status status = value ? visit(key, *value) : Status::ok();
    ++next;
    return status;
  };
  const auto rows = impl_->iterate(kTablePrefix + table);
  const std::string prefix = row_key(shard, {});
  for (rows ? rows->Seek(prefix) : void(); rows && rows->Valid(); rows->Next()) {
    if (!rows->key().starts_with(prefix)) break;
    const std::string_view key(rows->key().data() + prefix.size(),
                               rows->key().size() - prefix.size());
    while (next != changed->end() && next->first < key) {
      if (Status status = visit_changed(); !status.is_ok()) return status;
    }
    if (next != changed->end() && next->first == key) continue;  // comes with the next round
    if (Status status = visit(key, {rows->value().data(), rows->value().size()}); !status.is_ok()) {
      return status;
    }
  }
  if (rows && !rows->status().ok()) return from_rocksdb(rows->status(), "table " + table);
  while (next != changed->end()) {
    if (Status status = visit_changed(); !status.is_ok()) return status;
  }
  return Status::ok();
}

Result<std::vector<LogEntry>> Reader::read_log(const std::string& log, std::uint64_t after,
                                               std::size_t max_bytes) const {
  return read_entries(*impl_->iterate("log"), log, after, max_bytes);
}

}  // namespace huiliu::state
