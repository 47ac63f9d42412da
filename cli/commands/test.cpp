#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/golden_case.h"
#include "runtime/descriptor.h"

namespace huiliu::cli {
namespace {

using runtime::Config;
using runtime::OptionType;

const std::vector<runtime::Option>& case_options() {
  static const std::vector<runtime::Option> options = {
      {.name = "name", .required = true},
      {.name = "topology", .type = OptionType::kAny, .required = true},
      {.name = "now"},
      {.name = "input",
       .type = OptionType::kMap,
       .members = {{.type = OptionType::kMap, .members = {{}}}}},
      {.name = "expect",
       .type = OptionType::kMap,
       .required = true,
       .members = {{.type = OptionType::kList, .members = {{.type = OptionType::kAny}}}}}};
  return options;
}

int test_file(const std::string& path) {
  runtime::Diagnostics diagnostics;
  const Config root = runtime::load_config(path, diagnostics);
  if (!diagnostics.has_errors() && !root["cases"].is_list()) {
    diagnostics.error({path, 1, 1}, "'cases' expects a list");
  }
  for (const Config& golden : root["cases"].items()) {
    runtime::check_config(golden, case_options(), {}, diagnostics);
  }
  std::fputs(diagnostics.to_string().c_str(), stderr);
  if (diagnostics.has_errors()) return kUsage;
  std::size_t failed = 0;
  for (const Config& golden : root["cases"].items()) {
    const std::string difference = run_golden_case(golden, path);
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
      "A case names a topology, its input files and the records expected in .ndjson sinks; '-' is\n"
      "what was expected, '+' what was found.\n"
      "Example:\n  huiliu test topologies/credit/cases.yaml");
  command->add_option("file", *paths, "files of cases")->required();
  command->callback([paths, &exit_code] {
    for (const std::string& path : *paths) exit_code = std::max(exit_code, test_file(path));
  });
}

}  // namespace huiliu::cli
