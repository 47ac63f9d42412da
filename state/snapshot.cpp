#include "state/snapshot.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <rapidjson/document.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>
#include <rocksdb/convenience.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/sst_file_writer.h>
#include <unistd.h>

#include "runtime/base/paths.h"
#include "runtime/base/version.h"
#include "state/failpoint.h"
#include "state/layout.h"
#include "state/rocksdb_status.h"
#include "state/table_files.h"

namespace huiliu::state {

using runtime::Result;
using runtime::Status;

namespace {

/// Format 1 did not say how many rows meta.sst and log.sst have.
constexpr int kFormat = 2, kOldestFormat = 1;
constexpr const char* kManifest = "manifest.json";
constexpr const char* kMeta = "meta.sst";
constexpr const char* kLog = "log.sst";

rocksdb::Options file_options() {
  rocksdb::Options options;
  options.compression = rocksdb::kNoCompression;
  for (const auto type : rocksdb::GetSupportedCompressions()) {
    if (type == rocksdb::kLZ4Compression) options.compression = type;
  }
  return options;
}

/// A sorted file that is made only if something comes.
class SortedFile {
 public:
  explicit SortedFile(std::string path) : path_(std::move(path)) {}
  Status put(const rocksdb::Slice& key, const rocksdb::Slice& value) {
    if (rows_++ == 0) {
      if (Status status = from_rocksdb(writer_.Open(path_), path_); !status.is_ok()) return status;
    }
    return from_rocksdb(writer_.Put(key, value), path_);
  }
  Status finish() { return rows_ == 0 ? Status::ok() : from_rocksdb(writer_.Finish(), path_); }
  std::uint64_t rows() const { return rows_; }

 private:
  std::string path_;
  rocksdb::SstFileWriter writer_{rocksdb::EnvOptions(), file_options()};
  std::uint64_t rows_ = 0;
};

Status sync_path(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (synced) return Status::ok();
  return Status::unavailable(path + ": " + std::generic_category().message(error));
}

std::string manifest_of(const SnapshotInfo& info) {
  rapidjson::StringBuffer buffer;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> json(buffer);
  json.SetIndent(' ', 2);
  const auto text = [&](const char* key, const std::string& value) {
    json.Key(key);
    json.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  };
  json.StartObject();
  json.Key("format");
  json.Int(kFormat);
  text("huiliu", runtime::kVersion);
  text("name", info.name);
  text("topology", info.topology);
  text("time", info.time);
  json.Key("epoch");
  json.Uint64(info.epoch);
  json.Key("shards");
  json.Uint(info.shards);
  json.Key("held");
  json.StartArray();
  for (const std::uint16_t shard : info.held) json.Uint(shard);
  json.EndArray();
  json.Key("meta_rows");
  json.Uint64(info.meta_rows);
  json.Key("log_rows");
  json.Uint64(info.log_rows);
  json.Key("tables");
  json.StartArray();
  for (const SnapshotTable& table : info.tables) {
    json.StartObject();
    text("name", table.name);
    text("file", table.file);
    json.Key("rows");
    json.Uint64(table.rows);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

/// Members that are missing or of another type are as if they were 0 or empty.
class Member {
 public:
  explicit Member(const rapidjson::Value& object) : object_(object) {}
  std::string text(const char* name) const {
    const auto found = object_.FindMember(name);
    return found != object_.MemberEnd() && found->value.IsString() ? found->value.GetString() : "";
  }
  std::uint64_t number(const char* name) const {
    const auto found = object_.FindMember(name);
    return found != object_.MemberEnd() && found->value.IsUint64() ? found->value.GetUint64() : 0;
  }
  template <class Visit>
  void items(const char* name, const Visit& visit) const {
    const auto found = object_.FindMember(name);
    if (found == object_.MemberEnd() || !found->value.IsArray()) return;
    for (const auto& item : found->value.GetArray()) visit(item);
  }

 private:
  const rapidjson::Value& object_;
};

constexpr std::uint64_t kUnknownRows = ~0ull;

Result<SnapshotInfo> parse_manifest(const std::string& path) {
  std::ifstream file(path);
  if (!file) return Status::not_found("there is no snapshot: no file " + path);
  std::stringstream bytes;
  bytes << file.rdbuf();
  rapidjson::Document json;
  if (json.Parse(bytes.str().c_str()).HasParseError() || !json.IsObject()) {
    return Status::corrupt(path + " is no manifest of a snapshot");
  }
  const Member top(json);
  const std::uint64_t format = top.number("format");
  if (format < kOldestFormat || format > kFormat) {
    return Status::invalid(fmt::format("{}: format {} is not known to this huiliu ({}), {} is",
                                       path, format, runtime::kVersion, kFormat));
  }
  SnapshotInfo info;
  info.name = top.text("name");
  info.topology = top.text("topology");
  info.time = top.text("time");
  info.epoch = top.number("epoch");
  info.shards = static_cast<std::uint16_t>(top.number("shards"));
  info.meta_rows = format == kOldestFormat ? kUnknownRows : top.number("meta_rows");
  info.log_rows = format == kOldestFormat ? kUnknownRows : top.number("log_rows");
  top.items("held", [&](const auto& item) {
    if (item.IsUint()) info.held.push_back(static_cast<std::uint16_t>(item.GetUint()));
  });
  top.items("tables", [&](const auto& item) {
    if (!item.IsObject()) return;
    const Member table(item);
    info.tables.push_back({table.text("name"), table.text("file"), table.number("rows")});
  });
  return info;
}

Status write_meta(const Reader& reader, const std::string& folder, SnapshotInfo& info) {
  SortedFile file(folder + "/" + kMeta);
  for (const auto& [key, value] : reader.meta("")) {
    if (Status status = file.put(key, value); !status.is_ok()) return status;
  }
  info.meta_rows = file.rows();
  return file.finish();
}

Status write_logs(const Reader& reader, const std::string& folder, SnapshotInfo& info) {
  constexpr std::size_t kStep = 4u << 20;
  SortedFile file(folder + "/" + kLog);
  for (const std::string& log : reader.logs()) {
    for (std::uint64_t after = 0;;) {
      auto entries = reader.read_log(log, after, kStep);
      if (!entries.is_ok()) return entries.status();
      if (entries->empty()) break;
      for (const LogEntry& entry : *entries) {
        std::string value;
        append_big_endian(value, entry.records, 8);
        value += entry.bytes;
        const Status status = file.put(log_key(log, entry.sequence), value);
        if (!status.is_ok()) return status;
      }
      after = entries->back().sequence;
    }
  }
  info.log_rows = file.rows();
  return file.finish();
}

Status write_table(const Reader& reader, const std::string& folder, const SnapshotInfo& info,
                   SnapshotTable& table, const std::function<bool()>& interrupted) {
  constexpr std::uint64_t kAskEvery = 4096;
  SortedFile file(folder + "/" + table.file);
  for (const std::uint16_t shard : info.held) {
    const Status status =
        reader.for_each(table.name, shard, [&](std::string_view key, std::string_view value) {
          if (file.rows() % kAskEvery == 0 && interrupted && interrupted()) {
            return Status::restart("interrupted");
          }
          return file.put(row_key(shard, key), rocksdb::Slice(value.data(), value.size()));
        });
    if (!status.is_ok()) return status;
  }
  table.rows = file.rows();
  if (table.rows == 0) table.file.clear();
  return file.finish();
}

Status write_manifest(const SnapshotInfo& info, const std::string& folder) {
  const std::string path = folder + "/" + kManifest;
  std::ofstream file(path);
  file << manifest_of(info);
  file.close();
  if (!file) return Status::unavailable("cannot write " + path);
  return sync_path(path, O_RDONLY);
}

Status write_all(const Reader& reader, const std::string& folder, SnapshotInfo& info,
                 const std::function<bool()>& interrupted) {
  if (Status status = write_meta(reader, folder, info); !status.is_ok()) return status;
  if (Status status = write_logs(reader, folder, info); !status.is_ok()) return status;
  for (const std::string& name : reader.tables()) {
    SnapshotTable& table = info.tables.emplace_back();
    table.name = name;
    table.file = fmt::format("table-{:03}.sst", info.tables.size());
    Status status = write_table(reader, folder, info, table, interrupted);
    if (!status.is_ok()) return status;
  }
  failpoint("snapshot.before_manifest");
  return write_manifest(info, folder);
}

}  // namespace

Result<SnapshotInfo> Snapshot::write(const Reader& reader, const std::string& folder,
                                     SnapshotInfo info, const std::function<bool()>& interrupted) {
  namespace fs = std::filesystem;
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  info.time = fmt::format("{:%FT%T}Z", now);
  info.epoch = reader.epoch();
  const fs::path target(folder);
  const fs::path partial =
      target.parent_path() / fmt::format(".{}.{}", target.filename().string(), ::getpid());
  std::error_code error;
  if (fs::exists(target, error)) {
    return Status::invalid(folder + " exists already; give the snapshot another name");
  }
  if (Status made = runtime::make_folder(partial.string()); !made.is_ok()) return made;
  fs::permissions(partial, fs::perms::owner_all, error);  // rows may be personal
  Status status = write_all(reader, partial.string(), info, interrupted);
  if (status.is_ok()) status = sync_path(partial.string(), O_RDONLY | O_DIRECTORY);
  if (status.is_ok()) {
    fs::rename(partial, target, error);
    if (error) status = Status::unavailable(folder + ": " + error.message());
  }
  if (!status.is_ok()) {
    fs::remove_all(partial, error);
    return status;
  }
  status = sync_path(fs::absolute(target).parent_path().string(), O_RDONLY | O_DIRECTORY);
  if (!status.is_ok()) return status;
  return info;
}

struct Snapshot::Impl {
  std::string folder;
  SnapshotInfo info;
  std::map<std::string, std::string> meta;
  std::map<std::string, std::unique_ptr<rocksdb::SstFileReader>> files;

  /// A file that the manifest says has `rows`; nobody knows how many if it is of the oldest format.
  Status open_file(const std::string& name, std::uint64_t rows) {
    const std::string path = folder + "/" + name;
    std::error_code error;
    const bool there = !name.empty() && std::filesystem::exists(path, error);
    if (rows == 0 && there) return not_whole(path, "the manifest says that there is none");
    if (rows == 0 || (rows == kUnknownRows && !there && !error)) return Status::ok();
    if (!there) return not_whole(path, "there is no such file");
    if (!check_footer(path).is_ok()) return not_whole(path, "its footer is damaged");
    auto reader = std::make_unique<rocksdb::SstFileReader>(file_options());
    const rocksdb::Status status = reader->Open(path);
    if (!status.ok()) {
      return not_whole(path, status.ToString());
    }
    const auto properties = reader->GetTableProperties();
    if (!properties) return not_whole(path, "it has no properties");
    if (rows != kUnknownRows && properties->num_entries != rows) {
      return not_whole(path, fmt::format("it has {} rows, not the {} of the manifest",
                                         properties->num_entries, rows));
    }
    files[name] = std::move(reader);
    return Status::ok();
  }
  static Status not_whole(const std::string& path, const std::string& why) {
    return Status::corrupt(path + " cannot be read: " + why +
                           ". The snapshot is not whole; use another one");
  }
  std::unique_ptr<rocksdb::Iterator> iterate(const std::string& name) const {
    const auto found = files.find(name);
    if (found == files.end()) return nullptr;
    return std::unique_ptr<rocksdb::Iterator>(found->second->NewIterator({}));
  }
  /// Keys with the prefix, in order.
  template <class Take>
  Status scan(const std::string& name, const std::string& prefix, const Take& take) const {
    const auto it = iterate(name);
    if (!it) return Status::ok();
    for (it->Seek(prefix); it->Valid() && it->key().starts_with(prefix); it->Next()) {
      const std::string_view key(it->key().data(), it->key().size());
      const Status status =
          take(key.substr(prefix.size()), std::string_view(it->value().data(), it->value().size()));
      if (!status.is_ok()) return status;
    }
    return from_rocksdb(it->status(), folder + "/" + name);
  }
};

Snapshot::Snapshot(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Snapshot::~Snapshot() = default;

Result<std::unique_ptr<Snapshot>> Snapshot::open(const std::string& folder) {
  auto impl = std::make_unique<Impl>();
  impl->folder = folder;
  auto info = parse_manifest(folder + "/" + kManifest);
  if (!info.is_ok()) return info.status();
  impl->info = std::move(info.value());
  if (Status status = impl->open_file(kMeta, impl->info.meta_rows); !status.is_ok()) return status;
  if (Status status = impl->open_file(kLog, impl->info.log_rows); !status.is_ok()) return status;
  const Status read = impl->scan(kMeta, "", [&](std::string_view key, std::string_view value) {
    impl->meta.emplace(key, value);
    return Status::ok();
  });
  if (!read.is_ok()) return read;
  for (const SnapshotTable& table : impl->info.tables) {
    if (Status status = impl->open_file(table.file, table.rows); !status.is_ok()) return status;
  }
  return std::unique_ptr<Snapshot>(new Snapshot(std::move(impl)));
}

const SnapshotInfo& Snapshot::info() const { return impl_->info; }

std::vector<std::pair<std::string, std::string>> Snapshot::meta(std::string_view prefix) const {
  std::vector<std::pair<std::string, std::string>> found;
  for (auto it = impl_->meta.lower_bound(std::string(prefix));
       it != impl_->meta.end() && it->first.starts_with(prefix); ++it) {
    found.emplace_back(*it);
  }
  return found;
}

Status Snapshot::for_each(const std::string& table, std::uint16_t shard,
                          const Reader::Visit& visit) const {
  for (const SnapshotTable& one : impl_->info.tables) {
    if (one.name == table) return impl_->scan(one.file, row_key(shard, {}), visit);
  }
  return Status::ok();
}

Status Snapshot::for_each_log(const std::string& log,
                              const std::function<Status(LogEntry)>& visit) const {
  return impl_->scan(kLog, log + '\0', [&](std::string_view key, std::string_view value) {
    return visit(
        {read_big_endian(key), std::string(value.substr(8)), read_big_endian(value.substr(0, 8))});
  });
}

}  // namespace huiliu::state
