#include "connectors/kafka/backend/table_restore.h"

#include "runtime/base/failpoint.h"

namespace huiliu::connectors::kafka {

using runtime::Status;

Status TableRestore::took(std::uint64_t rows, std::size_t bytes) {
  constexpr std::uint64_t kOften = 4096;
  unwritten_ += bytes;
  const std::uint64_t before = std::exchange(rows_, rows_ + rows);
  if (before / kOften == rows_ / kOften) return Status::ok();
  return store_.wants_epoch() ? write_out(false) : Status::ok();
}

Status TableRestore::finish() {
  constexpr std::uint64_t kFew = 32u << 20;
  if (unwritten_ >= kFew) {
    if (Status status = write_out(true); !status.is_ok()) return status;
  }
  if (!being_written_.empty()) store_.wait_for_flushes();
  const state::Changes rest = table_.freeze_epoch(++number_);
  state::Commit last;
  last.epoch = number_;
  last.changes = {&rest};
  last.meta = positions_();
  return store_.commit(last);
}

// 1. The rows that were frozen before are on disk when the store has no flush under way.
// 2. More rows are frozen under the next number.
// 3. The commit of that number lets the store write them, and notes how far the topic is applied by
//    the rows of step 1, not by those that are only about to be written.
Status TableRestore::write_out(bool all) {
  if (!being_written_.empty()) store_.wait_for_flushes();
  if (!table_.freeze_unlogged(++number_, all)) return Status::ok();
  state::Commit next;
  next.epoch = number_;
  next.meta = std::exchange(being_written_, positions_());
  if (runtime::mutant("kafka.restored_early")) next.meta = being_written_;
  unwritten_ = 0;
  const Status status = store_.commit(next);
  runtime::failpoint("kafka.restored_part");
  return status;
}

}  // namespace huiliu::connectors::kafka
