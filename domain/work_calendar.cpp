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

// Mondays to Fridays up to and with `day`, from a beginning that is the same for all days.
std::int64_t weekdays_until(std::int64_t day) {
  const std::int64_t days = day + 4;  // whole weeks begin with Mondays
  const std::int64_t weeks = (days >= 0 ? days : days - 6) / 7;
  return weeks * 5 + std::min<std::int64_t>(days - weeks * 7, 5);
}

// False when the comment is there and says no date.
bool read_bound(std::string_view csv, std::string_view key, std::int32_t& day) {
  const std::string_view text = comment_value(csv, key);
  if (text.empty()) return true;
  Date date;
  if (!parse_date_simple(text, date)) return false;
  day = days_since_epoch(date);
  return true;
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
  std::int32_t from = first->first;
  std::int32_t until = last->first;
  if (!read_bound(csv, "valid from", from) || !read_bound(csv, "valid until", until) ||
      from > first->first || until < last->first) {
    error = "`# valid from` or `# valid until` is no date or leaves listed days out";
    return false;
  }
  if (static_cast<std::int64_t>(until) - from > kLongestSpanDays) {
    error = "days more than 400 years apart";
    return false;
  }
  first_day_ = from;
  kinds_.assign(static_cast<std::size_t>(until - from) + 1, Kind::kUnlisted);
  for (const auto& [day, kind] : listed) kinds_[static_cast<std::size_t>(day - first_day_)] = kind;
  count_working_days();
  return true;
}

void WorkCalendar::count_working_days() {
  counts_.assign(1, 0);
  for (std::int32_t day = first_day_; day <= last_day(); ++day) {
    counts_.push_back(counts_.back() + (is_working_day(day) ? 1 : 0));
  }
}

std::int64_t WorkCalendar::working_days_until(std::int32_t day) const {
  if (empty() || day < first_day_) return weekdays_until(day);
  const std::int64_t before = weekdays_until(static_cast<std::int64_t>(first_day_) - 1);
  if (day > last_day()) {
    return before + counts_.back() + weekdays_until(day) - weekdays_until(last_day());
  }
  return before + counts_[static_cast<std::size_t>(day - first_day_) + 1];
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

}  // namespace huiliu::domain
