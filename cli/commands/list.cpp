#include <cstdio>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/command.h"
#include "runtime/registry.h"

namespace huiliu::cli {

void add_list(CLI::App& app, int&) {
  CLI::App* command = app.add_subcommand("list", "Lists sources, operators and sinks.");
  command->footer("Example:\n  huiliu list");
  command->callback([] {
    using runtime::ComponentKind;
    for (const auto kind :
         {ComponentKind::kSource, ComponentKind::kOperator, ComponentKind::kSink}) {
      std::string text = fmt::format("{}s\n", kind_name(kind));
      for (const auto* descriptor : runtime::Registry::linked().descriptors(kind)) {
        text += fmt::format("  {:<16} {}\n", descriptor->name, descriptor->summary);
      }
      std::fputs(text.c_str(), stdout);
    }
  });
}

}  // namespace huiliu::cli
