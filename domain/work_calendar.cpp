#include "domain/work_calendar.h"

#include <algorithm>
#include <array>
#include <utility>

#include "domain/dates.h"
#include "domain/table_lines.h"

namespace huiliu::domain {
namespace {

constexpr std::int32_t kLongestSpanDays = 400 * 366;

// 1970-01-01 was a Thursday; 0 is Monday.
int weekday(std::int32_t day) {
  const std::int64_t shifted = (static_cast<std::int64_t>(day) + 3) % 7;
  return static_cast<int>(shifted < 0 ? shifted + 7 : shifted);
}

}  // namespace

bool WorkCalendar::load(std::string_view csv, std::string& error) {
  std::vector<std::pair<std::int32_t, Kind>> listed;
  TableLines lines(csv);
  while (lines.next()) {
    std::array<std::string_view, 2> cells;
    Date date;
    const bool shape = lines.cells(cells) && parse_date_simple(cells[0], date);
    if (!shape || (cells[1] != "holiday" && cells[1] != "workday")) {
      error = "line " + std::to_string(lines.line_number()) + ": not a date,holiday|workday";
      return false;
    }
    listed.emplace_back(days_since_epoch(date),
                        cells[1] == "holiday" ? Kind::kHoliday : Kind::kWorkday);
  }
  if (listed.empty()) {
    error = "no days";
    return false;
  }
  const auto [first, last] = std::minmax_element(listed.begin(), listed.end());
  if (last->first - first->first > kLongestSpanDays) {
    error = "days more than 400 years apart";
    return false;
  }
  first_day_ = first->first;
  kinds_.assign(static_cast<std::size_t>(last->first - first->first) + 1, Kind::kUnlisted);
  for (const auto& [day, kind] : listed) kinds_[static_cast<std::size_t>(day - first_day_)] = kind;
  return true;
}

bool WorkCalendar::is_working_day(std::int32_t day) const {
  const std::int64_t index = static_cast<std::int64_t>(day) - first_day_;
  if (index >= 0 && index < static_cast<std::int64_t>(kinds_.size())) {
    const Kind kind = kinds_[static_cast<std::size_t>(index)];
    if (kind != Kind::kUnlisted) return kind == Kind::kWorkday;
  }
  return weekday(day) < 5;
}

std::int32_t WorkCalendar::add_working_days(std::int32_t day, int count) const {
  const std::int32_t step = count < 0 ? -1 : 1;
  while (count != 0) {
    day += step;
    if (is_working_day(day)) count -= step;
  }
  return day;
}

int WorkCalendar::working_days_between(std::int32_t from, std::int32_t to) const {
  int count = 0;
  while (from < to) count += is_working_day(++from) ? 1 : 0;
  return count;
}

}  // namespace huiliu::domain
