// Draws topologies of all operators at random and holds what they give with 2, 3 and 8 threads, in
// random interleavings, against what they give with one. A seed that fails does so again:
// --first SEED --seeds 1.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "tests/property/comparison.h"
#include "tests/property/experiment.h"
#include "tests/property/random_topology.h"

namespace huiliu::property {
namespace {

/// With so many seeds every operator must have been drawn.
constexpr std::uint64_t kSeedsThatTell = 100;

struct Options {
  std::uint64_t first = 1, seeds = kSeedsThatTell;
  bool keep = false, go_on = false;
};

struct Tally {
  std::uint64_t runs = 0, rows = 0, differences = 0;
  unsigned taken = 0, refused = 0;
  std::set<std::string> operators, unknown;

  void add(const RandomTopology& drawn) {
    operators.insert(drawn.operators().begin(), drawn.operators().end());
    unknown.insert(drawn.unknown().begin(), drawn.unknown().end());
    taken += drawn.taken();
    refused += drawn.refused();
  }
  void add(const Results& results) {
    for (const auto& [sink, bytes] : results.files) {
      rows += static_cast<std::uint64_t>(std::count(bytes.begin(), bytes.end(), '\n'));
    }
  }
};

/// What is wrong with the seed's topology, for people; "" if nothing is.
std::string try_seed(std::uint64_t seed, const std::string& folder, Tally& tally) {
  Random random(seed);
  Schedule schedule;
  schedule.per_epoch = random.chance(35);
  const std::vector<std::size_t> sizes = {1, 200, 700, 3000, 1 << 20};
  schedule.slice_bytes = random.pick(sizes);
  const std::vector<std::size_t> pieces = {1, 2, 5, 4096};
  schedule.piece_rows = random.pick(pieces);
  const RandomTopology drawn(random, folder, schedule.per_epoch);
  tally.add(drawn);
  const Results one = run(drawn.path(), folder + "/out1", schedule);
  tally.add(one);
  if (!one.error.empty()) return fmt::format("one thread: {}\n{}", one.error, drawn.text());
  for (const unsigned threads : {2u, 3u, 8u}) {
    schedule.threads = threads;
    schedule.seed = random.next();
    schedule.real = threads == 3 && seed % 8 == 0;
    ++tally.runs;
    const Results many = run(drawn.path(), fmt::format("{}/out{}", folder, threads), schedule);
    const std::string text = difference(one, many, drawn.last_row_sinks());
    if (text.empty()) continue;
    return fmt::format(
        "{} threads ({}), slices of {} bytes, pieces of {} rows, epochs end {}\n{}\n{}", threads,
        schedule.real ? "real" : "stepped", schedule.slice_bytes, schedule.piece_rows,
        schedule.per_epoch ? "by chance" : "with the input", text, drawn.text());
  }
  return "";
}

/// A new operator has to be drawn as well, or the test says nothing of it.
bool all_were_drawn(const Options& options, const Tally& tally) {
  bool all = true;
  for (const std::string& type : tally.unknown) {
    std::fprintf(stderr, "operator %s has no options in operator_options.cpp\n", type.c_str());
    all = false;
  }
  if (options.seeds < kSeedsThatTell) return all;
  for (const std::string& type : operator_types()) {
    if (tally.operators.contains(type)) continue;
    std::fprintf(stderr, "operator %s was never drawn\n", type.c_str());
    all = false;
  }
  return all;
}

/// Sinks sync their files for every epoch, which takes most of the time on a disk.
std::filesystem::path work_folder(const Options& options) {
  const bool memory = std::getenv("TMPDIR") == nullptr && std::filesystem::exists("/dev/shm");
  const std::filesystem::path root =
      memory ? std::filesystem::path("/dev/shm") : std::filesystem::temp_directory_path();
  return root / fmt::format("huiliu-property-{}-{}", ::getpid(), options.first);
}

int run_all(const Options& options) {
  spdlog::set_level(spdlog::level::off);
  const auto root = work_folder(options);
  Tally tally;
  for (std::uint64_t seed = options.first; seed < options.first + options.seeds; ++seed) {
    const auto folder = root / std::to_string(seed);
    std::filesystem::create_directories(folder);
    const std::string problem = try_seed(seed, folder, tally);
    if (!options.keep) std::filesystem::remove_all(folder);
    if (problem.empty()) continue;
    ++tally.differences;
    std::fputs(fmt::format("seed {}: DIFFERENCE: {}\n", seed, problem).c_str(), stderr);
    if (!options.go_on) break;
  }
  if (!options.keep) std::filesystem::remove_all(root);
  std::puts(fmt::format("{} runs held against one thread, {} rows, {} operators ({} draws were no "
                        "topology), {} seeds differ",
                        tally.runs, tally.rows, tally.taken, tally.refused, tally.differences)
                .c_str());
  if (tally.differences > 0) return 1;
  return all_were_drawn(options, tally) ? 0 : 1;
}

}  // namespace
}  // namespace huiliu::property

int main(int argc, char** argv) {
  CLI::App app("Holds random topologies with several threads against one thread.");
  huiliu::property::Options options;
  app.add_option("--first", options.first, "first seed");
  app.add_option("--seeds", options.seeds, "number of seeds");
  app.add_flag("--keep", options.keep, "leave the seeds' folders");
  app.add_flag("--go-on", options.go_on, "go on after a seed that fails");
  CLI11_PARSE(app, argc, argv);
  return huiliu::property::run_all(options);
}
