#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/command.h"
#include "cli/topology_loading.h"
#include "runtime/base/clock.h"
#include "service/state/state_folder.h"
#include "state/intake/intake_view.h"

namespace huiliu::cli {
namespace {

namespace fs = std::filesystem;
using runtime::IntakeEntry;
using runtime::Status;

struct Options {
  std::string path, state, source, to;
  std::uint64_t number = 0;
};

/// The second line of what the source keeps beside a body (connectors/http/batch_form.h).
std::string sender_of(const IntakeEntry& entry) {
  const std::size_t first = entry.about.find('\n');
  if (first == std::string::npos) return "";
  return entry.about.substr(first + 1, entry.about.find('\n', first + 1) - first - 1);
}

/// Calls `work` with the state folder and the source, which need not be named if there is one.
template <class Work>
int with_source(const Options& options, const Work& work) {
  const auto topology = load_for_run(options.path);
  if (!topology) return kUsage;
  const std::string folder = service::state_folder_of(*topology, options.state);
  const auto sources = state::intakes_in(folder);
  if (sources.empty()) return report_error(Status::not_found("there is no intake in " + folder));
  if (options.source.empty() && sources.size() > 1) {
    return report_error(
        Status::invalid(fmt::format("name one of the sources: {}", fmt::join(sources, ", "))));
  }
  return work(folder, options.source.empty() ? sources.front() : options.source);
}

int list(const Options& options) {
  return with_source(options, [](const std::string& folder, const std::string& source) {
    fmt::print("{:>10}  {:<24}  {:<16} {:>8} {:>10}\n", "number", "arrived", "sender", "rows",
               "bytes");
    const Status status = state::for_each_entry(folder, source, [](const IntakeEntry& entry) {
      fmt::print("{:>10}  {:<24}  {:<16} {:>8} {:>10}\n", entry.number,
                 runtime::utc_text(entry.arrived_ms), sender_of(entry), entry.records,
                 entry.body.size());
    });
    return status.is_ok() ? kSuccess : report_error(status);
  });
}

int read(const Options& options) {
  return with_source(options, [&](const std::string& folder, const std::string& source) {
    bool found = false;
    const Status status = state::for_each_entry(folder, source, [&](const IntakeEntry& entry) {
      if (entry.number != options.number) return;
      found = true;
      std::fwrite(entry.body.data(), 1, entry.body.size(), stdout);
    });
    if (found) return static_cast<int>(kSuccess);
    if (!status.is_ok()) return report_error(status);
    return report_error(Status::not_found(fmt::format(
        "request {} of {} is not kept any longer, or never came", options.number, source)));
  });
}

/// As they were sent, one file each, with the list beside them. Only its owner may read them.
int write_all(const Options& options) {
  return with_source(options, [&](const std::string& folder, const std::string& source) {
    std::error_code error;
    fs::create_directories(options.to, error);
    fs::permissions(options.to, fs::perms::owner_all, error);
    std::ofstream index(fs::path(options.to) / "index.csv");
    index << "number,arrived,sender,rows,file\n";
    std::uint64_t count = 0;
    bool wrote = index.good();
    const Status status = state::for_each_entry(folder, source, [&](const IntakeEntry& entry) {
      const std::string name = fmt::format("{:010}", entry.number);
      std::ofstream(fs::path(options.to) / name, std::ios::binary) << entry.body;
      index << entry.number << ',' << runtime::utc_text(entry.arrived_ms) << ',' << sender_of(entry)
            << ',' << entry.records << ',' << name << '\n';
      ++count;
    });
    index.close();
    wrote = wrote && index.good();
    if (!status.is_ok()) return report_error(status);
    if (!wrote) return report_error(Status::failed("cannot write to " + options.to));
    fmt::print("{} requests of {} are in {}\n", count, source, options.to);
    return static_cast<int>(kSuccess);
  });
}

CLI::App* add_one(CLI::App* intake, const char* name, const char* help,
                  const std::shared_ptr<Options>& options) {
  CLI::App* command = intake->add_subcommand(name, help);
  command->add_option("topology", options->path, "topology file")->required();
  command->add_option("--source", options->source, "if several have an intake");
  command->add_option("--state", options->state, "folder of the state instead of the file's");
  return command;
}

}  // namespace

void add_intake(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* intake = app.add_subcommand(
      "intake", "Shows what was sent to a source and is kept, also while the topology runs.");
  intake->require_subcommand(1);
  intake->footer(
      "What was sent holds personal data: `read` and `export` give it as it came.\n"
      "Examples:\n  huiliu intake list topology.yaml\n  huiliu intake read topology.yaml 17\n"
      "  huiliu intake export topology.yaml --to requests");
  CLI::App* one = add_one(intake, "list", "Lists the requests.", options);
  one->callback([options, &exit_code] { exit_code = list(*options); });
  one = add_one(intake, "read", "Prints one request as it came.", options);
  one->add_option("number", options->number, "of the request")->required();
  one->callback([options, &exit_code] { exit_code = read(*options); });
  one = add_one(intake, "export", "Writes the requests into files.", options);
  one->add_option("--to", options->to, "folder")->required();
  one->callback([options, &exit_code] { exit_code = write_all(*options); });
}

}  // namespace huiliu::cli
