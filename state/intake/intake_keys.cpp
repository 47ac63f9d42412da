#include "state/intake/intake_keys.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>
#include <xxhash.h>

#include "state/rocksdb_status.h"

namespace huiliu::state {

using runtime::Status;

namespace {

constexpr std::string_view kMagic = "HINKEYS1";

/// A key as it lies in a file.
struct Row {
  std::uint64_t high, low;
  IntakeKeys::Known known;
};
static_assert(sizeof(Row) == 48);

}  // namespace

std::uint64_t IntakeKeys::hash_of(std::string_view body) {
  return XXH3_64bits(body.data(), body.size());
}

IntakeKeys::Hash IntakeKeys::name_of(std::string_view key) {
  const XXH128_hash_t hash = XXH3_128bits(key.data(), key.size());
  return {hash.high64, hash.low64};
}

const IntakeKeys::Known* IntakeKeys::find(std::string_view key) const {
  const auto found = known_.find(name_of(key));
  return found == known_.end() ? nullptr : &found->second;
}

void IntakeKeys::put(const Hash& hash, const Known& known) {
  known_.insert_or_assign(hash, known);
  order_.emplace_back(known, hash);
}

void IntakeKeys::add(const runtime::IntakeEntry& entry, std::uint64_t body_hash) {
  if (entry.key.empty()) return;
  put(name_of(entry.key), {entry.number, entry.arrived_ms, entry.records, body_hash});
}

std::uint64_t IntakeKeys::forget(std::int64_t before_ms) {
  std::uint64_t too_many = 0;
  while (!order_.empty()) {
    const auto& [known, hash] = order_.front();
    const bool old = known.arrived_ms < before_ms;
    if (!old && order_.size() <= kMost) break;
    if (!old) ++too_many;
    // A key that was used again, after it was forgotten, is another entry's.
    const auto found = known_.find(hash);
    if (found != known_.end() && found->second.number == known.number) known_.erase(found);
    order_.pop_front();
  }
  return too_many;
}

IntakeKeys::File IntakeKeys::file_of(std::uint64_t first, std::uint64_t last) const {
  File file;
  std::string rows;
  const auto from = std::lower_bound(
      order_.begin(), order_.end(), first,
      [](const auto& one, std::uint64_t number) { return one.first.number < number; });
  for (auto one = from; one != order_.end() && one->first.number <= last; ++one) {
    const Row row{one->second.high, one->second.low, one->first};
    rows.append(reinterpret_cast<const char*>(&row), sizeof row);
    file.latest_ms = std::max(file.latest_ms, one->first.arrived_ms);
  }
  if (rows.empty()) return file;
  const std::uint64_t sum = hash_of(rows);
  file.bytes = kMagic;
  file.bytes.append(reinterpret_cast<const char*>(&sum), sizeof sum);
  file.bytes += rows;
  return file;
}

runtime::Result<std::int64_t> IntakeKeys::load(rocksdb::Env& env, const std::string& path) {
  constexpr std::size_t kHead = kMagic.size() + sizeof(std::uint64_t);
  std::string bytes;
  HUILIU_RETURN_IF_ERROR(from_rocksdb(rocksdb::ReadFileToString(&env, path, &bytes), path));
  std::uint64_t sum = 0;
  if (bytes.size() >= kHead) std::memcpy(&sum, bytes.data() + kMagic.size(), sizeof sum);
  const std::string_view rows = std::string_view(bytes).substr(std::min(kHead, bytes.size()));
  if (!bytes.starts_with(kMagic) || rows.size() % sizeof(Row) != 0 || sum != hash_of(rows)) {
    return Status::corrupt(fmt::format(
        "{}: the file is damaged. It has the keys by which requests are known that were sent "
        "before; put it back from a copy, or remove it: requests of that time that are sent again "
        "count as new then",
        path));
  }
  std::int64_t latest = 0;
  for (std::size_t at = 0; at < rows.size(); at += sizeof(Row)) {
    Row row;
    std::memcpy(&row, rows.data() + at, sizeof row);
    latest = std::max(latest, row.known.arrived_ms);
    put({row.high, row.low}, row.known);
  }
  return latest;
}

}  // namespace huiliu::state
