#include "state/intake/intake_format.h"

#include <algorithm>
#include <bit>
#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace huiliu::state {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::uint64_t kHeadMagic = 0x31454B41544E4948;  // "HINTAKE1"
constexpr std::uint32_t kEntryMagic = 0x31454948;         // "HIE1"
constexpr std::size_t kChecksumAt = 16;                   // in an entry's head
constexpr std::size_t kFixedPayload = 3 * sizeof(std::uint64_t) + 2 * sizeof(std::uint32_t);

template <class Number>
void put(std::string& to, Number number) {
  to.append(reinterpret_cast<const char*>(&number), sizeof number);
}

template <class Number>
Number get(std::string_view bytes, std::size_t at) {
  Number number;
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}

std::uint64_t checksum(std::string_view head, std::string_view payload) {
  const std::uint64_t seed = XXH3_64bits(head.data(), kChecksumAt);
  return XXH3_64bits_withSeed(payload.data(), payload.size(), seed);
}

}  // namespace

void IntakeFormat::append_head(const Head& head, std::string& to) {
  const std::size_t begin = to.size();
  put(to, kHeadMagic);
  put(to, head.first);
  put(to, head.previous_bytes);
  put(to, XXH3_64bits(to.data() + begin, to.size() - begin));
}

std::optional<IntakeFormat::Head> IntakeFormat::parse_head(std::string_view bytes) {
  constexpr std::size_t kSummed = kHeadBytes - sizeof(std::uint64_t);
  if (bytes.size() < kHeadBytes || get<std::uint64_t>(bytes, 0) != kHeadMagic) return std::nullopt;
  if (get<std::uint64_t>(bytes, kSummed) != XXH3_64bits(bytes.data(), kSummed)) return std::nullopt;
  return Head{get<std::uint64_t>(bytes, 8), get<std::uint64_t>(bytes, 16)};
}

void IntakeFormat::append_entry(const runtime::IntakeEntry& entry, std::uint64_t group,
                                std::string& to) {
  const std::size_t begin = to.size();
  put(to, kEntryMagic);
  put(to, static_cast<std::uint32_t>(kFixedPayload + entry.key.size() + entry.about.size() +
                                     entry.body.size()));
  put(to, group);
  put(to, std::uint64_t{0});
  put(to, entry.number);
  put(to, entry.arrived_ms);
  put(to, entry.records);
  put(to, static_cast<std::uint32_t>(entry.key.size()));
  put(to, static_cast<std::uint32_t>(entry.about.size()));
  to += entry.key;
  to += entry.about;
  to += entry.body;
  const std::string_view all = std::string_view(to).substr(begin);
  const std::uint64_t sum = checksum(all, all.substr(kEntryHeadBytes));
  std::memcpy(to.data() + begin + kChecksumAt, &sum, sizeof sum);
}

std::size_t IntakeFormat::size_of(std::string_view head) {
  if (head.size() < kEntryHeadBytes || get<std::uint32_t>(head, 0) != kEntryMagic) return 0;
  const auto payload = get<std::uint32_t>(head, 4);
  return payload < kFixedPayload || payload > kMostPayload ? 0 : kEntryHeadBytes + payload;
}

std::optional<IntakeFormat::Found> IntakeFormat::entry_at(std::string_view segment,
                                                          std::size_t at) {
  const std::string_view rest = segment.substr(std::min(at, segment.size()));
  const std::size_t size = size_of(rest);
  if (size == 0 || size > rest.size()) return std::nullopt;
  const Found found{size, get<std::uint64_t>(rest, 8),
                    rest.substr(kEntryHeadBytes, size - kEntryHeadBytes)};
  if (get<std::uint64_t>(rest, kChecksumAt) != checksum(rest, found.payload)) return std::nullopt;
  return found;
}

std::optional<runtime::IntakeEntry> IntakeFormat::parse_payload(std::string_view payload) {
  if (payload.size() < kFixedPayload) return std::nullopt;
  runtime::IntakeEntry entry;
  entry.number = get<std::uint64_t>(payload, 0);
  entry.arrived_ms = get<std::int64_t>(payload, 8);
  entry.records = get<std::uint64_t>(payload, 16);
  const std::size_t key = get<std::uint32_t>(payload, 24), about = get<std::uint32_t>(payload, 28);
  const std::string_view rest = payload.substr(kFixedPayload);
  if (key > rest.size() || about > rest.size() - key) return std::nullopt;
  entry.key = rest.substr(0, key);
  entry.about = rest.substr(key, about);
  entry.body = rest.substr(key + about);
  return entry;
}

}  // namespace huiliu::state
