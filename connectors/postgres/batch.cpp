#include "connectors/postgres/batch.h"

#include <algorithm>

namespace huiliu::connectors::postgres {

using runtime::Status;

namespace {

constexpr std::size_t kPartBytes = 64 << 10;
constexpr std::size_t kFieldCountBytes = 2;

}  // namespace

Batch::Batch(const TableLayout& layout)
    : layout_(layout),
      copy_sql_(layout.copy_sql()),
      upsert_sql_(layout.key > 0 ? layout.upsert_sql() : ""),
      delete_sql_(layout.key > 0 ? layout.delete_sql() : ""),
      arrays_(layout.columns.width()) {}

void Batch::add(const StoredRow& row) {
  if (layout_.key == 0) {
    rows_.push_back(row);
    return;
  }
  std::string_view rest = row.fields;
  for (std::size_t i = 0; i < layout_.key; ++i) take_field(rest);
  const std::string_view key = row.fields.substr(0, row.fields.size() - rest.size());
  const auto [at, is_new] = by_key_.try_emplace(key, rows_.size());
  if (is_new) {
    rows_.push_back(row);
  } else {
    rows_[at->second] = row;
  }
}

void Batch::clear() {
  rows_.clear();
  by_key_.clear();
}

Status Batch::write(Connection& connection) {
  Status status = rows_.empty()      ? Status::ok()
                  : layout_.key == 0 ? copy(connection)
                                     : merge(connection);
  clear();
  return status;
}

Status Batch::copy(Connection& connection) {
  HUILIU_RETURN_IF_ERROR(connection.copy_begin(copy_sql_));
  part_.assign("PGCOPY\n\377\r\n\0", 11);
  append_integer(0, 4, part_);  // flags
  append_integer(0, 4, part_);  // of the header's extension there is nothing
  for (const StoredRow& row : rows_) {
    append_integer(layout_.columns.width(), kFieldCountBytes, part_);
    part_ += row.fields;
    if (part_.size() < kPartBytes) continue;
    HUILIU_RETURN_IF_ERROR(connection.copy_put(part_));
    part_.clear();
  }
  append_integer(0xFFFF, kFieldCountBytes, part_);
  HUILIU_RETURN_IF_ERROR(connection.copy_put(part_));
  return connection.copy_end();
}

Status Batch::merge(Connection& connection) {
  // Deletions go first: a row that comes may take what another unique index kept for one that goes.
  HUILIU_RETURN_IF_ERROR(write_arrays(connection, true));
  return write_arrays(connection, false);
}

Status Batch::write_arrays(Connection& connection, bool deletes) {
  const auto count = static_cast<std::size_t>(std::count_if(
      rows_.begin(), rows_.end(), [=](const StoredRow& row) { return row.deletes == deletes; }));
  if (count == 0) return Status::ok();
  const std::size_t width = deletes ? layout_.key : layout_.columns.width();
  for (std::size_t i = 0; i < width; ++i) {
    std::string& array = arrays_[i];
    array.clear();
    append_integer(1, 4, array);  // dimensions
    append_integer(1, 4, array);  // there may be nulls
    append_integer(column_type(layout_.columns[i].type).oid, 4, array);
    append_integer(count, 4, array);
    append_integer(1, 4, array);  // the first index
  }
  for (const StoredRow& row : rows_) {
    if (row.deletes != deletes) continue;
    std::string_view rest = row.fields;
    for (std::size_t i = 0; i < width; ++i) arrays_[i] += take_field(rest);
  }
  std::vector<Argument> arguments;
  for (std::size_t i = 0; i < width; ++i) {
    arguments.push_back({arrays_[i], column_type(layout_.columns[i].type).array});
  }
  return connection.run(deletes ? delete_sql_ : upsert_sql_, arguments);
}

}  // namespace huiliu::connectors::postgres
