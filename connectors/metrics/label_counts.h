#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace huiliu::connectors::metrics {

/// Joined label values → seconds within which the next record is expected.
using Expected = std::map<std::string, double>;

/// What was counted under one set of labels.
struct Series {
  std::uint64_t records = 0;    ///< committed since the sink was opened
  std::int64_t last_ms = 0;     ///< when the last came; if none ever did, since when it is awaited
  bool arrived = false;         ///< whether any ever came
  double expected_seconds = 0;  ///< 0: nothing is expected

  // Of the epoch that is not committed yet.
  std::uint64_t more = 0;
  std::int64_t now_ms = 0;    ///< when the last of them came; 0: none, or they had come before
  std::int64_t saved_ms = 0;  ///< as positions say; 0: they say nothing
};

/// Counts records by labels, never under more than `most` sets of labels and kOther, and keeps when
/// the last came of each. Counts become visible when their epoch is committed.
class LabelCounts {
 public:
  using Positions = std::vector<std::pair<std::string, std::string>>;
  /// A position is written anew when it is older than this: a start may believe that the last
  /// record came so much earlier than it did, and a commit is not made longer by what changes
  /// all the time.
  static constexpr std::int64_t kSavePauseMs = 60'000;

  /// `names` of the labels. `expected` has at most `most` rows.
  LabelCounts(const std::vector<std::string>& names, std::size_t most, Expected expected);

  /// What the positions of earlier runs say. Expected ones of which they say nothing are waited for
  /// from now on. New positions are those of `shard`.
  void open(const Positions& kept, std::uint16_t shard, std::int64_t now_ms);
  /// `joined` as append_label() made it; `folded`: a value of it became kOther. `now_ms` 0: the
  /// record is no arrival.
  void add(std::string_view joined, bool folded, std::int64_t now_ms);
  /// What is to be kept of the epoch that ends.
  void save(Positions& positions);
  void committed();

  const std::map<std::string, Series, std::less<>>& series() const { return series_; }
  /// Records that are counted under kOther, or under a label that is.
  std::uint64_t folded() const { return folded_; }

 private:
  void take(const std::string& key, std::string_view value);
  /// Of these labels, or of kOther if there are `most` already; says so in `folded`.
  Series& series_of(std::string_view joined, bool& folded);

  std::string names_;   // of the labels; what was kept of others is of no use
  std::string prefix_;  // of new positions: "SHARD/NAMES"
  std::string other_;   // kOther for each label
  std::size_t most_;
  Expected expected_;
  std::map<std::string, Series, std::less<>> series_;
  std::string last_;  // records of one department mostly come together
  Series* last_series_ = nullptr;
  std::vector<std::string> forgotten_;  // positions
  std::uint64_t folded_ = 0, more_folded_ = 0;
};

}  // namespace huiliu::connectors::metrics
