// The Kafka protocol on a virtual clock with a model of the brokers: the connector's own code,
// librdkafka's C API simulated. A seed that fails does so again: --first SEED --seeds 1 --trace.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include "service/topology_file.h"
#include "tests/simulation/kafka/world.h"

namespace huiliu::simulation {
namespace {

struct Options {
  std::string topology;
  std::uint64_t first = 1, seeds = 1000, again_every = 50;
  unsigned jobs = 1;
  double seconds = 0;
  bool trace = false, go_on = false;
};

runtime::Topology load(const Options& options, const char* workers, const char* worker) {
  ::setenv("WORKERS", workers, 1);
  ::setenv("WORKER", worker, 1);
  runtime::Diagnostics diagnostics;
  auto topology = service::load_for_run(options.topology, diagnostics);
  std::fputs(diagnostics.to_string().c_str(), stderr);
  if (!topology) std::exit(2);
  return std::move(*topology);
}

/// What a job has done.
struct Part {
  std::uint64_t seeds = 0, repeated = 0, failed = 0;
  Tally tally;
};

void print(const Part& sum, double seconds) {
  const Tally& tally = sum.tally;
  const FaultCounts& broker = tally.broker;
  const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  std::printf(
      "%llu seeds (%llu with several workers, %llu of them with standbys and snapshots) in %.1f s, "
      "%.1f h of virtual time; %llu run twice, "
      "the same both times\n",
      number(sum.seeds), number(tally.shared), number(tally.with_copies), seconds,
      static_cast<double>(tally.virtual_ms) / 3.6e6, number(sum.repeated));
  std::printf(
      "workers: %llu process runs, %llu killed at random, %llu at a step, %llu frozen, %llu sent "
      "SIGTERM, "
      "%llu taken over from, %llu restarts within; disks: %llu lost power, %llu wiped, %llu old "
      "copies, %llu unused for days; %llu last runs\n"
      "names: %llu workers fenced by their own, %llu shards waited for the next rebalance, "
      "%llu announcements of the dead\n",
      number(tally.lives), number(tally.killed), number(tally.killed_at_step), number(tally.frozen),
      number(tally.asked), number(tally.takeovers), number(tally.restarts),
      number(tally.power_losses), number(tally.wiped), number(tally.old_copies),
      number(tally.breaks), number(tally.last_lives), number(tally.fenced_by_name),
      number(tally.stranded), number(broker.late_owners));
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

std::string try_seed(const Topologies& topologies, const Options& options, std::uint64_t seed,
                     Part& part) {
  std::string problem;
  std::uint64_t hash = 0;
  {
    World world(topologies, seed, options.trace);
    problem = world.run();
    hash = world.hash();
    world.add_to(part.tally);
  }
  ++part.seeds;
  if (!problem.empty() || options.again_every == 0 || seed % options.again_every != 0) {
    return problem;
  }
  ++part.repeated;
  World world(topologies, seed, false);
  problem = world.run();
  return problem.empty() && world.hash() != hash ? "another run of it went otherwise" : problem;
}

/// Every so-manieth seed, as there are jobs.
Part run_job(const Topologies& topologies, const Options& options, unsigned job) {
  const auto started = std::chrono::steady_clock::now();
  const auto passed = [started] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  };
  Part part;
  for (std::uint64_t i = job; i < options.seeds; i += options.jobs) {
    if (options.seconds > 0 && passed() > options.seconds) break;
    const std::uint64_t seed = options.first + i;
    const std::string problem = try_seed(topologies, options, seed, part);
    if (problem.empty()) continue;
    std::fflush(stdout);
    std::fprintf(stderr, "seed %llu: %s\n", static_cast<unsigned long long>(seed), problem.c_str());
    ++part.failed;
    if (!options.go_on) break;
  }
  return part;
}

/// In a process of its own, since librdkafka's functions know one cluster; the pipe it answers by.
int start_job(const Topologies& topologies, const Options& options, unsigned job) {
  int ends[2];
  if (::pipe(ends) != 0) std::exit(2);
  std::fflush(nullptr);
  if (::fork() != 0) {
    ::close(ends[1]);
    return ends[0];
  }
  const Part part = run_job(topologies, options, job);
  const bool told = ::write(ends[1], &part, sizeof part) == sizeof part;
  std::fflush(nullptr);
  ::_exit(told ? 0 : 2);
}

/// False if the job has ended before it could tell.
bool add_answer(int from, Part& sum) {
  Part part;
  const bool told = ::read(from, &part, sizeof part) == sizeof part;
  ::close(from);
  if (!told) return false;
  sum.seeds += part.seeds;
  sum.repeated += part.repeated;
  sum.failed += part.failed;
  add(sum.tally, part.tally);
  return true;
}

int run(const Options& options) {
  spdlog::set_level(options.trace ? spdlog::level::info : spdlog::level::off);
  spdlog::set_pattern("             log: %v");
  // Not copied: declarations point into them.
  Topologies topologies{load(options, "one", ""), load(options, "several", ""), {}};
  for (const char* name : {"w0", "w1", "w2"}) {
    topologies.named.push_back(load(options, "several", name));
  }
  const auto started = std::chrono::steady_clock::now();
  Part sum;
  bool all_told = true;
  if (options.jobs == 1) {
    sum = run_job(topologies, options, 0);
  } else {
    std::vector<int> answers;
    for (unsigned job = 0; job < options.jobs; ++job) {
      answers.push_back(start_job(topologies, options, job));
    }
    for (const int answer : answers) all_told = add_answer(answer, sum) && all_told;
    while (::wait(nullptr) > 0) {
    }
  }
  if (!all_told) std::fprintf(stderr, "a job has ended before it could tell what it did\n");
  print(sum, std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count());
  return sum.failed > 0 || !all_told ? 1 : 0;
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
  app.add_option("--jobs", options.jobs, "processes")->check(CLI::Range(1, 256));
  app.add_flag("--trace", options.trace, "print what happens");
  app.add_flag("--go-on", options.go_on, "go on after a failing seed");
  CLI11_PARSE(app, argc, argv);
  return huiliu::simulation::run(options);
}
