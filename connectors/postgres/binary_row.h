#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/record/value.h"

namespace huiliu::connectors::postgres {

/// A column's type in PostgreSQL.
struct ColumnType {
  std::string_view name;    ///< as format_type() has it
  std::uint32_t oid = 0;    ///< of a value
  std::uint32_t array = 0;  ///< of an array of them
};
const ColumnType& column_type(runtime::Type type);

/// Appends a field as COPY and arrays have it: its length in 4 bytes, -1 of null, then its bytes as
/// the type's receive function takes them. Times and dates must be storable (record_encoder.cpp).
void append_field(runtime::Type type, const runtime::Value& value, std::string& out);
void append_null(std::string& out);
void append_integer(std::uint64_t value, std::size_t bytes, std::string& out);

/// Rows in an outbox entry: one byte, the number of bytes behind it, the fields. It is the first
/// byte that says whether the row is stored or the one with its key goes.
struct StoredRow {
  bool deletes = false;
  std::string_view fields;  ///< one behind the other, of all columns; of a deletion the key's
};
/// Appends the head of a row whose fields are to be appended; the place for end_row().
std::size_t begin_row(bool deletes, std::string& out);
void end_row(std::size_t head, std::string& out);
/// Takes a row of `width` fields, or `key` fields if it deletes, off the front; false if there is
/// none.
bool take_row(std::string_view& bytes, std::size_t width, std::size_t key, StoredRow& row);
/// Takes a field with its length off the front; only of rows that take_row() has looked at.
std::string_view take_field(std::string_view& fields);

/// Whether a point in time (ms since 1970) or a date (days since 1970) is one that PostgreSQL has.
bool is_storable_time(std::int64_t ms);
bool is_storable_date(std::int64_t days);

}  // namespace huiliu::connectors::postgres
