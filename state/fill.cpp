#include <algorithm>

#include <rocksdb/env.h>
#include <rocksdb/sst_file_writer.h>

#include "state/batch.h"
#include "state/epoch_store_impl.h"
#include "state/layout.h"
#include "state/rocksdb_status.h"
#include "state/snapshot.h"

namespace huiliu::state {

using runtime::Result;
using runtime::Status;

Status EpochStore::clear(const std::string& table, std::uint16_t shard) {
  auto family = impl_->family(table);
  if (!family.is_ok()) return family.status();
  const auto has = [this, &table](rocksdb::ColumnFamilyHandle* in, const std::string& first,
                                  const std::string& last) {
    const std::unique_ptr<rocksdb::Iterator> it(impl_->db->NewIterator({}, in));
    it->Seek(first);
    require(it->status(), "table " + table);
    return it->Valid() && it->key().compare(last) < 0;
  };
  const std::string first = row_key(shard, {});
  const std::string last = row_key(static_cast<std::uint16_t>(shard + 1), {});
  const std::string first_blob = changelog_key(table, shard, 0);
  const std::string last_blob = changelog_key(table, shard, ~0ull);
  if (!has(*family, first, last) && !has(impl_->changelog, first_blob, last_blob)) {
    return Status::ok();
  }
  Batch batch;
  batch.erase(*family, first, last);
  batch.erase(impl_->changelog, first_blob, last_blob);
  batch.erase(*family, mark_key(shard));
  batch.erase(impl_->meta, sum_key(table, shard));
  const std::lock_guard lock(impl_->sums.mutex());
  impl_->sums.forget({table, shard});
  return from_rocksdb(batch.write(*impl_->db), "table " + table);
}

// Rows that an earlier filling has left, which was cut off, may not be in this snapshot.
Result<std::uint64_t> EpochStore::fill(const std::string& table, std::vector<std::uint16_t> shards,
                                       const Snapshot& snapshot) {
  auto family = impl_->family(table);
  if (!family.is_ok()) return family.status();
  const std::string path = impl_->folder + "/fill.sst";
  rocksdb::Options sst_options(rocksdb::DBOptions(), impl_->table_options());
  if (impl_->options.env != nullptr) sst_options.env = impl_->options.env;
  if (Status status = delete_if_there(*sst_options.env, path); !status.is_ok()) return status;
  rocksdb::SstFileWriter writer(rocksdb::EnvOptions(), sst_options, *family);
  if (Status status = from_rocksdb(writer.Open(path), path); !status.is_ok()) return status;
  std::sort(shards.begin(), shards.end());
  std::uint64_t rows = 0;
  std::string row;
  for (const std::uint16_t shard : shards) {
    if (Status status = clear(table, shard); !status.is_ok()) return status;
    const Status status =
        snapshot.for_each(table, shard, [&](std::string_view key, std::string_view value) {
          row.clear();
          append_big_endian(row, shard, 2);
          row += key;
          ++rows;
          return from_rocksdb(writer.Put(row, rocksdb::Slice(value.data(), value.size())), path);
        });
    if (!status.is_ok()) return status;
  }
  if (rows == 0) return rows;
  if (Status status = from_rocksdb(writer.Finish(), path); !status.is_ok()) return status;
  if (Status status = impl_->take_over(*family, path); !status.is_ok()) return status;
  return rows;
}

}  // namespace huiliu::state
