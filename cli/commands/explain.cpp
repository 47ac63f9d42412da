#include <csignal>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/topology_loading.h"
#include "service/explain/earlier.h"
#include "service/explain/masker.h"
#include "service/explain/question.h"
#include "service/explain/recorder.h"
#include "service/explain/replay.h"
#include "service/explain/report.h"

namespace huiliu::cli {
namespace {

struct Options {
  std::string path, at, language = "both";
  std::vector<std::string> where;
  std::size_t limit = 0;
  bool json = false, reveal = false;
};

constexpr std::size_t kLimitOfValues = 5;

service::Language language_of(const Options& options) {
  if (options.language == "zh") return service::Language::kChinese;
  return options.language == "en" ? service::Language::kEnglish : service::Language::kBoth;
}

std::optional<service::Question> question_of(const Options& options) {
  service::Question question;
  if (!options.at.empty()) {
    question.row = service::parse_asked_row(options.at);
    if (!question.row) {
      fmt::print(stderr, "error: --at expects FILE:ROW or FILE.xlsx:SHEET:ROW, rows from 1\n");
      return std::nullopt;
    }
  }
  auto values = service::parse_asked_values(options.where);
  if (!values.is_ok()) {
    report_error(values.status());
    return std::nullopt;
  }
  question.values = std::move(*values);
  if (question.row.has_value() != question.values.empty()) {
    fmt::print(stderr, "error: say which record: either --at FILE:ROW or --where FIELD=VALUE\n");
    return std::nullopt;
  }
  question.limit = options.limit > 0 ? options.limit : question.row ? 1 : kLimitOfValues;
  return question;
}

/// Blocks SIGINT and SIGTERM, so that the temporary folder is removed before the process ends.
class Interrupt {
 public:
  Interrupt() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  }
  bool caught() const {
    const timespec now{0, 0};
    return sigtimedwait(&signals_, nullptr, &now) >= 0;
  }

 private:
  sigset_t signals_{};
};

service::ReplayEnd watched_replay(const runtime::Topology& topology, service::Recorder& recorder) {
  const Interrupt interrupt;
  service::ReplayHooks hooks;
  hooks.interrupted = [&interrupt] { return interrupt.caught(); };
  bool shown = false;
  if (isatty(STDERR_FILENO) == 1) {
    hooks.progress = [&shown](std::uint64_t done, std::uint64_t all) {
      shown = true;
      fmt::print(stderr, "\r{} of {} MiB\x1b[K", done >> 20, all >> 20);
      std::fflush(stderr);
    };
  }
  service::ReplayEnd end = service::replay(topology, recorder, hooks);
  if (end.status.is_ok() && !end.interrupted) {
    end = service::compare_with_earlier(topology, recorder.found(), hooks);
  }
  if (shown) std::fputs("\r\x1b[K", stderr);
  return end;
}

void find_place(const runtime::Topology& topology, service::Trace& trace) {
  const runtime::Node* node = topology.find(trace.steps.front().node);
  if (node->source == nullptr || !node->source->locate) return;
  const runtime::Origin origin{&trace.origin.file, trace.origin.row};
  trace.place = node->source->locate(*node->source_declaration, topology.folder, origin);
}

/// Takes away a record of another sheet; says so, or nothing.
std::string check_sheet(const service::Question& question, std::vector<service::Trace>& found,
                        service::Language language) {
  if (!question.row || question.row->sheet.empty() || found.empty()) return {};
  const auto& place = found.front().place;
  const std::string sheet = place ? place->sheet : "";
  if (sheet == question.row->sheet) return {};
  found.clear();
  return service::other_sheet_text(*question.row, sheet, language);
}

void print(const std::vector<service::Trace>& found, const std::string& message,
           const Options& options) {
  if (!message.empty()) fmt::print(stderr, "{}\n", message);
  if (options.json) {
    std::fputs(service::traces_json(found, message).c_str(), stdout);
    return;
  }
  for (const service::Trace& trace : found) {
    if (&trace != &found.front()) std::fputs("\n", stdout);
    std::fputs(service::trace_text(trace, language_of(options)).c_str(), stdout);
  }
}

int explain(const Options& options) {
  const auto question = question_of(options);
  if (!question) return kUsage;
  const auto topology = load_checked(options.path);
  if (!topology) return kUsage;
  if (const std::string unknown = service::unknown_field(*question, *topology); !unknown.empty()) {
    fmt::print(stderr, "error: {}\n", unknown);
    return kUsage;
  }
  spdlog::set_level(spdlog::level::off);  // the run has logged it
  service::Recorder recorder(*topology, *question);
  const service::ReplayEnd end = watched_replay(*topology, recorder);
  if (!end.status.is_ok()) return report_error(end.status);
  if (end.interrupted) return kInterrupted;
  std::vector<service::Trace>& found = recorder.found();
  const service::Masker masker(*topology);
  for (service::Trace& trace : found) {
    find_place(*topology, trace);
    if (!options.reveal) masker.mask(trace);
  }
  std::string message = check_sheet(*question, found, language_of(options));
  if (found.empty() && message.empty()) {
    message = service::not_found_text(*question, recorder.files(), language_of(options));
  }
  print(found, message, options);
  return found.empty() ? kFailed : kSuccess;
}

}  // namespace

void add_explain(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("explain", "Shows a record's way through a topology, and why it ended.");
  command->footer(
      "Reads the inputs again from their start; sinks, outputs and state are not touched. Rows "
      "are\n"
      "data rows, as source_row of the rejects. Values are found at any step, also in rejects.\n"
      "Examples:\n"
      "  huiliu explain topologies/credit/topology.yaml --at 02_scjg_penalty_2018.ndjson:3\n"
      "  huiliu explain topology.yaml --at licences.xlsx:Sheet1:12 --lang zh\n"
      "  huiliu explain topology.yaml --where reject_code=E101_MISSING --limit 2 --json");
  command->add_option("topology", options->path, "topology file")->required();
  command->add_option("--at", options->at, "FILE:ROW, or FILE.xlsx:SHEET:ROW");
  command
      ->add_option("--where", options->where,
                   "FIELD=VALUE that the record has at some step; all must hold")
      ->allow_extra_args(false);
  command->add_option("--limit", options->limit, "records shown; 1 for --at, else 5")
      ->check(CLI::Range(1, 10000));
  command->add_option("--lang", options->language, "zh, en or both (default)")
      ->check(CLI::IsMember({"zh", "en", "both"}));
  command->add_flag("--json", options->json, "as JSON");
  command->add_flag("--reveal", options->reveal, "show identity numbers of people in full");
  command->callback([options, &exit_code] { exit_code = explain(*options); });
}

}  // namespace huiliu::cli
