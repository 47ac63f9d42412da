#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/command.h"
#include "cli/template_files.h"
#include "runtime/base/diagnostics.h"

namespace huiliu::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string folder, name = "files";
};

std::vector<std::string> template_names() {
  std::vector<std::string> names;
  for (const TemplateFile& file : template_files()) {
    std::string name(file.path.substr(0, file.path.find('/')));
    if (names.empty() || names.back() != name) names.push_back(std::move(name));
  }
  return names;
}

int refuse(const std::string& message) {
  fmt::print(stderr, "error: {}\n", message);
  return kUsage;
}

/// Nothing that is there is ever overwritten.
bool write_new(const fs::path& path, std::string_view text) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  std::ofstream file(path, std::ios::binary);
  file << text;
  return file.flush().good();
}

int make(const Options& options) {
  const std::vector<std::string> names = template_names();
  if (std::find(names.begin(), names.end(), options.name) == names.end()) {
    const std::string near = runtime::nearest_hint(options.name, names);
    return refuse(fmt::format("there is no template '{}'{}; there are: {}", options.name,
                              near.empty() ? "" : " (" + near + ")", fmt::join(names, ", ")));
  }
  std::error_code error;
  const bool exists = fs::exists(options.folder, error);
  if (exists && (!fs::is_directory(options.folder) || !fs::is_empty(options.folder, error))) {
    return refuse(fmt::format("'{}' is there and is no empty folder", options.folder));
  }
  for (const TemplateFile& file : template_files()) {
    if (!file.path.starts_with(options.name + "/")) continue;
    const fs::path path = fs::path(options.folder) / file.path.substr(options.name.size() + 1);
    if (!write_new(path, file.text)) {
      fmt::print(stderr, "error: cannot write {}\n", path.string());
      return kFailed;
    }
    fmt::print("{}\n", path.string());
  }
  const std::string folder = fs::path(options.folder).lexically_normal().string();
  fmt::print(
      "\nNext:\n  huiliu validate {0}/topology.yaml\n  huiliu test {0}/cases.yaml\n"
      "  huiliu run {0}/topology.yaml\n",
      folder.size() > 1 && folder.back() == '/' ? folder.substr(0, folder.size() - 1) : folder);
  return kSuccess;
}

}  // namespace

void add_new(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("new", "Makes a folder with a topology that runs, and its cases.");
  command->footer("Examples:\n  huiliu new fines\n  huiliu new load --template generate");
  command->add_option("folder", options->folder, "a new or an empty folder")->required();
  command->add_option(
      "--template", options->name,
      fmt::format("what to begin with: {}; files unless given", fmt::join(template_names(), ", ")));
  command->callback([options, &exit_code] { exit_code = make(*options); });
}

}  // namespace huiliu::cli
