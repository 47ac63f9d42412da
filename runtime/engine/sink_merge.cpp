#include "runtime/engine/sink_merge.h"

#include "runtime/base/failpoint.h"

namespace huiliu::runtime {

void SinkMerge::merge(const std::vector<const SinkPart*>& parts) {
  records_ = 0;
  for (const SinkPart* part : parts) records_ += part->records;
  if (parts.size() == 1) {
    bytes_ = parts.front()->bytes;
    sizes_ = &parts.front()->sizes;
    return;
  }
  interleave(parts);
  bytes_ = merged_;
  sizes_ = &merged_sizes_;
}

void SinkMerge::interleave(const std::vector<const SinkPart*>& parts) {
  struct Cursor {
    const SinkPart* part;
    std::size_t record = 0;
    std::size_t offset = 0;
  };
  std::vector<Cursor> cursors;
  for (const SinkPart* part : parts) cursors.push_back({part});
  merged_.clear();
  merged_sizes_.clear();
  while (!cursors.empty()) {
    auto first = cursors.begin();
    for (auto it = cursors.begin() + 1; it != cursors.end(); ++it) {
      if (mutant("order.sink_by_thread")) break;  // the parts come as their threads were done
      if (it->part->order[it->record] < first->part->order[first->record]) first = it;
    }
    const std::uint32_t bytes = first->part->sizes[first->record];
    merged_.append(first->part->bytes, first->offset, bytes);
    merged_sizes_.push_back(bytes);
    first->offset += bytes;
    if (++first->record == first->part->sizes.size()) cursors.erase(first);
  }
}

}  // namespace huiliu::runtime
