#pragma once

#include <cstddef>
#include <vector>

#include "runtime/record/arena.h"
#include "runtime/record/record.h"
#include "runtime/record/schema.h"

namespace huiliu::runtime {

/// Schema of a sink's `rejects`: all fields of its inputs, then kRejectFields. A field that is not
/// of one type in all inputs is text there. Where an input comes from `rejects` itself, the earlier
/// reason gives way to the sink's.
Schema sink_reject_schema(const std::vector<const Schema*>& inputs);

/// Lays the records of one of a sink's inputs out as the sink's `rejects` have them.
class RejectLayout {
 public:
  RejectLayout(const Schema& input, const Schema& rejects, std::size_t row_slots);

  /// The record in slots of its own, since others may look at the one that came. Valid until the
  /// next call; text that is made lives in `arena`. The reject's own fields are not filled in.
  Record lay_out(const Record& record, Arena& arena);

 private:
  struct Column {
    bool present = false, as_text = false;
    std::size_t from = 0;
    Type type = Type::kString;
  };
  std::vector<Column> columns_;
  std::vector<Value> row_;
  std::string scratch_;
};

}  // namespace huiliu::runtime
