#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/engine/engine.h"
#include "runtime/topology/topology.h"

namespace huiliu::cli {

/// What sources read, sinks wrote and anybody refused.
struct Counts {
  std::uint64_t read = 0, rejected = 0, written = 0;
};

Counts count(const runtime::Topology& topology, const std::vector<runtime::Ledger::Totals>& totals);

/// What was done between two looks at the totals, which count from the state's beginning.
std::vector<runtime::Ledger::Totals> since(const std::vector<runtime::Ledger::Totals>& before,
                                           const std::vector<runtime::Ledger::Totals>& now);

/// The line that tells how far a run has come. Counts are those of what is committed.
class ProgressLine {
 public:
  explicit ProgressLine(std::int64_t now_ms) : start_ms_(now_ms), last_ms_(now_ms) {}

  /// `share`: percent of the input that was taken up, negative if nobody knows how much there is;
  /// `columns`: what a terminal has, 0 for any number. Less important words are left out of a line
  /// that would be wrapped, since a wrapped one cannot be rewritten.
  std::string text(const Counts& counts, int share, std::uint64_t epoch, std::int64_t now_ms,
                   std::size_t columns);
  /// The last line: its rate is that of the whole run.
  std::string last(const Counts& counts, int share, std::uint64_t epoch, std::int64_t now_ms,
                   std::size_t columns) const;
  /// Records a second since the call before.
  double rate() const { return rate_; }
  std::int64_t elapsed_ms(std::int64_t now_ms) const { return now_ms - start_ms_; }

 private:
  std::int64_t start_ms_, last_ms_;
  std::uint64_t last_read_ = 0;
  double rate_ = 0;
};

}  // namespace huiliu::cli
