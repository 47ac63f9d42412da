#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/record/schema.h"
#include "runtime/record/value.h"

namespace huiliu::runtime {

/// Rows that the engine keeps for itself: only the fields that are there, each with its number, so
/// that a wide row with many nulls is a third of its FlatBuffer and quicker to make and to take.
/// Other programs read rows of runtime/record/row_codec.h. One follows the other; a row may stand
/// behind rows of that form, and each form is told by its first bytes.
class CompactRowCodec {
 public:
  explicit CompactRowCodec(const Schema& schema);

  /// Appends a row.
  void append(const Value* values, std::string& out) const;
  /// Whether the bytes begin with a row of this form.
  static bool begins(std::string_view bytes);
  /// Takes one row off the front; its text views `bytes`. False, and `bytes` anything, if they are
  /// none. Fields that were appended to the schema after the row was written are null.
  bool take(std::string_view& bytes, Value* values) const;

 private:
  std::vector<bool> is_text_;
};

}  // namespace huiliu::runtime
