#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/reference_pages.h"
#include "runtime/component/registry.h"

namespace huiliu::cli {
namespace {

int write_pages(const std::string& folder) {
  namespace fs = std::filesystem;
  fs::create_directories(folder);
  for (const auto& [name, text] : reference_pages(runtime::Registry::linked())) {
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
  CLI::App* command =
      app.add_subcommand("reference", "Writes the reference pages of all types to a folder.");
  command->footer("Example:\n  huiliu reference docs/reference");
  command->add_option("folder", *folder, "where to write")->required();
  command->callback([folder, &exit_code] { exit_code = write_pages(*folder); });
}

}  // namespace huiliu::cli
