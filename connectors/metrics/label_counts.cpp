#include "connectors/metrics/label_counts.h"

#include <algorithm>
#include <utility>

#include "connectors/metrics/label_text.h"
#include "runtime/base/failpoint.h"
#include "runtime/base/stored_number.h"

namespace huiliu::connectors::metrics {
namespace {

// Before the time since which something is expected that never came.
constexpr std::string_view kWaiting = "waiting ";

}  // namespace

LabelCounts::LabelCounts(const std::vector<std::string>& names, std::size_t most, Expected expected)
    : most_(most), expected_(std::move(expected)) {
  for (const std::string& name : names) {
    names_ += name + (&name == &names.back() ? ':' : ',');
    if (!other_.empty()) other_ += kSeparator;
    other_ += kOther;
  }
}

void LabelCounts::open(const Positions& kept, std::uint16_t shard, std::int64_t now_ms) {
  prefix_ = std::to_string(shard) + '/' + names_;
  // First what is expected, so that it never falls under kOther.
  for (const auto& [key, seconds] : expected_) {
    Series& series = series_[key];
    series.last_ms = now_ms;
    series.expected_seconds = seconds;
  }
  for (const auto& [key, value] : kept) take(key, value);
}

// Several workers may have kept something of the same labels, each under a shard of its own.
void LabelCounts::take(const std::string& key, std::string_view value) {
  const bool waiting = value.starts_with(kWaiting);
  const std::string_view rest = std::string_view(key).substr(key.find('/') + 1);
  const bool ours = rest.starts_with(names_);
  const std::string joined(ours ? rest.substr(names_.size()) : "");
  if (!ours || (waiting && !expected_.contains(joined))) {
    forgotten_.push_back(key);
    return;
  }
  if (waiting) value.remove_prefix(kWaiting.size());
  bool folded = false;
  Series& series = series_of(joined, folded);
  if (folded || (waiting && series.arrived)) return;
  const auto at = runtime::stored_number<std::int64_t>(value, key);
  const bool first = series.saved_ms == 0 || series.arrived == waiting;
  if (first) series.last_ms = at;
  series.last_ms = waiting ? std::min(series.last_ms, at) : std::max(series.last_ms, at);
  series.saved_ms = series.last_ms;
  series.arrived = !waiting;
}

Series& LabelCounts::series_of(std::string_view joined, bool& folded) {
  if (const auto found = series_.find(joined); found != series_.end()) return found->second;
  const std::size_t others = series_.contains(other_) ? 1 : 0;
  if (joined == other_ || series_.size() - others < most_) return series_[std::string(joined)];
  folded = true;
  return series_[other_];
}

void LabelCounts::add(std::string_view joined, bool folded, std::int64_t now_ms) {
  if (last_series_ == nullptr || last_ != joined) {
    bool full = false;
    last_series_ = &series_of(joined, full);
    last_ = full ? "" : joined;
    folded = folded || full;
  }
  ++last_series_->more;
  if (now_ms != 0) last_series_->now_ms = now_ms;
  if (folded) ++more_folded_;
}

void LabelCounts::save(Positions& positions) {
  if (runtime::mutant("metrics.arrival_unsaved")) return;
  for (std::string& key : forgotten_) positions.emplace_back(std::move(key), "");
  forgotten_.clear();
  for (auto& [joined, series] : series_) {
    const bool came = series.now_ms != 0;
    if (!came && (series.saved_ms != 0 || series.expected_seconds == 0)) continue;
    const std::int64_t at = came ? series.now_ms : series.last_ms;
    const bool is_news = series.saved_ms == 0 || (came && !series.arrived);
    if (!is_news && at - series.saved_ms < kSavePauseMs) continue;
    positions.emplace_back(prefix_ + joined,
                           (came ? "" : std::string(kWaiting)) + std::to_string(at));
    series.saved_ms = at;
  }
}

void LabelCounts::committed() {
  for (auto& [joined, series] : series_) {
    series.records += std::exchange(series.more, 0);
    if (series.now_ms == 0) continue;
    series.last_ms = std::exchange(series.now_ms, 0);
    series.arrived = true;
  }
  folded_ += std::exchange(more_folded_, 0);
}

}  // namespace huiliu::connectors::metrics
