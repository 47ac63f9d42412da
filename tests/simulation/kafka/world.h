#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "runtime/topology/topology.h"
#include "tests/simulation/kafka/broker.h"
#include "tests/simulation/kafka/client.h"
#include "tests/simulation/kafka/scheduler.h"
#include "tests/simulation/kafka/worker.h"

namespace huiliu::simulation {

/// The topology as one worker runs it, as each of several does, and as each that has a name does.
struct Topologies {
  runtime::Topology one, several;
  std::vector<runtime::Topology> named;
};

struct Tally {
  std::uint64_t shared = 0, with_copies = 0, lives = 0, killed = 0, killed_at_step = 0, frozen = 0,
                asked = 0, takeovers = 0, restarts = 0, power_losses = 0, wiped = 0, old_copies = 0,
                breaks = 0, coordinators_away = 0, leaders_away = 0, last_lives = 0,
                fenced_by_name = 0, stranded = 0;
  std::uint64_t virtual_ms = 0;
  FaultCounts broker;
};
static_assert(std::is_trivially_copyable_v<Tally>);
void add(Tally& sum, const Tally& one);

/// One seed: some seconds of input, workers and faults; then quiet, until all is processed.
class World {
 public:
  World(const Topologies& topologies, std::uint64_t seed, bool trace);
  ~World();

  /// What was found to be wrong, or nothing.
  std::string run();
  std::uint64_t hash() const { return scheduler_.hash(); }
  void add_to(Tally& tally) const;

 private:
  /// Where processes run one after the other.
  struct Place {
    Disk disk;
    std::unique_ptr<Worker> worker;
    std::uint64_t steps_left = 0;  // until it is killed at a step; 0: it is not
  };

  void draw_faults();
  void plan_input();
  void feed(const PartitionId& partition, std::vector<std::string> values);
  void plan_chaos();
  void act();
  void disturb_brokers();
  void start(Place& place);
  void start_any();
  void prepare_disk(Place& place);
  void at_failpoint();
  bool sweep();
  void settle(Place& place);
  bool is_expected_end(const Worker& worker) const;
  std::vector<Place*> running();
  template <class Condition>
  bool run_until(Micros deadline, const Condition& reached);
  bool finish();
  bool end_all();
  bool last_life();
  const runtime::Topology& topology_of(const Place& place) const;

  const Topologies& topologies_;
  Scheduler scheduler_;
  Faults faults_;
  Broker broker_;
  Cluster cluster_;
  bool several_, named_, copies_;
  std::string
      snapshots_;  // the folder that all workers see, on the machine's own disk; may be empty
  Micros chaos_until_;
  bool quiet_ = false;
  std::vector<std::unique_ptr<Place>> places_;
  std::vector<std::unique_ptr<Worker>> gone_;
  std::vector<std::pair<PartitionId, std::vector<std::string>>> tail_;
  int workers_ = 0, batches_ = 0;
  std::string problem_;
  Tally tally_;
};

}  // namespace huiliu::simulation
