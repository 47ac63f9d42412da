#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "operators/csv_table.h"
#include "runtime/component/config.h"

namespace huiliu::operators {

/// The days on which one line of a table is in force; ISO, empty = no bound, `to` the last day.
struct Period {
  std::string from, to;
  /// An empty day asks for nothing and is contained.
  bool contains(std::string_view day) const {
    return day.empty() || ((from.empty() || from <= day) && (to.empty() || day <= to));
  }
};

/// A period and the row of the table that it stands in.
struct PlacedPeriod {
  Period period;
  std::size_t row = 0;
};

/// Two periods of one thing that follow each other, and should not as they do.
struct PeriodClash {
  const PlacedPeriod& before;
  const PlacedPeriod& after;
  bool overlap = false;  ///< else there is a gap between them
};

/// Whether the later of two periods begins before the earlier one has ended.
bool touch(const Period& before, const Period& after);

/// Whether the table's comment `# gaps: allowed` permits gaps.
bool gaps_allowed(const CsvTable& csv);

/// Reports each pair of neighbours that overlap, or that leave a gap unless `gaps`.
void check_periods(std::vector<PlacedPeriod> placed, bool gaps,
                   const std::function<void(const PeriodClash&)>& report);

/// The ISO day `count` days after the ISO day `day`.
std::string day_after(std::string_view day, int count);

/// Reads the periods of a table's rows (valid_from, valid_to) and reports those that cannot be. The
/// comment `# valid_to: first day no longer in force` changes what valid_to means.
class PeriodReader {
 public:
  PeriodReader(const CsvTable& csv, runtime::Diagnostics& diagnostics);
  Period read(std::size_t row) const;

 private:
  const CsvTable& csv_;
  runtime::Diagnostics& diagnostics_;
  bool exclusive_ = false;
};

}  // namespace huiliu::operators
