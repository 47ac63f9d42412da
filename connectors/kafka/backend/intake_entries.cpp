#include "connectors/kafka/backend/intake_entries.h"

#include <algorithm>
#include <cstring>

#include "runtime/base/failpoint.h"

namespace huiliu::connectors::kafka {

using runtime::IntakeEntry;
using runtime::mutant;

namespace {

constexpr std::uint8_t kForm = 1;

struct Head {
  std::uint64_t records = 0;
  std::int64_t arrived_ms = 0;
  std::uint32_t about_bytes = 0;
};
constexpr std::size_t kHeadBytes = 1 + 8 + 8 + 4;

}  // namespace

std::string intake_value(const IntakeEntry& entry) {
  std::string value(1, static_cast<char>(kForm));
  const auto about_bytes = static_cast<std::uint32_t>(entry.about.size());
  value.append(reinterpret_cast<const char*>(&entry.records), 8);
  value.append(reinterpret_cast<const char*>(&entry.arrived_ms), 8);
  value.append(reinterpret_cast<const char*>(&about_bytes), 4);
  value += entry.about;
  value += entry.body;
  return value;
}

std::optional<IntakeEntry> intake_entry(std::int64_t offset, std::string_view key,
                                        std::string_view value) {
  if (value.size() < kHeadBytes || static_cast<std::uint8_t>(value[0]) != kForm) {
    return std::nullopt;
  }
  Head head;
  std::memcpy(&head.records, value.data() + 1, 8);
  std::memcpy(&head.arrived_ms, value.data() + 9, 8);
  std::memcpy(&head.about_bytes, value.data() + 17, 4);
  if (value.size() - kHeadBytes < head.about_bytes) return std::nullopt;
  IntakeEntry entry;
  entry.number = static_cast<std::uint64_t>(offset) + 1;
  entry.arrived_ms = head.arrived_ms;
  entry.key = key;
  entry.about = value.substr(kHeadBytes, head.about_bytes);
  entry.records = head.records;
  entry.body = value.substr(kHeadBytes + head.about_bytes);
  return entry;
}

void IntakeEntries::add(const IntakeEntry& entry, std::uint64_t body_hash) {
  if (entry.number <= end_) return;
  end_ = entry.number;
  Held held{entry.number, entry.body.size() + entry.about.size(), entry.arrived_ms, {}};
  bool kept = true;
  if (!entry.key.empty()) {
    const auto [known, fresh] = keys_.try_emplace(
        entry.key, Known{entry.number, body_hash, entry.records, entry.arrived_ms});
    kept = fresh;
    if (fresh) held.key = entry.key;
    if (!fresh) ++(known->second.body_hash == body_hash ? repeated_ : conflicting_);
  }
  if (kept) last_ = entry.number;
  waiting_bytes_ += held.bytes;
  held_.push_back(std::move(held));
  consume(consumed_);
}

const IntakeEntries::Known* IntakeEntries::find(const std::string& key) const {
  if (key.empty() || mutant("kafka_intake.key_forgotten")) return nullptr;
  const auto known = keys_.find(key);
  return known == keys_.end() ? nullptr : &known->second;
}

bool IntakeEntries::repeats(const IntakeEntry& entry) const {
  if (entry.key.empty() || mutant("kafka_intake.repeated_given")) return false;
  const auto known = keys_.find(entry.key);
  return known != keys_.end() && known->second.number < entry.number;
}

void IntakeEntries::begins_behind(std::uint64_t number) {
  last_ = std::max(last_, number);
  end_ = std::max(end_, number);
}

void IntakeEntries::consume(std::uint64_t number) {
  consumed_ = std::max(consumed_, number);
  for (; consumed_held_ < held_.size(); ++consumed_held_) {
    if (held_[consumed_held_].number > consumed_) return;
    waiting_bytes_ -= held_[consumed_held_].bytes;
  }
}

std::uint64_t IntakeEntries::trimmable(std::int64_t before_ms) const {
  if (mutant("kafka_intake.trimmed_early")) return end_;
  if (consumed_ < last_) return 0;
  std::uint64_t number = 0;
  for (const Held& held : held_) {
    if (held.arrived_ms >= before_ms) break;
    number = held.number;
  }
  return number;
}

void IntakeEntries::trim(std::uint64_t number) {
  while (!held_.empty() && held_.front().number <= number) {
    if (!held_.front().key.empty()) keys_.erase(held_.front().key);
    if (consumed_held_ > 0) --consumed_held_;
    held_.pop_front();
  }
}

}  // namespace huiliu::connectors::kafka
