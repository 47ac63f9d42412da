#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <spdlog/spdlog.h>

#include "cli/command.h"
#include "cli/golden/golden_case.h"
#include "runtime/descriptor.h"

namespace huiliu::cli {
namespace {

using runtime::Config;
using runtime::Diagnostics;
using runtime::Option;
using runtime::OptionType;

const std::vector<Option>& file_options() {
  static const std::vector<Option> options = {
      {.name = "topology", .type = OptionType::kAny},
      {.name = "now"},
      {.name = "templates",
       .type = OptionType::kMap,
       .members = {{.type = OptionType::kMap, .members = {{}}}}},
      {.name = "cases", .type = OptionType::kAny, .required = true}};
  return options;
}

const std::vector<Option>& case_options() {
  static const std::vector<Option> options = {
      {.name = "name", .required = true},
      {.name = "topology", .type = OptionType::kAny},
      {.name = "now"},
      {.name = "input",
       .type = OptionType::kMap,
       .members = {{.type = OptionType::kMap, .members = {{.type = OptionType::kAny}}}}},
      {.name = "expect",
       .type = OptionType::kMap,
       .required = true,
       .members = {{.type = OptionType::kAny}}}};
  return options;
}

void check_expectations(const Config& expect, Diagnostics& diagnostics) {
  for (const auto& [sink, records] : expect.entries()) {
    if (!records.is_list()) {
      diagnostics.error(expect.key_place(sink), "expected a list of records", "[] for none");
    }
    for (const Config& record : records.items()) {
      if (!record.is_map()) diagnostics.error(record.place(), "expected a record: a map");
    }
  }
}

void check_file(const Config& root, Diagnostics& diagnostics) {
  if (diagnostics.has_errors()) return;
  runtime::check_config(root, file_options(), {}, diagnostics);
  if (root.has("cases") && !root["cases"].is_list()) {
    diagnostics.error(root.key_place("cases"), "'cases' expects a list");
  }
  for (const Config& golden : root["cases"].items()) {
    runtime::check_config(golden, case_options(), {}, diagnostics);
    check_expectations(golden["expect"], diagnostics);
  }
}

int test_file(const std::string& path) {
  const GoldenFolders folders;
  Diagnostics diagnostics;
  const Config root = runtime::load_config(path, diagnostics);
  check_file(root, diagnostics);
  std::fputs(diagnostics.to_string().c_str(), stderr);
  if (diagnostics.has_errors()) return kUsage;
  std::size_t failed = 0;
  for (const Config& golden : root["cases"].items()) {
    const std::string difference = run_golden_case({root, golden, path}, folders);
    if (!difference.empty()) ++failed;
    std::printf("%s %s\n%s", difference.empty() ? "ok  " : "FAIL", golden["name"].text().c_str(),
                difference.c_str());
  }
  std::printf("%s: %zu cases, %zu failed\n", path.c_str(), root["cases"].items().size(), failed);
  return failed == 0 ? kSuccess : kFailed;
}

}  // namespace

void add_test(CLI::App& app, int& exit_code) {
  auto paths = std::make_shared<std::vector<std::string>>();
  CLI::App* command =
      app.add_subcommand("test", "Runs golden cases of topologies on a virtual clock.");
  command->footer(
      "A case names a topology, its input files and the records that shall reach its sinks; '-' "
      "is\n"
      "what was expected, '+' what was found. No sink is opened.\n"
      "Example:\n  huiliu test topologies/credit/cases/*.yaml");
  command->add_option("file", *paths, "files of cases")->required();
  command->callback([paths, &exit_code] {
    spdlog::set_level(spdlog::level::warn);
    for (const std::string& path : *paths) exit_code = std::max(exit_code, test_file(path));
  });
}

}  // namespace huiliu::cli
