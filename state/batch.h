#pragma once

#include <string>

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

namespace huiliu::state {

/// Changes that are written at once and synced, or not at all: one that the batch does not take,
/// such as a value of 4 GiB, must not be missing among the others.
class Batch {
 public:
  explicit Batch(std::size_t bytes = 0) : batch_(bytes) {}

  void put(rocksdb::ColumnFamilyHandle* family, const std::string& key,
           const rocksdb::Slice& value) {
    note(batch_.Put(family, key, value));
  }
  /// The value is two parts.
  void put(rocksdb::ColumnFamilyHandle* family, const std::string& key, const rocksdb::Slice& head,
           const rocksdb::Slice& tail) {
    const rocksdb::Slice keys[] = {key}, parts[] = {head, tail};
    note(batch_.Put(family, rocksdb::SliceParts(keys, 1), rocksdb::SliceParts(parts, 2)));
  }
  void erase(rocksdb::ColumnFamilyHandle* family, const std::string& key) {
    note(batch_.Delete(family, key));
  }
  /// Without the last one.
  void erase(rocksdb::ColumnFamilyHandle* family, const std::string& first,
             const std::string& last) {
    note(batch_.DeleteRange(family, first, last));
  }
  rocksdb::Status write(rocksdb::DB& db, bool sync = true) {
    if (!refused_.ok()) return refused_;
    rocksdb::WriteOptions options;
    options.sync = sync;
    return db.Write(options, &batch_);
  }

 private:
  void note(const rocksdb::Status& status) {
    if (refused_.ok()) refused_ = status;
  }

  rocksdb::WriteBatch batch_;
  rocksdb::Status refused_;
};

}  // namespace huiliu::state
