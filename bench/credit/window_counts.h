#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string_view>

#include "bench/credit/output_file.h"

namespace huiliu::bench {

inline constexpr std::array<std::string_view, 4> kKinds = {"licence", "penalty", "redlist",
                                                           "blacklist"};

// Records by department and kind in tumbling windows of event time.
class WindowCounts {
 public:
  // Requires `dept` "D000".."D199" and `kind` an index of kKinds.
  void count(std::string_view dept, std::size_t kind, std::int64_t ts_ms);
  void write(OutputFile& out) const;

 private:
  static constexpr std::int64_t kWindowMs = 10000;
  static constexpr std::size_t kDepartments = 1000;  // three digits
  using Counts = std::array<std::uint32_t, kDepartments * kKinds.size()>;

  std::map<std::int64_t, Counts> windows_;
  Counts* latest_ = nullptr;
  std::int64_t latest_start_ms_ = -1;
};

}  // namespace huiliu::bench
