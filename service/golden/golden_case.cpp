#include "service/golden/golden_case.h"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>

#include "runtime/base/clock.h"
#include "runtime/engine/engine.h"
#include "service/golden/captured_sinks.h"
#include "service/golden/input_files.h"
#include "service/golden/record_match.h"
#include "service/golden/scripted_sources.h"
#include "state/embedded_backend.h"

namespace huiliu::service {
namespace {

namespace fs = std::filesystem;
using runtime::Config;
using runtime::Diagnostics;
using runtime::Topology;

constexpr std::pair<const char*, const char*> kFolders[] = {
    {"INPUT", "input"}, {"OUTPUT", "output"}, {"STATE", "state"}};
constexpr std::uint64_t kMostSteps = 50'000'000;  // a case that does not end is a failure

std::int64_t start_of(const Config& now, Diagnostics& diagnostics) {
  if (now.is_null()) return 0;
  std::tm time{};
  const char* rest = ::strptime(now.text().c_str(), "%Y-%m-%d", &time);
  if (rest == nullptr || (*rest != '\0' && ::strptime(rest, "T%H:%M:%S", &time) == nullptr)) {
    diagnostics.error(now.place(), "'now' expects a date, 2026-01-31 or 2026-01-31T12:00:00");
  }
  return static_cast<std::int64_t>(::timegm(&time)) * 1000;
}

std::string run_to_end(const Topology& topology, const fs::path& state,
                       runtime::ManualClock& clock) {
  state::StoreOptions options;
  options.synchronous_flush = true;
  options.identity = topology.id;
  auto store = state::EpochStore::open(state.string(), options);
  if (!store.is_ok()) return store.status().message();
  state::EmbeddedBackend backend(std::move(store.value()));
  runtime::Engine engine(topology, 1, backend, clock);
  engine.set_wait([&clock](std::int64_t ms) {
    clock.advance(ms);
    return true;
  });
  if (auto status = engine.open(); !status.is_ok()) return status.message();
  for (std::uint64_t step = 0; !engine.done(); ++step) {
    if (step == kMostSteps) return "the topology does not end; is a source unbounded?";
    // Time moves only when nothing else can.
    if (!engine.step(step) && step % 16 == 0) clock.advance(1);
  }
  return engine.finish().message();
}

Topology load(const GoldenCase& golden, Diagnostics& diagnostics) {
  const Config& named = golden.setting("topology");
  const runtime::Registry& types = runtime::Registry::linked();
  if (named.is_map()) return runtime::build_topology(named, golden.path, types, diagnostics);
  if (!named.is_scalar()) {
    diagnostics.error(golden.golden.place(), "the case names no topology",
                      "set `topology`, here or at the top of the file");
    return {};
  }
  const fs::path path = fs::path(golden.path).parent_path() / named.text();
  return runtime::load_topology(path.lexically_normal().string(), types, diagnostics);
}

void check_names(const Topology& topology, const Config& names, runtime::ComponentKind kind,
                 Diagnostics& diagnostics) {
  std::vector<std::string> known;
  for (const runtime::Node& node : topology.nodes) {
    if (node.kind == kind) known.push_back(node.name);
  }
  for (const auto& [name, ignored] : names.entries()) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    diagnostics.error(names.key_place(name),
                      "the topology has no " + std::string(kind_name(kind)) + " '" + name + "'",
                      runtime::nearest_hint(name, known));
  }
}

}  // namespace

GoldenFolders::GoldenFolders() {
  for (const auto& [variable, name] : kFolders) {
    ::setenv(variable, (folder_.path() / name).c_str(), 1);
  }
  clear();
}

void GoldenFolders::clear() const {
  for (const auto& [variable, name] : kFolders) {
    fs::remove_all(folder_.path() / name);
    fs::create_directories(folder_.path() / name);
  }
}

std::string run_golden_case(const GoldenCase& golden, const GoldenFolders& folders) {
  folders.clear();
  Diagnostics found;
  const std::int64_t now_ms = start_of(golden.setting("now"), found);
  const Config& expect = golden.golden["expect"];
  const Config& input = golden.golden["input"];
  const Config& templates = golden.file["templates"];
  Topology topology = load(golden, found);
  if (found.has_errors()) return found.to_string();
  write_input_files(topology, input, templates, folders.input(), found);
  runtime::ManualClock clock(now_ms);
  const ScriptedSources sources(topology, input, templates, clock, found);
  check_names(topology, expect, runtime::ComponentKind::kSink, found);
  if (found.has_errors()) return found.to_string();
  const CapturedSinks sinks(topology);
  if (std::string error = run_to_end(topology, folders.state(), clock); !error.empty()) {
    return "  " + error + "\n";
  }
  std::string differences;
  for (const auto& [name, records] : expect.entries()) {
    differences += differences_of(name, records, sinks.records(name));
  }
  return differences;
}

}  // namespace huiliu::service
