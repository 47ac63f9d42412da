#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/component/backend.h"
#include "runtime/engine/messages.h"
#include "runtime/topology/plan.h"

namespace huiliu::runtime {

/// Sums the counts of one epoch and checks that nothing got lost or was made up: for each node
/// what came in went out, was rejected, dropped or absorbed; for each edge what was sent
/// was received; for each sink what was received was written or refused. Counts and hashes both.
class Ledger {
 public:
  explicit Ledger(const Plan& plan);
  void add(const NodeCounts& counts);
  void wrote(std::size_t sink_node, std::uint64_t records) { written_[sink_node] += records; }
  /// Of the running epoch.
  std::uint64_t rejected(std::size_t node) const { return epoch_[node].rejected.count; }
  /// Empty if the epoch balances, else the difference in words.
  std::string check() const;
  /// Starts the next epoch; adds this one's to the totals.
  void close_epoch();

  struct Totals {
    std::uint64_t received = 0, emitted = 0, rejected = 0, dropped = 0, absorbed = 0, created = 0;
  };
  const std::vector<Totals>& totals() const { return totals_; }
  /// Goes on with the totals that are committed.
  void open(const Topology& topology, const Backend& backend);
  /// The totals become true with the epoch.
  void add_to(const Topology& topology, EpochCommit& commit) const;

 private:
  std::string serialise(std::size_t node) const;
  void restore(std::size_t node, std::string_view text);
  Tally sent_to(std::size_t node) const;

  const Plan& plan_;
  std::vector<Outputs::Counts> epoch_;
  std::vector<std::uint64_t> written_;
  std::vector<Totals> totals_;
};

}  // namespace huiliu::runtime
