#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/man_page.h"
#include "cli/reference_pages.h"
#include "runtime/component/registry.h"

namespace huiliu::cli {
namespace {

int write_pages(const std::string& folder, const std::map<std::string, std::string>& pages) {
  namespace fs = std::filesystem;
  fs::create_directories(folder);
  for (const auto& [name, text] : pages) {
    std::ofstream file(fs::path(folder) / name, std::ios::binary);
    file << text;
    if (!file.flush()) {
      std::fprintf(stderr, "error: cannot write '%s'\n", (fs::path(folder) / name).c_str());
      return kFailed;
    }
  }
  return kSuccess;
}

}  // namespace

void add_reference(CLI::App& app, int& exit_code) {
  auto folder = std::make_shared<std::string>();
  auto man = std::make_shared<bool>(false);
  CLI::App* command =
      app.add_subcommand("reference", "Writes the reference pages of all types to a folder.");
  command->footer(
      "Examples:\n  huiliu reference docs/reference\n  huiliu reference --man /tmp/man");
  command->add_option("folder", *folder, "where to write")->required();
  command->add_flag("--man", *man, "the page for man, huiliu.1, instead");
  command->callback([&app, folder, man, &exit_code] {
    const auto& registry = runtime::Registry::linked();
    exit_code = *man ? write_pages(*folder, {{"huiliu.1", man_page(app, registry)}})
                     : write_pages(*folder, reference_pages(registry));
  });
}

}  // namespace huiliu::cli
