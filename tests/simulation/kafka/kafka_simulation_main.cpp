// The Kafka protocol on a virtual clock with a model of the brokers: the connector's own code,
// librdkafka's C API simulated. A seed that fails does so again: --first SEED --seeds 1 --trace.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <CLI/CLI.hpp>
#include <spdlog/spdlog.h>

#include "cli/topology_file.h"
#include "tests/simulation/kafka/world.h"

namespace huiliu::simulation {
namespace {

struct Options {
  std::string topology;
  std::uint64_t first = 1, seeds = 1000, again_every = 50;
  double seconds = 0;
  bool trace = false, go_on = false;
};

runtime::Topology load(const Options& options, const char* workers, const char* worker) {
  ::setenv("WORKERS", workers, 1);
  ::setenv("WORKER", worker, 1);
  auto topology = cli::load_for_run(options.topology);
  if (!topology) std::exit(2);
  return std::move(*topology);
}

void print(const Tally& tally, std::uint64_t seeds, std::uint64_t repeated, double seconds) {
  const FaultCounts& broker = tally.broker;
  const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  std::printf(
      "%llu seeds (%llu with several workers) in %.1f s, %.1f h of virtual time; %llu run twice, "
      "the same both times\n",
      number(seeds), number(tally.shared), seconds, static_cast<double>(tally.virtual_ms) / 3.6e6,
      number(repeated));
  std::printf(
      "workers: %llu lives, %llu killed at random, %llu at a step, %llu frozen, %llu asked to end, "
      "%llu taken over from, %llu restarts within; disks: %llu lost power, %llu wiped, %llu old "
      "copies; %llu last lives\n",
      number(tally.lives), number(tally.killed), number(tally.killed_at_step),
      number(tally.frozen), number(tally.asked), number(tally.takeovers), number(tally.restarts),
      number(tally.power_losses), number(tally.wiped), number(tally.old_copies),
      number(tally.last_lives));
  std::printf(
      "brokers: %llu requests, %llu lost, %llu answers lost, %llu slow, %llu without a coordinator "
      "(%llu times away), %llu leaders away; %llu transactions, %llu aborted, %llu timed out, %llu "
      "fenced; %llu offsets of no member refused, %llu members expelled, %llu rebalances; %llu "
      "compactions, %llu rows deleted\n",
      number(broker.requests), number(broker.requests_lost), number(broker.responses_lost),
      number(broker.slow), number(broker.away), number(tally.coordinators_away),
      number(tally.leaders_away), number(broker.transactions), number(broker.aborted),
      number(broker.transactions_timed_out), number(broker.fenced), number(broker.stale_members),
      number(broker.expelled), number(broker.rebalances), number(broker.compactions),
      number(broker.rows_deleted));
}

int run(const Options& options) {
  spdlog::set_level(options.trace ? spdlog::level::info : spdlog::level::off);
  spdlog::set_pattern("             log: %v");
  // Not copied: declarations point into them.
  Topologies topologies{load(options, "one", ""), load(options, "several", ""), {}};
  for (const char* name : {"w0", "w1", "w2"}) {
    topologies.named.push_back(load(options, "several", name));
  }
  using Clock = std::chrono::steady_clock;
  const auto started = Clock::now();
  const auto passed = [started] {
    return std::chrono::duration<double>(Clock::now() - started).count();
  };
  Tally tally;
  std::uint64_t seed = options.first, repeated = 0, failed = 0;
  for (; seed < options.first + options.seeds; ++seed) {
    if (options.seconds > 0 && passed() > options.seconds) break;
    std::string problem;
    std::uint64_t hash = 0;
    {
      World world(topologies, seed, options.trace);
      problem = world.run();
      hash = world.hash();
      world.add_to(tally);
    }
    if (problem.empty() && options.again_every > 0 && seed % options.again_every == 0) {
      World world(topologies, seed, false);
      problem = world.run();
      if (problem.empty() && world.hash() != hash) problem = "another run of it went otherwise";
      ++repeated;
    }
    if (problem.empty()) continue;
    std::fflush(stdout);
    std::fprintf(stderr, "seed %llu: %s\n", static_cast<unsigned long long>(seed), problem.c_str());
    ++failed;
    if (!options.go_on) return 1;
  }
  print(tally, seed - options.first, repeated, passed());
  return failed > 0 ? 1 : 0;
}

}  // namespace
}  // namespace huiliu::simulation

int main(int argc, char** argv) {
  CLI::App app("Simulates the Kafka protocol: crashes, hangs, lost answers, rebalances.");
  huiliu::simulation::Options options;
  app.add_option("--topology", options.topology)->required();
  app.add_option("--first", options.first, "first seed");
  app.add_option("--seeds", options.seeds, "number of seeds");
  app.add_option("--seconds", options.seconds, "begin no seed after so long");
  app.add_option("--again-every", options.again_every, "run each so-manieth seed twice; 0: none");
  app.add_flag("--trace", options.trace, "print what happens");
  app.add_flag("--go-on", options.go_on, "go on after a failing seed");
  CLI11_PARSE(app, argc, argv);
  return huiliu::simulation::run(options);
}
