#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <spdlog/spdlog.h>

#include "cli/command.h"
#include "cli/topology_loading.h"
#include "runtime/topology/state_layout.h"
#include "service/explain/layout.h"
#include "service/explain/masker.h"
#include "service/state/state_folder.h"
#include "service/state/table_rows.h"
#include "service/temporary_folder.h"
#include "state/reader.h"

namespace huiliu::cli {
namespace {

using runtime::RowText;
using runtime::Status;

struct Options {
  std::string path, table, state;
  std::vector<std::string> where;
  std::size_t limit = 20;
  bool json = false, reveal = false, verify = false;
};

std::string json_of(const RowText& row) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> json(buffer);
  const auto text = [&](const std::string& value) {
    const std::string clean = service::json_text(value);
    return json.String(clean.data(), static_cast<rapidjson::SizeType>(clean.size()));
  };
  json.StartObject();
  for (const auto& [name, value] : row) {
    text(name);
    text(value);
  }
  json.EndObject();
  return buffer.GetString();
}

std::string line_of(const RowText& row) {
  std::string line;
  for (const auto& [name, value] : row) {
    line += fmt::format("{}{}={}", line.empty() ? "" : "  ", name, service::printable(value));
  }
  return line;
}

void print_row(const RowText& row, bool json) {
  std::puts(json ? json_of(row).c_str() : line_of(row).c_str());
}

/// Rows of a table that the topology does not know any more.
runtime::Result<std::uint64_t> count_rows(const service::OpenState& state,
                                          const std::string& table) {
  std::uint64_t rows = 0;
  for (const std::uint16_t shard : state.held) {
    const Status status =
        state.reader->for_each(table, shard, [&rows](std::string_view, std::string_view) {
          ++rows;
          return Status::ok();
        });
    if (!status.is_ok()) return status;
  }
  return rows;
}

int list_tables(const Options& options, const runtime::Topology& topology,
                const service::OpenState& state) {
  const auto layout = state.reader->meta(runtime::kLayoutPrefix);
  if (!options.json) {
    fmt::print("topology {}: epoch {}, {} of {} shards\n", topology.id, state.reader->epoch(),
               state.held.size(), topology.shards);
  }
  for (const std::string& name : state.reader->tables()) {
    const auto known = service::TableRows::find(topology, name);
    auto rows = known.is_ok() ? known.value().count(state) : count_rows(state, name);
    if (!rows.is_ok()) return report_error(rows.status());
    RowText row = {{"table", name}, {"rows", std::to_string(*rows)}};
    const std::string own = runtime::layout_key(name);
    for (const auto& [key, text] : layout) {
      if (key == own) row.emplace_back("layout", text);
    }
    if (runtime::find_table(topology, name).first == nullptr) {
      row.emplace_back("note", "the topology has no such table");
    }
    print_row(row, options.json);
  }
  return kSuccess;
}

int show_rows(const Options& options, const runtime::Topology& topology,
              const service::OpenState& state) {
  auto rows = service::TableRows::find(topology, options.table);
  if (!rows.is_ok()) return report_error(rows.status());
  auto wanted = service::parse_asked_values(options.where);
  if (!wanted.is_ok()) return report_error(wanted.status());
  const service::Masker masker(topology);
  std::size_t found = 0;
  bool more = false;
  const Status status = rows->each(state, *wanted, [&](const RowText& row) {
    if (found == options.limit) {
      more = true;
      return false;
    }
    ++found;
    RowText shown = row;
    for (auto& [field, value] : shown) {
      if (!options.reveal) value = masker.masked(field, value);
    }
    print_row(shown, options.json);
    return true;
  });
  if (!status.is_ok()) return report_error(status);
  if (more) fmt::print(stderr, "there are more; --limit shows them\n");
  if (found == 0) fmt::print(stderr, "no such row in {}\n", rows->name());
  return found > 0 ? kSuccess : kFailed;
}

/// Reads everything and names what is damaged.
int verify(const std::string& folder) {
  service::TemporaryFolder scratch;
  auto problems = state::Reader::verify(folder, scratch.path().string());
  if (!problems.is_ok()) return report_error(problems.status());
  for (const std::string& problem : *problems) fmt::print("{}\n", problem);
  if (!problems->empty()) return kDataAtRisk;
  fmt::print("the state in {} is sound\n", folder);
  return kSuccess;
}

int show(const Options& options) {
  const auto topology = load_for_run(options.path);
  if (!topology) return kUsage;
  if (options.verify) return verify(service::state_folder_of(*topology, options.state));
  service::OpenState state;
  const Status opened =
      service::open_state(*topology, service::state_folder_of(*topology, options.state), state);
  if (!opened.is_ok()) return report_error(opened);
  if (options.table.empty()) return list_tables(options, *topology, state);
  return show_rows(options, *topology, state);
}

}  // namespace

void add_state(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("state", "Lists a topology's tables, or shows rows of one.");
  command->footer(
      "Reads the state folder beside the process that runs, or after it, as of one committed "
      "epoch;\nnothing is changed. Naming every field of a table's key finds a row at once, all "
      "else reads the table.\n"
      "Examples:\n"
      "  huiliu state topologies/credit/topology.yaml\n"
      "  huiliu state topology.yaml versions --where licence_no=A-1 --json");
  command->add_option("topology", options->path, "topology file")->required();
  command->add_option("table", options->table, "NODE.TABLE, or NODE if it has one table");
  command->add_option("--state", options->state, "folder of the state instead of the file's");
  command->add_option("--where", options->where, "FIELD=VALUE that a row has; all must hold")
      ->allow_extra_args(false);
  command->add_option("--limit", options->limit, "rows shown, 20 unless given");
  command->add_flag("--verify", options->verify, "read everything and name every damaged file");
  command->add_flag("--json", options->json, "a JSON object a line");
  command->add_flag("--reveal", options->reveal, "show identity numbers of people in full");
  command->callback([options, &exit_code] { exit_code = show(*options); });
}

}  // namespace huiliu::cli
