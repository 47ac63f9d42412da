#include "cli/golden_case.h"

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <vector>

#include <fmt/format.h>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "cli/temporary_folder.h"
#include "runtime/clock.h"
#include "runtime/engine.h"
#include "runtime/registry.h"
#include "state/embedded_backend.h"

namespace huiliu::cli {
namespace {

namespace fs = std::filesystem;
using runtime::Config;
using runtime::Topology;

constexpr std::uint64_t kMostSteps = 50'000'000;  // a case that does not end is a failure

void write_inputs(const Config& input, const fs::path& folder) {
  for (const auto& [source, files] : input.entries()) {
    for (const auto& [name, text] : files.entries()) {
      const fs::path path = folder / name;
      if (!path.lexically_normal().string().starts_with(folder.string() + "/")) {
        throw runtime::ConfigError(text.place().file + ": input file outside the folder: " + name);
      }
      fs::create_directories(path.parent_path());
      std::ofstream(path, std::ios::binary) << text.as_string();
    }
  }
}

std::int64_t start_of(const Config& golden) {
  if (!golden.has("now")) return 0;
  std::tm time{};
  const char* rest = ::strptime(golden["now"].text().c_str(), "%Y-%m-%d", &time);
  if (rest == nullptr || (*rest != '\0' && ::strptime(rest, "T%H:%M:%S", &time) == nullptr)) {
    throw runtime::ConfigError(runtime::Diagnostic{
        golden["now"].place(), "'now' expects a date, 2026-01-31 or 2026-01-31T12:00:00", ""}
                                   .to_string());
  }
  return static_cast<std::int64_t>(::timegm(&time)) * 1000;
}

std::string run_to_end(const Topology& topology, const fs::path& state, std::int64_t now_ms) {
  state::StoreOptions options;
  options.synchronous_flush = true;
  options.identity = topology.id;
  auto store = state::EpochStore::open(state.string(), options);
  if (!store.is_ok()) return store.status().message();
  state::EmbeddedBackend backend(std::move(store.value()));
  runtime::ManualClock clock(now_ms);
  runtime::Engine engine(topology, 1, backend, clock);
  engine.shared().wait = [&clock](std::int64_t ms) {
    clock.advance(ms);
    return true;
  };
  if (auto status = engine.open(); !status.is_ok()) return status.message();
  for (std::uint64_t step = 0; !engine.done(); ++step) {
    if (step == kMostSteps) return "the topology does not end; is a source unbounded?";
    // Time moves only when nothing else can.
    if (!engine.step(step) && step % 16 == 0) clock.advance(1);
  }
  return engine.finish().message();
}

std::string text_of(const rapidjson::Value& value) {
  if (value.IsString()) return {value.GetString(), value.GetStringLength()};
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

std::string text_of(const Config& value) { return value.is_null() ? "null" : value.text(); }

// Fields that the case does not name are not compared.
std::string compare_record(const Config& expected, const std::string& line) {
  rapidjson::Document found;
  found.Parse(line.data(), line.size());
  if (found.HasParseError() || !found.IsObject()) return "    not a JSON object: " + line + "\n";
  std::string differences;
  for (const auto& [name, value] : expected.entries()) {
    const auto member = found.FindMember(name.c_str());
    const std::string got = member == found.MemberEnd() ? "null" : text_of(member->value);
    if (got != text_of(value)) {
      differences += fmt::format("    {}:\n      - {}\n      + {}\n", name, text_of(value), got);
    }
  }
  return differences;
}

std::string compare_sink(const std::string& name, const Config& expected, const fs::path& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  std::string differences;
  const auto& records = expected.items();
  for (std::size_t i = 0; i < std::max(lines.size(), records.size()); ++i) {
    if (i >= records.size()) {
      differences +=
          fmt::format("  {} record {}: not expected:\n    + {}\n", name, i + 1, lines[i]);
    } else if (i >= lines.size()) {
      differences += fmt::format("  {} record {} ({}:{}): missing\n", name, i + 1,
                                 records[i].place().file, records[i].place().line);
    } else if (const std::string found = compare_record(records[i], lines[i]); !found.empty()) {
      differences += fmt::format("  {} record {} ({}:{}):\n{}", name, i + 1,
                                 records[i].place().file, records[i].place().line, found);
    }
  }
  return differences;
}

std::string compare(const Topology& topology, const Config& expect) {
  std::string differences;
  for (const auto& [name, records] : expect.entries()) {
    const runtime::Node* node = topology.find(name);
    if (node == nullptr || node->kind != runtime::ComponentKind::kSink) {
      differences += fmt::format("  '{}' is no sink of the topology\n", name);
      continue;
    }
    const fs::path path = fs::path(topology.folder) / node->config->string_or("path", "");
    if (path.extension() != ".ndjson") {
      differences += fmt::format("  sink '{}' is not an .ndjson file\n", name);
      continue;
    }
    differences += compare_sink(name, records, path);
  }
  return differences;
}

}  // namespace

std::string run_golden_case(const Config& golden, const std::string& file) {
  const TemporaryFolder folder;
  for (const auto& [variable, name] :
       {std::pair{"INPUT", "input"}, {"OUTPUT", "output"}, {"STATE", "state"}}) {
    fs::create_directories(folder.path() / name);
    ::setenv(variable, (folder.path() / name).c_str(), 1);
  }
  write_inputs(golden["input"], folder.path() / "input");
  runtime::Diagnostics found;
  const Config& named = golden["topology"];
  const fs::path base = fs::path(file).parent_path();
  const Topology topology =
      named.is_map()
          ? runtime::build_topology(named, file, runtime::Registry::linked(), found)
          : runtime::load_topology((base / named.as_string()).lexically_normal().string(),
                                   runtime::Registry::linked(), found);
  if (found.has_errors()) return found.to_string();
  if (std::string error = run_to_end(topology, folder.path() / "state", start_of(golden));
      !error.empty()) {
    return "  " + error + "\n";
  }
  return compare(topology, golden["expect"]);
}

}  // namespace huiliu::cli
