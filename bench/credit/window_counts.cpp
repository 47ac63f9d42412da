#include "bench/credit/window_counts.h"

#include <charconv>
#include <string>

namespace huiliu::bench {

void WindowCounts::count(std::string_view dept, std::size_t kind, std::int64_t ts_ms) {
  const std::int64_t start = ts_ms - ts_ms % kWindowMs;
  if (start != latest_start_ms_) {
    latest_ = &windows_.try_emplace(start, Counts{}).first->second;
    latest_start_ms_ = start;
  }
  std::size_t number = 0;
  std::from_chars(dept.data() + 1, dept.data() + dept.size(), number);
  ++(*latest_)[number % kDepartments * kKinds.size() + kind];
}

void WindowCounts::write(OutputFile& out) const {
  for (const auto& [start, counts] : windows_) {
    for (std::size_t i = 0; i < counts.size(); ++i) {
      if (counts[i] == 0) continue;
      const std::string number = std::to_string(i / kKinds.size());
      out.put("{\"dept\":\"D");
      out.put(std::string_view("00").substr(0, 3 - number.size()));
      out.put(number);
      out.put("\",\"kind\":\"");
      out.put(kKinds[i % kKinds.size()]);
      out.put("\",\"window_start\":");
      out.put_number(start);
      out.put(",\"window_end\":");
      out.put_number(start + kWindowMs);
      out.put(",\"count\":");
      out.put_number(counts[i]);
      out.put("}");
      out.end_line();
    }
  }
}

}  // namespace huiliu::bench
