#pragma once

#include <cstdint>
#include <string>

#include "bench/credit/splitmix.h"

namespace huiliu::bench {

struct CalendarDate {
  std::uint32_t year = 0;
  std::uint32_t month = 0;
  std::uint32_t day = 0;
};

// A logical record; the renderer may write it several times, each time spelled differently.
struct SyntheticRecord {
  std::string id;
  std::string party_name;
  std::string party_code;  // uscc of a legal person, id_no of a natural one
  std::string doc_name;
  std::string content;  // already escaped for JSON
  std::uint32_t department = 0;
  std::uint32_t kind = 0;
  bool legal = false;
  CalendarDate decided_at;
  CalendarDate valid_to;
  std::int64_t amount_fen = 0;
  std::int64_t ts_ms = 0;
};

inline constexpr std::uint32_t kDepartments = 200;
inline constexpr std::uint32_t kPenaltyKind = 1;
inline constexpr const char* kKindNames[] = {"licence", "penalty", "redlist", "blacklist"};

// The draws, and their order, are those of ../shared/bench/gen.cc: they decide the bytes.
SyntheticRecord draw_record(Splitmix& random, std::uint64_t number);

}  // namespace huiliu::bench
