#include "tests/property/experiment.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "runtime/base/clock.h"
#include "runtime/engine/engine.h"
#include "state/embedded_backend.h"
#include "tests/property/random.h"
#include "tests/simulation/power_loss_env.h"

namespace huiliu::property {
namespace {

// Later than the rows' event times, earlier than those that are to be refused.
constexpr std::int64_t kNow = 1'720'000'000'000;
constexpr std::uint64_t kMostSteps = 3'000'000;

std::string content_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// Rows of tables are bytes; a message shows text.
std::string readable(std::string_view bytes) {
  std::string text;
  for (const char one : bytes) {
    const bool plain = one >= ' ' && one <= '~' && one != '\\';
    text += plain
                ? std::string(1, one)
                : fmt::format("\\x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(one)));
  }
  return text;
}

std::string rows_of(state::EpochStore& store, const std::string& name,
                    const std::vector<std::uint16_t>& shards) {
  std::map<std::string, std::string> rows;
  auto table = store.table(name, shards);
  if (!table.is_ok()) return table.status().message();
  table.value()->for_each(
      [&rows](std::uint16_t shard, std::string_view key, std::string_view value) {
        rows[fmt::format("{:04} {}", shard, readable(key))] = readable(value);
      });
  std::string text;
  for (const auto& [key, value] : rows) text += key + " -> " + value + "\n";
  return text;
}

/// Steps parts of the engine by chance; now and then one part runs on while the others wait.
std::string step_to_end(runtime::Engine& engine, runtime::ManualClock& clock,
                        const Schedule& schedule) {
  Random random(schedule.seed);
  const auto stubborn = static_cast<unsigned>(random.below(100));
  std::uint64_t choice = 0;
  for (std::uint64_t step = 0; step < kMostSteps && !engine.done(); ++step) {
    if (!random.chance(stubborn)) choice = random.next();
    if (!engine.step(choice)) choice = random.next();
    if (schedule.per_epoch && random.chance(5)) clock.advance(1);
  }
  if (!engine.done()) return "the run does not end";
  const auto status = engine.finish();
  return status.is_ok() ? "" : status.message();
}

/// Why the run failed, or "".
std::string run_engine(const runtime::Topology& topology, runtime::Backend& backend,
                       const Schedule& schedule) {
  runtime::ManualClock clock(kNow);
  runtime::Engine engine(topology, schedule.threads, backend, clock);
  engine.set_slice_bytes(schedule.slice_bytes);
  engine.set_piece_rows(schedule.piece_rows);
  try {
    if (auto status = engine.open(); !status.is_ok()) return status.message();
    if (!schedule.real) return step_to_end(engine, clock, schedule);
    const auto status = engine.run();
    return status.is_ok() ? "" : status.message();
  } catch (const runtime::StatusError& error) {
    return error.status().message();
  }
}

Results failed(const std::string& why) {
  Results results;
  results.error = why;
  return results;
}

void read_files(const std::string& folder, Results& results) {
  if (!std::filesystem::exists(folder)) return;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    results.files[entry.path().filename()] = content_of(entry.path());
  }
}

}  // namespace

Results run(const std::string& topology_path, const std::string& out, const Schedule& schedule) {
  Results results;
  ::setenv("OUT", out.c_str(), 1);
  runtime::Diagnostics diagnostics;
  runtime::Topology topology =
      runtime::load_topology(topology_path, runtime::Registry::linked(), diagnostics);
  if (diagnostics.has_errors()) return failed(diagnostics.to_string());
  // What operators keep in memory beside their tables is so little that it is full all the time.
  constexpr std::uint64_t kTiny = 8 << 10;
  if (schedule.seed % 2 == 0) topology.memory_bytes = kTiny;
  simulation::PowerLossEnv env;
  const state::StoreOptions options{.synchronous_flush = true, .env = &env};
  {
    auto store = state::EpochStore::open("/state", options);
    if (!store.is_ok()) return failed(store.status().message());
    state::EmbeddedBackend backend(std::move(store.value()));
    results.error = run_engine(topology, backend, schedule);
  }
  read_files(out, results);
  // Which windows an epoch saw open is chance where its end is.
  if (schedule.per_epoch) return results;
  auto store = state::EpochStore::open("/state", options);
  if (!store.is_ok()) return failed(store.status().message());
  for (const std::string& table : store.value()->tables()) {
    results.state[table] = rows_of(*store.value(), table, topology.all_shards());
  }
  return results;
}

}  // namespace huiliu::property
