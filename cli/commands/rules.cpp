#include <cstdio>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/topology_loading.h"
#include "service/rules/rules_page.h"

namespace huiliu::cli {
namespace {

struct Options {
  std::string path, language = "en";
};

int print_rules(const Options& options) {
  const auto topology = load_checked(options.path);
  if (!topology) return kUsage;
  std::fputs(service::rules_page(*topology, options.language == "zh").c_str(), stdout);
  return kSuccess;
}

}  // namespace

void add_rules(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("rules", "Prints the rules and tables of a topology as Markdown.");
  command->footer(
      "Rules of `validate` with their fields, conditions and sources, rows of `decide`, tables.\n"
      "Example:\n  huiliu rules topologies/credit/topology.yaml --lang zh > rules.md");
  command->add_option("topology", options->path, "topology file")->required();
  command->add_option("--lang", options->language, "zh or en (default)")
      ->check(CLI::IsMember({"zh", "en"}));
  command->callback([options, &exit_code] { exit_code = print_rules(*options); });
}

}  // namespace huiliu::cli
