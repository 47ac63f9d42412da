#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/descriptor_text.h"
#include "cli/topology_loading.h"
#include "runtime/component/registry.h"

namespace huiliu::cli {
namespace {

struct Options {
  std::string kind, name;
  std::vector<std::string> libraries;
  bool json = false, markdown = false;
};

int describe(const Options& options) {
  const auto registry = registry_with(options.libraries);
  if (!registry) return kUsage;
  std::vector<std::string> names;
  for (const auto kind : runtime::kAllKinds) {
    if (kind_name(kind) != options.kind) continue;
    for (const auto* descriptor : registry->descriptors(kind)) {
      names.push_back(descriptor->name);
      if (descriptor->name != options.name) continue;
      const std::string text = options.json       ? descriptor_json(*descriptor)
                               : options.markdown ? descriptor_markdown(*descriptor)
                                                  : descriptor_text(*descriptor);
      std::fputs(text.c_str(), stdout);
      return kSuccess;
    }
  }
  std::fprintf(stderr, "error: there is no %s '%s' %s\n", options.kind.c_str(),
               options.name.c_str(), runtime::nearest_hint(options.name, names).c_str());
  return kUsage;
}

}  // namespace

void add_describe(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("describe", "Shows a type's options, outputs, example.");
  command->footer(
      "Examples:\n  huiliu describe operator filter\n  huiliu describe --json sink file");
  command->add_option("kind", options->kind, "source, operator, sink or backend")
      ->required()
      ->check(CLI::IsMember({"source", "operator", "sink", "backend"}));
  command->add_option("name", options->name, "name of the type")->required();
  command->add_option("--library", options->libraries, "shared library to load")
      ->allow_extra_args(false);
  auto* json = command->add_flag("--json", options->json, "as JSON");
  command->add_flag("--markdown", options->markdown, "as the reference page")->excludes(json);
  command->callback([options, &exit_code] { exit_code = describe(*options); });
}

}  // namespace huiliu::cli
