#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "state/table.h"

namespace huiliu::state {

/// Goes through rows of a table part in the order of shards, then of their keys' bytes, in memory
/// and in RocksDB alike. It sees the rows that were there when Table::scan() made it. Rows up to
/// the one it is at may be changed meanwhile; how it sees rows behind that are changed is not said.
/// It must end before its table. Every reading throws StatusError if a row cannot be read: that is
/// never the end.
class TableScan {
 public:
  ~TableScan();
  TableScan(TableScan&&) noexcept;
  TableScan& operator=(TableScan&&) noexcept;

  /// Goes to the next row, at first to the first one; false if there is none any more.
  bool next();
  /// Goes to the first row that has this shard and this key or comes behind; false if there is
  /// none. It may go back as well.
  bool seek(std::uint16_t shard, std::string_view key);

  // Of the row it is at; the views are valid until it goes on.
  std::uint16_t shard() const;
  std::string_view key() const;
  std::string_view value() const;

 private:
  friend class Table;
  struct Impl;
  explicit TableScan(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace huiliu::state
