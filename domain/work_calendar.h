#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace huiliu::domain {

// Legal holidays and make-up working days. A day the table does not list works from Monday to
// Friday. Immutable once loaded; any thread may read. Days count from 1970-01-01 (domain/dates.h).
class WorkCalendar {
 public:
  // Reads "date,kind" lines below a header; date as parse_date_simple, kind holiday or workday.
  // Comments "# valid from: DATE" and "# valid until: DATE" widen the span that the table covers.
  // False, with `error` saying the line and the calendar left as it was, when a line is wrong or
  // lies more than 400 years from another.
  bool load(std::string_view csv, std::string& error);

  bool is_working_day(std::int32_t day) const;
  // The count-th working day after `day` (before it when negative); `day` itself when 0. Takes time
  // proportional to `count`.
  std::int32_t add_working_days(std::int32_t day, int count) const;
  // Working days after `from` up to and with `to`; requires from <= to. Takes constant time.
  int working_days_between(std::int32_t from, std::int32_t to) const {
    return static_cast<int>(working_days_until(to) - working_days_until(from));
  }

  // The span that the table covers: beyond it answers are a guess by weekday. Requires !empty().
  bool empty() const { return kinds_.empty(); }
  std::int32_t first_day() const { return first_day_; }
  std::int32_t last_day() const {
    return first_day_ + static_cast<std::int32_t>(kinds_.size()) - 1;
  }

 private:
  enum class Kind : std::uint8_t { kUnlisted, kHoliday, kWorkday };

  // Working days up to and with `day`, from a beginning that is the same for all days.
  std::int64_t working_days_until(std::int32_t day) const;
  void count_working_days();

  std::int32_t first_day_ = 0;
  std::vector<Kind> kinds_;
  std::vector<std::int32_t> counts_;  // working days of the first 0, 1, ... days of the span
};

}  // namespace huiliu::domain
