#include "operators/workday_table.h"

#include <string>

#include <fmt/format.h>

#include "domain/dates.h"
#include "domain/table_lines.h"

namespace huiliu::operators {

WorkdayTable WorkdayTable::load(const runtime::Config& path, runtime::Diagnostics& diagnostics,
                                OutOfDate out_of_date) {
  WorkdayTable table;
  std::string resolved, text, error;
  if (!CsvTable::read(path, resolved, text, diagnostics)) return table;
  if (!table.calendar_.load(text, error)) {
    // The loader's message begins with the line, if it knows one.
    diagnostics.error(path.place(), fmt::format("'{}': {}", resolved, error),
                      "rows are date,holiday or date,workday below a header date,kind");
    return table;
  }
  char last_day[domain::kIsoDateSize];
  domain::format_iso(domain::date_of_days(table.calendar_.last_day()), last_day);
  CsvTable::check_last_day(path, resolved, {last_day, sizeof last_day},
                           domain::comment_value(text, "renew"), out_of_date, diagnostics);
  return table;
}

std::optional<std::int32_t> WorkdayTable::day_of(std::string_view text) {
  domain::Date date;
  // A time in another zone may belong to another day: that is the parser's to know.
  const bool plain = text.size() == domain::kIsoDateSize ||
                     (text.size() > domain::kIsoDateSize && text[domain::kIsoDateSize] == ' ');
  if (plain && domain::parse_date_simple(iso_day_of(text), date)) {
    return domain::days_since_epoch(date);
  }
  const domain::ParsedDate parsed = domain::parse_date(text);
  if (parsed.error != domain::DateError::kOk) return {};
  return domain::days_since_epoch(parsed.date);
}

}  // namespace huiliu::operators
