#include "runtime/engine/run_book.h"

#include <algorithm>
#include <chrono>

#include "runtime/engine/self_timer.h"

namespace huiliu::runtime {
namespace {

// Parts of a commit take less than a millisecond, which is all that the run's clock tells. Nothing
// that happens depends on this one.
double seconds_now() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

}  // namespace

void DurationHistogram::add(double seconds) {
  const auto bound = std::lower_bound(kBounds.begin(), kBounds.end(), seconds);
  ++counts_[static_cast<std::size_t>(bound - kBounds.begin())];
  sum_ += std::max(0.0, seconds);
}

RunBook::RunBook(const Topology& topology, Clock& clock)
    : clock_(clock), input_(topology), lap_start_(seconds_now()) {
  figures_.opened_ms = clock.now_ms();
  figures_.nodes.resize(topology.nodes.size());
}

void RunBook::add(const NodeCounts& counts) {
  NodeFigures& node = figures_.nodes[counts.node];
  const auto& ports = counts.counts.ports;
  if (node.sent.size() < ports.size()) node.sent.resize(ports.size());
  for (std::size_t port = 0; port < ports.size(); ++port) node.sent[port] += ports[port].count;
  for (const auto& [code, count] : counts.counts.codes) {
    const bool fits = node.codes.size() < NodeFigures::kMostCodes || node.codes.contains(code);
    node.codes[fits ? code : "other"] += count;
  }
}

void RunBook::add_spent(const std::vector<std::int64_t>& spent_ns) {
  constexpr double kSeconds = 1e-9 * SelfTimer::kEvery;
  for (std::size_t n = 0; n < spent_ns.size(); ++n) {
    const bool node = n < figures_.nodes.size();
    double& busy = node ? figures_.nodes[n].busy_seconds : figures_.engine_busy_seconds;
    busy += static_cast<double>(spent_ns[n]) * kSeconds;
  }
}

void RunBook::saw(const SliceInfo& slice, const std::vector<SliceReport>& reports) {
  input_.saw(slice);
  for (const SliceReport& report : reports) {
    for (const NodeCounts& counts : report.counts) add(counts);
    add_spent(report.spent_ns);
  }
  if (!slice.is_input) return;
  epoch_bytes_ += slice.bytes;
  uncommitted_.push_back({slice.now_ms, slice.max_event_time});
}

void RunBook::wrote(std::size_t sink, std::uint64_t records, std::uint64_t bytes) {
  figures_.nodes[sink].written_records += records;
  figures_.nodes[sink].written_bytes += bytes;
  if (records > 0) wrote_.insert(sink);
}

double RunBook::lap() {
  const double now = seconds_now();
  return now - std::exchange(lap_start_, now);
}

void RunBook::epoch_arrived() { figures_.epochs.gather.add(lap()); }
void RunBook::prepared() { figures_.epochs.prepare.add(lap()); }

void RunBook::committed(const SliceInfo& last) {
  EpochFigures& epochs = figures_.epochs;
  epochs.commit.add(lap());
  epochs.number = last.ends_epoch;
  epochs.committed_ms = clock_.now_ms();
  const auto since = [&](std::int64_t ms) {
    return static_cast<double>(epochs.committed_ms - ms) / 1000.0;
  };
  for (const Uncommitted& slice : uncommitted_) {
    epochs.from_arrival.add(since(slice.read_ms));
    if (slice.event_time != kNoEventTime) epochs.from_event_time.add(since(slice.event_time));
  }
  uncommitted_.clear();
  for (const std::size_t sink : wrote_) figures_.nodes[sink].written_ms = epochs.committed_ms;
  wrote_.clear();
  if (last.times) figures_.times = *last.times;
}

// There may be many splits and many commits: nobody looks more often than twice a second.
bool RunBook::is_due(const SliceInfo& last) {
  constexpr std::int64_t kPauseMs = 500;
  const std::int64_t now = clock_.steady_ms();
  if (published_ms_ >= 0 && now - published_ms_ < kPauseMs && !last.is_last) return false;
  published_ms_ = now;
  return true;
}

RunFigures RunBook::view(std::vector<Figure> backend) const {
  RunFigures view = figures_;
  view.input = input_.view();
  view.backend = std::move(backend);
  return view;
}

}  // namespace huiliu::runtime
