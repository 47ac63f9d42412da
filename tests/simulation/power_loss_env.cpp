#include "tests/simulation/power_loss_env.h"

#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>

namespace huiliu::simulation {
namespace {

using rocksdb::Status;

class CountedFile final : public rocksdb::WritableFileWrapper {
 public:
  CountedFile(std::string name, std::unique_ptr<rocksdb::WritableFile> file, PowerLossEnv& env)
      : WritableFileWrapper(file.get()),
        name_(std::move(name)),
        file_(std::move(file)),
        env_(env) {}

  Status Append(const rocksdb::Slice& bytes) override {
    if (env_.write_fails()) return Status::IOError("simulated");
    env_.wrote(name_, bytes.size());
    return file_->Append(bytes);
  }
  Status Append(const rocksdb::Slice& bytes,
                const rocksdb::DataVerificationInfo& checksum) override {
    env_.wrote(name_, bytes.size());
    return file_->Append(bytes, checksum);
  }
  Status Sync() override {
    if (env_.write_fails()) return Status::IOError("simulated");
    env_.synced(name_);
    return file_->Sync();
  }
  Status Fsync() override {
    env_.synced(name_);
    return file_->Fsync();
  }

 private:
  std::string name_;
  std::unique_ptr<rocksdb::WritableFile> file_;
  PowerLossEnv& env_;
};

class SyncedFolder final : public rocksdb::Directory {
 public:
  SyncedFolder(std::string name, PowerLossEnv& env) : name_(std::move(name)), env_(env) {}
  Status Fsync() override {
    env_.synced_names(name_);
    return Status::OK();
  }
  Status Close() override { return Status::OK(); }

 private:
  std::string name_;
  PowerLossEnv& env_;
};

std::string folder_of(const std::string& name) {
  return std::filesystem::path(name).parent_path().lexically_normal().string();
}

class ReadFile final : public rocksdb::RandomAccessFileWrapper {
 public:
  ReadFile(std::unique_ptr<rocksdb::RandomAccessFile> file, std::uint64_t size, PowerLossEnv& env)
      : RandomAccessFileWrapper(file.get()), file_(std::move(file)), size_(size), env_(env) {}

  Status Read(std::uint64_t offset, std::size_t bytes, rocksdb::Slice* result,
              char* scratch) const override {
    const Status status = file_->Read(offset, bytes, result, scratch);
    return status.ok() ? env_.disturb(*result, scratch, offset + bytes >= size_) : status;
  }
  Status MultiRead(rocksdb::ReadRequest* requests, std::size_t count) override {
    for (std::size_t i = 0; i < count; ++i) {
      rocksdb::ReadRequest& one = requests[i];
      one.status = Read(one.offset, one.len, &one.result, one.scratch);
    }
    return Status::OK();
  }

 private:
  std::unique_ptr<rocksdb::RandomAccessFile> file_;
  std::uint64_t size_;
  PowerLossEnv& env_;
};

}  // namespace

PowerLossEnv::PowerLossEnv()
    : PowerLossEnv(std::unique_ptr<rocksdb::Env>(rocksdb::NewMemEnv(rocksdb::Env::Default()))) {}

PowerLossEnv::PowerLossEnv(std::unique_ptr<rocksdb::Env> memory)
    : EnvWrapper(memory.get()), memory_(std::move(memory)) {}

Status PowerLossEnv::NewWritableFile(const std::string& name,
                                     std::unique_ptr<rocksdb::WritableFile>* file,
                                     const rocksdb::EnvOptions& options) {
  std::unique_ptr<rocksdb::WritableFile> inner;
  const bool fresh = !memory_->FileExists(name).ok();
  const Status status = memory_->NewWritableFile(name, &inner, options);
  if (!status.ok()) return status;
  const std::lock_guard lock(mutex_);
  if (fresh) new_names_.insert(name);
  lengths_[name] = {};
  *file = std::make_unique<CountedFile>(name, std::move(inner), *this);
  return status;
}

Status PowerLossEnv::NewRandomAccessFile(const std::string& name,
                                         std::unique_ptr<rocksdb::RandomAccessFile>* file,
                                         const rocksdb::EnvOptions& options) {
  Status status = memory_->NewRandomAccessFile(name, file, options);
  std::uint64_t size = 0;
  if (status.ok()) status = memory_->GetFileSize(name, &size);
  if (status.ok() && name.ends_with(".sst")) {
    *file = std::make_unique<ReadFile>(std::move(*file), size, *this);
  }
  return status;
}

Status PowerLossEnv::ReopenWritableFile(const std::string& name,
                                        std::unique_ptr<rocksdb::WritableFile>* file,
                                        const rocksdb::EnvOptions& options) {
  std::unique_ptr<rocksdb::WritableFile> inner;
  const Status status = memory_->ReopenWritableFile(name, &inner, options);
  if (status.ok()) *file = std::make_unique<CountedFile>(name, std::move(inner), *this);
  return status;
}

// A name that takes the place of another one counts as on disk: what was there before could not be
// brought back. With it all names are that its folder got before: file systems keep that order.
Status PowerLossEnv::RenameFile(const std::string& from, const std::string& to) {
  const bool replaces = memory_->FileExists(to).ok();
  const Status status = memory_->RenameFile(from, to);
  if (status.ok() && replaces) synced_names(folder_of(to));
  const std::lock_guard lock(mutex_);
  if (status.ok() && new_names_.erase(from) > 0) new_names_.insert(to);
  if (auto moved = lengths_.extract(from); status.ok() && !moved.empty()) {
    lengths_.erase(to);
    moved.key() = to;
    lengths_.insert(std::move(moved));
  }
  return status;
}

Status PowerLossEnv::LinkFile(const std::string& from, const std::string& to) {
  const Status status = memory_->LinkFile(from, to);
  if (!status.ok()) return status;
  const std::lock_guard lock(mutex_);
  lengths_[to] = lengths_[from];
  new_names_.insert(to);
  return status;
}

Status PowerLossEnv::DeleteFile(const std::string& name) {
  const std::lock_guard lock(mutex_);
  lengths_.erase(name);
  new_names_.erase(name);
  return memory_->DeleteFile(name);
}

Status PowerLossEnv::NewDirectory(const std::string& name,
                                  std::unique_ptr<rocksdb::Directory>* directory) {
  const Status status = memory_->NewDirectory(name, directory);
  if (status.ok()) *directory = std::make_unique<SyncedFolder>(name, *this);
  return status;
}

void PowerLossEnv::lose_power(std::uint64_t random) {
  const std::lock_guard lock(mutex_);
  std::mt19937_64 chance(random);
  for (const std::string& name : std::exchange(new_names_, {})) {
    if (chance() % 2 == 0) continue;
    lengths_.erase(name);
    memory_->DeleteFile(name).PermitUncheckedError();
  }
  for (auto& [name, length] : lengths_) {
    const std::uint64_t unsynced = length.written - length.synced;
    if (unsynced == 0) continue;
    length.written = length.synced + random % (unsynced + 1);
    std::string content;
    if (!rocksdb::ReadFileToString(memory_.get(), name, &content).ok()) continue;
    content.resize(length.written);
    // Straight into the memory: what is left is on the disk.
    rocksdb::WriteStringToFile(memory_.get(), content, name, true).PermitUncheckedError();
    length.synced = length.written;
  }
}

void PowerLossEnv::synced_names(const std::string& folder) {
  const std::lock_guard lock(mutex_);
  const std::string same = folder_of(folder + "/");
  std::erase_if(new_names_, [&](const std::string& name) { return folder_of(name) == same; });
}

void PowerLossEnv::wrote(const std::string& name, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  lengths_[name].written += bytes;
}

void PowerLossEnv::fail_writes(std::uint64_t one_in, std::uint64_t seed) {
  const std::lock_guard lock(mutex_);
  write_one_in_ = one_in;
  write_random_.seed(seed);
}

bool PowerLossEnv::write_fails() {
  const std::lock_guard lock(mutex_);
  return write_one_in_ != 0 && write_random_() % write_one_in_ == 0;
}

void PowerLossEnv::fail_reads(std::uint64_t one_in, std::uint64_t seed) {
  const std::lock_guard lock(mutex_);
  one_in_ = one_in;
  random_.seed(seed);
}

// RocksDB reads a file's footer and its block of properties before it looks at a checksum: it would
// take a wrong footer for the truth, and a wrong number of restart points, of which one bit means a
// hash index, ends it by an assertion. check_footers looks at both, which a simulation has no
// folder for; so reads of them fail, but give no wrong bytes. Names of properties are in no other
// block that has rows.
Status PowerLossEnv::disturb(rocksdb::Slice& bytes, char* scratch, bool at_end) {
  const std::lock_guard lock(mutex_);
  if (one_in_ == 0 || bytes.empty() || random_() % one_in_ != 0) return Status::OK();
  ++failed_reads_;
  const bool properties = bytes.ToStringView().find("rocksdb.") != std::string_view::npos;
  if (at_end || properties || random_() % 2 == 0) return Status::IOError("a read that fails");
  if (bytes.data() != scratch) std::memmove(scratch, bytes.data(), bytes.size());
  bytes = rocksdb::Slice(scratch, bytes.size());
  scratch[random_() % bytes.size()] ^= static_cast<char>(1 + random_() % 255);
  return Status::OK();
}

std::uint64_t PowerLossEnv::failed_reads() const {
  const std::lock_guard lock(mutex_);
  return failed_reads_;
}

void PowerLossEnv::synced(const std::string& name) {
  const std::lock_guard lock(mutex_);
  Length& length = lengths_[name];
  length.synced = length.written;
}

}  // namespace huiliu::simulation
