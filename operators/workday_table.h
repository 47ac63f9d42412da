#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "domain/work_calendar.h"
#include "operators/csv_table.h"
#include "runtime/component/config.h"

namespace huiliu::operators {

/// The work calendar of a CSV file (columns date, kind: holiday or workday), and the working days
/// between what two fields say.
class WorkdayTable {
 public:
  /// A file that cannot be read, a wrong line and a table that ends before today are reported.
  static WorkdayTable load(const runtime::Config& path, runtime::Diagnostics& diagnostics,
                           OutOfDate out_of_date = OutOfDate::kError);

  /// Day of a field's text: an ISO day, with or without a time, or any spelling that the step
  /// `date` of normalise reads. Empty if it is none.
  static std::optional<std::int32_t> day_of(std::string_view text);
  /// Whether the table knows the day; days before its first are counted by weekday.
  bool covers(std::int32_t day) const { return day <= calendar_.last_day(); }
  /// Working days after `from` up to and with `to`; 0 if `to` is not after `from`.
  std::int64_t between(std::int32_t from, std::int32_t to) const {
    return from < to ? calendar_.working_days_between(from, to) : 0;
  }

 private:
  domain::WorkCalendar calendar_;
};

}  // namespace huiliu::operators
