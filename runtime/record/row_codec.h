#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/record/schema.h"
#include "runtime/record/value.h"

namespace huiliu::runtime {

/// Rows at rest: size-prefixed FlatBuffers tables, field i of the schema = field i of the table,
/// null = absent. What fbs_of() prints reads them in any language. Not thread-safe.
class RowEncoder {
 public:
  explicit RowEncoder(const Schema& schema);
  ~RowEncoder();
  RowEncoder(RowEncoder&&) noexcept;
  RowEncoder& operator=(RowEncoder&&) noexcept;

  /// `values` has as many slots as the schema has fields.
  void append(const Value* values, std::string& out);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Takes one row off the front of `bytes`; its text views `bytes`. False at the end and when the
/// bytes are no such row: `bytes` is empty in the first case only. Fields that were appended to the
/// schema after the row was written are null. Every offset is checked.
bool take_row(const Schema& schema, std::string_view& bytes, std::vector<Value>& row);

/// The FlatBuffers schema of a stream, for flatc. Names that are no identifiers are spelled with
/// underscores and keep the original in a comment.
std::string fbs_of(const Schema& schema, std::string_view name);

}  // namespace huiliu::runtime
