#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace huiliu::domain {

enum class RegionState : std::uint8_t {
  kCurrent,  // valid on the date
  kRetired,  // was valid before the date: accept with a warning
  kNotYet,   // becomes valid only after the date
  kPseudo,   // 市辖区, 县, 省直辖…: a heading of the standard, no place
  kUnknown   // never in GB/T 2260
};

// Stable name, such as "RETIRED".
std::string_view name(RegionState state);

enum class RegionLevel : std::uint8_t { kProvince, kCity, kCounty };
// By the code's zeros; requires six digits.
RegionLevel region_level(std::string_view code);

struct RegionMatch {
  RegionState state = RegionState::kUnknown;
  // Both are views into the table. The name is the one of the date, or the nearest earlier one.
  std::string_view name;
  std::string_view successor;  // next code of the chain, empty when there is none
};

// GB/T 2260 with its history, to be joined as of an event's date. Immutable once loaded; any thread
// may read. Dates are yyyymmdd.
class RegionTable {
 public:
  // Reads "code,name,valid_from,valid_to,successor" lines below a header: dates as
  // parse_date_simple, valid_to the first day on which the code is no longer valid, an empty date
  // no bound. False, with `error` saying the line and the table left as it was, when a line is
  // wrong.
  bool load(std::string_view csv, std::string& error);

  RegionMatch find(std::string_view code, int date) const;
  // Follows successors from `code` until one is valid on the date: 352623 -> 350822 -> 350803. The
  // code itself when it is valid, empty when the chain ends before. A view into the table.
  std::string_view resolve(std::string_view code, int date) const;
  bool empty() const { return rows_.empty(); }

 private:
  struct Row {
    std::string code;
    std::string name;
    int valid_from = 0;
    int valid_to = 0;
    std::string successor;
    bool pseudo = false;
  };
  // The row that says most about the code on the date, or null.
  const Row* best_row(std::string_view code, int date) const;

  std::vector<Row> rows_;  // by code, then valid_from
};

}  // namespace huiliu::domain
