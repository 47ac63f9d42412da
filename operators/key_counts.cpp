#include "operators/key_counts.h"

#include <algorithm>
#include <cstring>

#include "runtime/record/key.h"

namespace huiliu::operators {

KeyCounts::Entry& KeyCounts::at(std::string_view key, std::uint64_t hash) {
  if (entries_.size() * 2 >= slots_.size()) grow();
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = hash & mask;
  for (; slots_[slot] != 0; slot = (slot + 1) & mask) {
    Entry& entry = entries_[slots_[slot] - 1];
    if (entry.hash == hash && entry.key == key) return entry;
  }
  Entry& entry = entries_.emplace_back();
  entry.key = key;
  entry.hash = hash;
  slots_[slot] = static_cast<std::uint32_t>(entries_.size());
  return entry;
}

void KeyCounts::grow() {
  slots_.assign(std::max<std::size_t>(64, slots_.size() * 2), 0);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    std::size_t slot = entries_[i].hash & mask;
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    slots_[slot] = static_cast<std::uint32_t>(i + 1);
  }
}

void KeyCounts::clear() {
  entries_.clear();
  std::fill(slots_.begin(), slots_.end(), 0);
}

std::vector<KeyCounts::Entry> KeyCounts::take_sorted(
    const std::function<std::uint16_t(std::uint64_t hash)>& shard_of) {
  std::vector<Entry> taken = std::move(entries_);
  for (Entry& entry : taken) entry.shard = shard_of(entry.hash);
  std::sort(taken.begin(), taken.end(), [](const Entry& a, const Entry& b) {
    return a.shard != b.shard ? a.shard < b.shard : a.key < b.key;
  });
  clear();
  return taken;
}

void decode_key(std::string_view key, const std::vector<runtime::Type>& types,
                runtime::Value* slots) {
  for (std::size_t i = 0; i < types.size(); ++i) {
    const std::optional<std::string_view> field = runtime::KeyBuilder::take_field(key);
    if (!field) {
      slots[i] = runtime::Value();
    } else if (runtime::is_text(types[i])) {
      slots[i] = runtime::Value::of_text(*field);
    } else {
      std::int64_t bits = 0;
      std::memcpy(&bits, field->data(), sizeof bits);
      slots[i] = runtime::Value::of_integer(bits);  // a real's bits are kept as they are
    }
  }
}

}  // namespace huiliu::operators
