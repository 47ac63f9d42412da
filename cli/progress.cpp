#include "cli/progress.h"

#include <algorithm>

#include <fmt/format.h>

namespace huiliu::cli {

using runtime::ComponentKind;
using Totals = std::vector<runtime::Ledger::Totals>;

namespace {

std::uint64_t less(std::uint64_t now, std::uint64_t before) {
  // Workers that share the work take totals over from each other.
  return now > before ? now - before : 0;
}

std::string line_of(const Counts& counts, int share, double rate, std::uint64_t epoch,
                    std::size_t columns) {
  const std::string head = share < 0 ? "" : fmt::format("{}% ", share);
  const std::string read = fmt::format("{}{} read", head, counts.read);
  std::string rejected = fmt::format(", {} rejected", counts.rejected);
  std::string written = fmt::format(", {} written", counts.written);
  const std::string speed = fmt::format(", {:.0f}/s", rate);
  std::string last = fmt::format(", epoch {}", epoch);
  const auto whole = [&] { return read + rejected + written + speed + last; };
  for (std::string* part : {&last, &written, &rejected}) {
    if (columns == 0 || whole().size() < columns) break;
    part->clear();
  }
  std::string text = whole();
  if (columns > 0 && text.size() >= columns) text.resize(columns - 1);
  return text;
}

}  // namespace

Counts count(const runtime::Topology& topology, const Totals& totals) {
  Counts counts;
  for (std::size_t n = 0; n < topology.nodes.size() && n < totals.size(); ++n) {
    const ComponentKind kind = topology.nodes[n].kind;
    if (topology.nodes[n].internal) continue;
    if (kind == ComponentKind::kSource) counts.read += totals[n].emitted + totals[n].rejected;
    if (kind == ComponentKind::kSink)
      counts.written += less(totals[n].received, totals[n].rejected);
    counts.rejected += totals[n].rejected;
  }
  return counts;
}

Totals since(const Totals& before, const Totals& now) {
  Totals done = now;
  for (std::size_t n = 0; n < std::min(before.size(), done.size()); ++n) {
    done[n].received = less(now[n].received, before[n].received);
    done[n].emitted = less(now[n].emitted, before[n].emitted);
    done[n].rejected = less(now[n].rejected, before[n].rejected);
    done[n].dropped = less(now[n].dropped, before[n].dropped);
    done[n].absorbed = less(now[n].absorbed, before[n].absorbed);
    done[n].created = less(now[n].created, before[n].created);
  }
  return done;
}

std::string ProgressLine::text(const Counts& counts, int share, std::uint64_t epoch,
                               std::int64_t now_ms, std::size_t columns) {
  const double seconds = static_cast<double>(now_ms - last_ms_) / 1000.0;
  if (seconds > 0) rate_ = static_cast<double>(less(counts.read, last_read_)) / seconds;
  last_ms_ = now_ms;
  last_read_ = counts.read;
  if (counts.read > 0 || share <= 0) return line_of(counts, share, rate_, epoch, columns);
  // Input that was taken up, and counts of what is committed, would contradict each other.
  std::string waiting = fmt::format("{}% taken up, nothing committed yet", share);
  if (columns > 0 && waiting.size() >= columns) waiting.resize(columns - 1);
  return waiting;
}

std::string ProgressLine::last(const Counts& counts, int share, std::uint64_t epoch,
                               std::int64_t now_ms, std::size_t columns) const {
  const double seconds =
      static_cast<double>(std::max<std::int64_t>(now_ms - start_ms_, 1)) / 1000.0;
  return line_of(counts, share, static_cast<double>(counts.read) / seconds, epoch, columns);
}

}  // namespace huiliu::cli
