// kafka_fill BOOTSTRAP TOPIC FIRST COUNT: messages with the keys FIRST to FIRST + COUNT - 1, as the
// topology restore.yaml reads them; dealt out to the partitions in turn.
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string>

#include <fmt/format.h>

#include "bench/kafka/feeder.h"

namespace huiliu::bench {
namespace {

/// Evenly spread bits of a number (splitmix64's last steps).
std::uint64_t spread(std::uint64_t number) {
  std::uint64_t z = (number + 1) * 0x9E3779B97F4A7C15ull;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

int fill(const std::string& bootstrap, const std::string& topic, std::uint64_t first,
         std::uint64_t count) {
  constexpr std::int64_t kStartMs = 1'710'000'000'000, kPerMs = 10;
  Feeder feeder(bootstrap, topic);
  std::string line;
  for (std::uint64_t key = first; key < first + count; ++key) {
    line.clear();
    fmt::format_to(
        std::back_inserter(line),
        R"({{"id":"K{:012}","day":"2026-{:02}-{:02}","serial":"{:016x}{:016x}",)"
        R"("updated":"2026-01-01T{:02}:{:02}:00","source":"department-{:03}.ndjson","amount":{}}})",
        key, 1 + key % 12, 1 + key % 28, spread(key), spread(~key), key % 24, key % 60, key % 200,
        key % 100'000);
    feeder.send(static_cast<int>(key % static_cast<std::uint64_t>(feeder.partitions())), {}, line,
                kStartMs + feeder.sent() / kPerMs);
  }
  fmt::print(stderr, "{} keys in {}\n", feeder.finish(), topic);
  return 0;
}

/// False if the text is no number.
bool parse(const char* text, std::uint64_t& number) {
  const char* end = text + std::strlen(text);
  const auto result = std::from_chars(text, end, number);
  return result.ec == std::errc() && result.ptr == end;
}

}  // namespace
}  // namespace huiliu::bench

int main(int argc, char** argv) {
  std::uint64_t first = 0, count = 0;
  if (argc != 5 || !huiliu::bench::parse(argv[3], first) || !huiliu::bench::parse(argv[4], count)) {
    fmt::print(stderr, "usage: kafka_fill BOOTSTRAP TOPIC FIRST COUNT\n");
    return 2;
  }
  return huiliu::bench::fill(argv[1], argv[2], first, count);
}
