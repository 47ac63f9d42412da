#include "operators/periods.h"

#include <algorithm>

#include <fmt/format.h>

#include "domain/dates.h"

namespace huiliu::operators {

using runtime::Diagnostics;

std::string day_after(std::string_view day, int count) {
  domain::Date date;
  domain::parse_date_simple(day, date);
  char text[domain::kIsoDateSize];
  domain::format_iso(domain::date_of_days(domain::days_since_epoch(date) + count), text);
  return {text, sizeof text};
}

PeriodReader::PeriodReader(const CsvTable& csv, Diagnostics& diagnostics)
    : csv_(csv), diagnostics_(diagnostics) {
  constexpr std::string_view kFirstDayOut = "first day no longer in force";
  const std::string_view meaning = csv.comment("valid_to");
  exclusive_ = meaning == kFirstDayOut;
  if (!meaning.empty() && !exclusive_) {
    diagnostics.error(
        {csv.path(), 0, 0}, fmt::format("`# valid_to: {}` is not known", meaning),
        fmt::format("`# valid_to: {}`, or no such comment: the last day in force", kFirstDayOut));
  }
}

Period PeriodReader::read(std::size_t row) const {
  Period period{std::string(csv_.cell(row, "valid_from")), std::string(csv_.cell(row, "valid_to"))};
  bool readable = true;
  for (const std::string* day : {&period.from, &period.to}) {
    if (day->empty() || is_iso_day(*day)) continue;
    diagnostics_.error(csv_.place(row), fmt::format("'{}' is no day", *day),
                       "write YYYY-MM-DD, or nothing for an open end");
    readable = false;
  }
  if (!readable) return {};
  if (exclusive_ && !period.to.empty()) period.to = day_after(period.to, -1);
  if (!period.from.empty() && !period.to.empty() && period.from > period.to) {
    diagnostics_.error(csv_.place(row),
                       fmt::format("valid_from {} comes after valid_to {}",
                                   csv_.cell(row, "valid_from"), csv_.cell(row, "valid_to")));
    return {};
  }
  return period;
}

bool touch(const Period& before, const Period& after) {
  return before.to.empty() || after.from.empty() || after.from <= before.to;
}

bool gaps_allowed(const CsvTable& csv) { return csv.comment("gaps") == "allowed"; }

void check_periods(std::vector<PlacedPeriod> placed, bool gaps,
                   const std::function<void(const PeriodClash&)>& report) {
  std::stable_sort(placed.begin(), placed.end(), [](const PlacedPeriod& a, const PlacedPeriod& b) {
    return a.period.from < b.period.from;
  });
  for (std::size_t i = 1; i < placed.size(); ++i) {
    const PlacedPeriod& before = placed[i - 1];
    const PlacedPeriod& after = placed[i];
    const bool overlap = touch(before.period, after.period);
    if (overlap || (!gaps && day_after(before.period.to, 1) != after.period.from)) {
      report({before, after, overlap});
    }
  }
}

}  // namespace huiliu::operators
