#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fnmatch.h>
#include <spdlog/spdlog.h>

#include "cli/command.h"
#include "runtime/component/descriptor.h"
#include "service/golden/golden_case.h"

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
  static const std::vector<Option> options = {{.name = "name", .required = true},
                                              {.name = "topology", .type = OptionType::kAny},
                                              {.name = "now"},
                                              {.name = "input", .type = OptionType::kAny},
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

struct Options {
  std::vector<std::string> files;
  std::string filter;  ///< glob on the names of cases; "" = all
  std::string junit;   ///< file to write the results to; "" = none
};

struct CaseResult {
  std::string name;
  std::string difference;
  double seconds = 0;
};

struct FileResult {
  std::string path;
  std::vector<CaseResult> cases;
};

std::string xml_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool control = static_cast<unsigned char>(c) < ' ' && c != '\n' && c != '\t';
    c == '<'   ? out.append("&lt;")
    : c == '&' ? out.append("&amp;")
    : c == '"' ? out.append("&quot;")
    : control  ? out.append("?")
               : out.append(1, c);
  }
  return out;
}

/// The form of JUnit's reports that CI servers read.
std::string junit_report(const std::vector<FileResult>& files) {
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  for (const FileResult& file : files) {
    const auto failed =
        std::count_if(file.cases.begin(), file.cases.end(),
                      [](const CaseResult& one) { return !one.difference.empty(); });
    out += fmt::format("  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\">\n",
                       xml_text(file.path), file.cases.size(), failed);
    for (const CaseResult& one : file.cases) {
      out += fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\"",
                         xml_text(file.path), xml_text(one.name), one.seconds);
      out += one.difference.empty()
                 ? "/>\n"
                 : fmt::format("><failure message=\"differs\">{}</failure></testcase>\n",
                               xml_text(one.difference));
    }
    out += "  </testsuite>\n";
  }
  return out + "</testsuites>\n";
}

bool is_chosen(const std::string& name, const std::string& filter) {
  return filter.empty() || ::fnmatch(filter.c_str(), name.c_str(), 0) == 0;
}

int test_file(const std::string& path, const std::string& filter,
              std::vector<FileResult>& results) {
  const service::GoldenFolders folders;
  Diagnostics diagnostics;
  const Config root = runtime::load_config(path, diagnostics);
  check_file(root, diagnostics);
  std::fputs(diagnostics.to_string().c_str(), stderr);
  if (diagnostics.has_errors()) return kUsage;
  std::size_t failed = 0;
  FileResult& result = results.emplace_back(FileResult{path, {}});
  for (const Config& golden : root["cases"].items()) {
    const std::string& name = golden["name"].text();
    if (!is_chosen(name, filter)) continue;
    const auto started = std::chrono::steady_clock::now();
    const std::string difference = service::run_golden_case({root, golden, path}, folders);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
    if (!difference.empty()) ++failed;
    std::printf("%s %s\n%s", difference.empty() ? "ok  " : "FAIL", name.c_str(),
                difference.c_str());
    result.cases.push_back({name, difference, took.count()});
  }
  std::printf("%s: %zu cases, %zu failed\n", path.c_str(), result.cases.size(), failed);
  return failed == 0 ? kSuccess : kFailed;
}

}  // namespace

void add_test(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("test", "Runs golden cases of topologies on a virtual clock.");
  command->footer(
      "A case names a topology, its input files and the records that shall reach its sinks; '-' "
      "is\n"
      "what was expected, '+' what was found. No sink is opened.\n"
      "Example:\n  huiliu test topologies/credit/cases/*.yaml");
  command->add_option("file", options->files, "files of cases")->required();
  command->add_option("--filter", options->filter, "runs cases with such a name, e.g. '*penalty*'");
  command->add_option("--junit", options->junit, "writes the results to this file, for CI servers");
  command->callback([options, &exit_code] {
    spdlog::set_level(spdlog::level::warn);
    std::vector<FileResult> results;
    for (const std::string& path : options->files) {
      exit_code = std::max(exit_code, test_file(path, options->filter, results));
    }
    std::size_t run = 0;
    for (const FileResult& file : results) run += file.cases.size();
    if (run == 0 && exit_code == kSuccess) {
      std::fprintf(stderr, "error: no case has a name like '%s'\n", options->filter.c_str());
      exit_code = kUsage;
    }
    if (options->junit.empty()) return;
    std::ofstream report(options->junit);
    report << junit_report(results);
    report.close();
    if (report) return;
    std::fprintf(stderr, "error: cannot write %s\n", options->junit.c_str());
    exit_code = std::max<int>(exit_code, kFailed);
  });
}

}  // namespace huiliu::cli
