// kafka_feed BOOTSTRAP TOPIC FILE: the workload's input (credit_generator) into a topic. Each line
// goes to the partition of its department, so that duplicates and windows stay in one partition.
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "bench/kafka/feeder.h"

namespace huiliu::bench {
namespace {

/// Value of "dept", e.g. D012; empty if the line has none.
std::string_view department_of(std::string_view line) {
  constexpr std::string_view kBefore = "\"dept\":\"";
  const std::size_t begin = line.find(kBefore);
  if (begin == std::string_view::npos) return {};
  const std::string_view rest = line.substr(begin + kBefore.size());
  const std::size_t end = rest.find('"');
  return end == std::string_view::npos ? std::string_view() : rest.substr(0, end);
}

/// D012 → 12; 0 for anything else.
int number_of(std::string_view department) {
  int number = 0;
  if (department.starts_with('D')) {
    std::from_chars(department.data() + 1, department.data() + department.size(), number);
  }
  return number;
}

void send(Feeder& feeder, std::string_view line) {
  // The workload's own time, as in the lines: ten records a millisecond.
  constexpr std::int64_t kStartMs = 1'710'000'000'000, kPerMs = 10;
  const std::string_view key = department_of(line);
  feeder.send(number_of(key) % feeder.partitions(), key, line, kStartMs + feeder.sent() / kPerMs);
}

int feed(const std::string& bootstrap, const std::string& topic, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(path + ": cannot be read");
  Feeder feeder(bootstrap, topic);
  for (std::string line; std::getline(file, line);) send(feeder, line);
  if (file.bad()) fail(path + ": cannot be read to its end");
  fmt::print(stderr, "{} lines in {}\n", feeder.finish(), topic);
  return 0;
}

}  // namespace
}  // namespace huiliu::bench

int main(int argc, char** argv) {
  if (argc != 4) {
    fmt::print(stderr, "usage: kafka_feed BOOTSTRAP TOPIC FILE\n");
    return 2;
  }
  return huiliu::bench::feed(argv[1], argv[2], argv[3]);
}
