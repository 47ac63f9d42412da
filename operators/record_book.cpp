#include "operators/record_book.h"

#include <algorithm>
#include <charconv>

#include "runtime/base/check.h"
#include "runtime/record/key.h"

namespace huiliu::operators {

namespace {

// With one identity a record's state does not repeat it: it stands in the key, and the count is 0.
std::size_t count(const OptionalTexts& texts) {
  return static_cast<std::size_t>(
      std::count_if(texts.begin(), texts.end(), [](const auto& text) { return text.has_value(); }));
}

}  // namespace

RecordBook::Address RecordBook::address(const Place& place, std::string_view identity) {
  key_.assign(place.key);
  key_ += identity;
  // The caller has hashed the key of the row already.
  return {key_, identity.empty() ? place.hash : runtime::KeyBuilder::hash_bytes(key_)};
}

bool RecordBook::load(const Place& place, std::string_view identity, Entry& entry) {
  const auto [key, hash] = address(place, identity);
  const auto stored = table_->get(place.shard, key, hash);
  if (!stored) return false;
  if (const auto alias = read_alias(*stored)) {
    // The alias views the table's memory, which the next call takes back.
    const std::string to(*alias);
    if (to == identity) table_->refuse_row(place.shard);
    return load(place, to, entry);
  }
  if (!read_state(*stored, entry.state)) table_->refuse_row(place.shard);
  entry.identity.assign(identity);
  return true;
}

bool RecordBook::contradicts(const OptionalTexts& ours, const Entry& entry, std::size_t by) {
  const OptionalTexts& theirs = entry.state.identities;
  for (std::size_t i = 0; i < by; ++i) {
    if (ours[i] && theirs[i] && *ours[i] != *theirs[i]) return true;
  }
  return false;
}

void RecordBook::complete(const OptionalTexts& ours, Entry& entry) {
  OptionalTexts& theirs = entry.state.identities;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    if (!ours[i] || theirs[i]) continue;
    theirs[i] = *ours[i];
    entry.grew = true;
  }
}

bool RecordBook::find(const Place& place, const OptionalTexts& identities, Entry& entry) {
  entry.grew = false;
  if (identities.empty()) {
    if (load(place, {}, entry)) return true;
    // The entry still holds the record before, which may be of any key.
    entry.state.clear();
    entry.identity.clear();
    return false;
  }
  for (std::size_t i = 0; i < identities.size(); ++i) {
    if (!identities[i] || !load(place, *identities[i], entry)) continue;
    if (count(entry.state.identities) == 0) {
      // Only one identity is known, the one it is kept under, and it is of the row's kind `i`
      // unless an alias led here, which states with several identities have only.
      entry.state.identities[i] = entry.identity;
    }
    if (contradicts(identities, entry, i)) continue;
    complete(identities, entry);
    return true;
  }
  entry.state.clear();
  const auto first = std::find_if(identities.begin(), identities.end(),
                                  [](const auto& identity) { return identity.has_value(); });
  HUILIU_CHECK(first != identities.end());
  entry.identity = **first;
  complete(identities, entry);
  return false;
}

void RecordBook::merge(const Place& place, const OptionalTexts& identities, const Entry& entry,
                       std::vector<Entry>& merged) {
  if (count(identities) < 2) return;
  for (std::size_t i = 0; i < identities.size(); ++i) {
    if (!identities[i] || *identities[i] == entry.identity) continue;
    if (!load(place, *identities[i], found_) || found_.identity == entry.identity) continue;
    if (count(found_.state.identities) == 0) found_.state.identities[i] = found_.identity;
    if (contradicts(identities, found_, i)) continue;
    encode_alias(entry.identity, bytes_);
    put(place, found_.identity);
    merged.push_back(found_);
  }
}

void RecordBook::put(const Place& place, std::string_view identity) {
  const auto [key, hash] = address(place, identity);
  table_->put(place.shard, key, hash, bytes_);
}

std::uint64_t RecordBook::next_number(const Place& place) {
  // No identity is "#": each begins with its type.
  const auto [key, hash] = address(place, "#");
  std::uint64_t number = 0;
  if (const auto stored = table_->get(place.shard, key, hash)) {
    const std::string_view last = read_alias(*stored).value_or("");
    std::from_chars(last.data(), last.data() + last.size(), number);
    if (number == 0) table_->refuse_row(place.shard);
  }
  encode_alias(std::to_string(++number), bytes_);
  table_->put(place.shard, key, hash, bytes_);
  return number;
}

void RecordBook::store(const Place& place, const Entry& entry) {
  if (entry.grew && count(entry.state.identities) > 1) {
    encode_alias(entry.identity, bytes_);
    for (const auto& identity : entry.state.identities) {
      if (!identity || *identity == entry.identity) continue;
      // An identity that leads to another record goes on doing so.
      const auto [key, hash] = address(place, *identity);
      table_->insert(place.shard, key, hash, bytes_);
    }
  }
  encode_state(entry.state, bytes_);
  put(place, entry.identity);
}

}  // namespace huiliu::operators
