#include "connectors/http/push_batch.h"

#include <algorithm>
#include <array>
#include <ctime>

#include <fmt/format.h>
#include <xxhash.h>

namespace huiliu::connectors {
namespace {

// RFC 9110; strftime would take names of days from the locale.
std::string http_date(std::int64_t now_ms) {
  constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto seconds = static_cast<std::time_t>(now_ms / 1000);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT",
                     kDays[static_cast<std::size_t>(utc.tm_wday)], utc.tm_mday,
                     kMonths[static_cast<std::size_t>(utc.tm_mon)], utc.tm_year + 1900, utc.tm_hour,
                     utc.tm_min, utc.tm_sec);
}

}  // namespace

std::string PushBatch::name() const {
  if (is_whole) return fmt::format("{}.{}", sequence, part);
  return fmt::format("{}.{}.{}-{}", sequence, part, first, first + rows.size());
}

std::string PushBatch::hash() const {
  std::uint64_t sum = 0;
  for (const std::string_view row : rows) sum += XXH3_64bits(row.data(), row.size());
  return fmt::format("{:016x}", sum);
}

std::string PushBatch::body(bool json) const {
  std::size_t size = 2;
  for (const std::string_view row : rows) size += row.size() + 1;
  std::string text;
  text.reserve(size);
  if (json) text += '[';
  for (const std::string_view row : rows) {
    text += row;
    text += json ? ',' : '\n';
  }
  if (json) text.back() = ']';
  return text;
}

PushBatch PushBatch::some(std::size_t from, std::size_t to) const {
  const auto at = [&](std::size_t row) { return rows.begin() + static_cast<std::ptrdiff_t>(row); };
  return {sequence, part, first + from, false, part_hash, {at(from), at(to)}};
}

std::vector<PushBatch> cut_entry(const runtime::OutboxEntry& entry, std::size_t batch_rows) {
  std::vector<PushBatch> batches;
  std::string_view rest = entry.bytes;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    if (batches.empty() || batches.back().rows.size() == batch_rows) {
      batches.push_back({entry.sequence, batches.size(), 0, true, {}, {}});
    }
    batches.back().rows.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  for (PushBatch& batch : batches) batch.part_hash = batch.hash();
  return batches;
}

PushHeaders::PushHeaders(const PushBatch& sent, const std::string& owner, std::int64_t now_ms)
    : date(http_date(now_ms)),
      batch(sent.name()),
      rows(std::to_string(sent.rows.size())),
      hash(sent.hash()),
      key(fmt::format("{}.{}.{}", owner, batch, hash)) {}

std::string PushHeaders::signed_text(const std::string& target, const std::string& body) const {
  return fmt::format("POST\n{}\n{}\n{}\n{}\n{}\n{}\n{}", target, date, batch, rows, hash, key,
                     body);
}

std::string signature_of(net::MacHash hash, const std::string& key, const std::string& text) {
  const char* const name = hash == net::MacHash::kSm3 ? "hmac-sm3" : "hmac-sha256";
  return fmt::format("{}={}", name, net::hmac_of(hash, key, text));
}

}  // namespace huiliu::connectors
