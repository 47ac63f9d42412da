#include "runtime/engine/outbox.h"

#include <utility>

#include "runtime/base/failpoint.h"
#include "runtime/component/meta_key.h"

namespace huiliu::runtime {

void Outbox::append(std::string_view bytes, const std::vector<std::uint32_t>& sizes) {
  for (const std::uint32_t size : sizes) {
    const bool full = !pending_.empty() && pending_.back().bytes.size() + size > kEntryBytes;
    if (pending_.empty() || full) pending_.push_back({log_, ++appended_, {}, 0});
    pending_.back().bytes.append(bytes.substr(0, size));
    ++pending_.back().records;
    bytes.remove_prefix(size);
  }
}

void Outbox::add_to(EpochCommit& commit) {
  if (!pending_.empty()) {
    commit.meta.emplace_back(MetaKey::outbox(log_), std::to_string(appended_));
    for (LogAppend& append : pending_) {
      committing_.push_back({append.sequence, append.bytes.size(), append.records});
      commit.appends.push_back(std::move(append));
    }
    pending_.clear();
  }
  if (!fits()) {
    commit.meta.emplace_back(MetaKey::outbox_entries(log_), entries_);
    known_ = entries_;
  }
  const std::uint64_t delivered = delivered_;
  if (saves_ && delivered > saved_) {
    const bool early = mutant("outbox.delivered_early");
    commit.meta.emplace_back(MetaKey::outbox_delivered(log_),
                             std::to_string(early ? appended_ : delivered));
    saved_ = delivered;
  }
  if (delivered <= trimmed_) return;
  commit.trims.emplace_back(log_, mutant("outbox.trim_early") ? appended_ : delivered);
  trimmed_ = delivered;
}

void Outbox::count(const Size& entry) {
  waiting_bytes_ += entry.bytes;
  waiting_records_ += entry.records;
}

void Outbox::found(const std::vector<Size>& entries) {
  const std::lock_guard lock(mutex_);
  waiting_.insert(waiting_.begin(), entries.begin(), entries.end());
  for (const Size& entry : entries) count(entry);
}

// They count before they can be delivered.
void Outbox::committed() {
  {
    const std::lock_guard lock(mutex_);
    for (const Size& entry : committing_) count(entry);
    waiting_.insert(waiting_.end(), committing_.begin(), committing_.end());
    committing_.clear();
  }
  committed_ = appended_;
}

void Outbox::delivered(std::uint64_t sequence, std::int64_t now_ms) {
  delivered_ = sequence;
  if (now_ms > 0) delivered_ms_ = now_ms;
  const std::lock_guard lock(mutex_);
  while (!waiting_.empty() && waiting_.front().sequence <= sequence) {
    waiting_bytes_ -= waiting_.front().bytes;
    waiting_records_ -= waiting_.front().records;
    waiting_.pop_front();
  }
}

}  // namespace huiliu::runtime
