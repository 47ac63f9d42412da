#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include <rocksdb/env.h>

namespace huiliu::state {

/// For tests: files of the disk, of which those with `part` in their name cannot be read while
/// `fails` is set.
class FailingReads final : public rocksdb::EnvWrapper {
 public:
  FailingReads(std::string part, rocksdb::Status status)
      : EnvWrapper(rocksdb::Env::Default()), part_(std::move(part)), status_(std::move(status)) {}

  rocksdb::Status NewRandomAccessFile(const std::string& name,
                                      std::unique_ptr<rocksdb::RandomAccessFile>* file,
                                      const rocksdb::EnvOptions& options) override {
    const rocksdb::Status status = target()->NewRandomAccessFile(name, file, options);
    if (status.ok() && name.find(part_) != std::string::npos) {
      *file = std::make_unique<File>(std::move(*file), *this);
    }
    return status;
  }

  std::atomic<bool> fails{false};        ///< every read
  mutable std::atomic<int> fails_at{0};  ///< the how manieth read from now on fails, alone

 private:
  class File final : public rocksdb::RandomAccessFileWrapper {
   public:
    File(std::unique_ptr<rocksdb::RandomAccessFile> file, const FailingReads& env)
        : RandomAccessFileWrapper(file.get()), file_(std::move(file)), env_(env) {}
    rocksdb::Status Read(std::uint64_t offset, std::size_t bytes, rocksdb::Slice* result,
                         char* scratch) const override {
      if (env_.fails || (env_.fails_at > 0 && --env_.fails_at == 0)) return env_.status_;
      return file_->Read(offset, bytes, result, scratch);
    }

   private:
    std::unique_ptr<rocksdb::RandomAccessFile> file_;
    const FailingReads& env_;
  };

  std::string part_;
  rocksdb::Status status_;
};

}  // namespace huiliu::state
