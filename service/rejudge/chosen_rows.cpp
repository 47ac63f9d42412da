#include "service/rejudge/chosen_rows.h"

#include <functional>

#include <fmt/format.h>
#include <fnmatch.h>

#include "operators/refused.h"

namespace huiliu::service {
namespace {

using operators::RefusedRow;
using operators::VerdictCount;
using runtime::Status;

bool matches_file(const std::string& pattern, const std::string& partition) {
  if (pattern.empty() || ::fnmatch(pattern.c_str(), partition.c_str(), 0) == 0) return true;
  const std::string name = partition.substr(partition.rfind('/') + 1);
  return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

bool matches_rule(const std::string& asked, const std::string& rule) {
  return asked.empty() || asked == rule || asked == rule.substr(0, rule.find('@'));
}

/// Rows of a table of each node of type `refused`.
template <class Row>
Status each(const runtime::Topology& topology, const OpenState& state, std::string_view table,
            const std::function<void(std::string_view key, const Row&)>& visit) {
  for (const std::string& node : refused_nodes(topology)) {
    const std::string name = fmt::format("{}.{}", node, table);
    for (const std::uint16_t shard : state.held) {
      const auto take = [&](std::string_view key, std::string_view value) {
        const auto row = Row::parse(value);
        if (!row) return Status::corrupt("table " + name + ": a row cannot be read");
        visit(key, *row);
        return Status::ok();
      };
      if (Status status = state.reader->for_each(name, shard, take); !status.is_ok()) return status;
    }
  }
  return Status::ok();
}

}  // namespace

std::string RejudgeRequest::text() const { return fmt::format("file={} rule={}", file, rule); }

std::vector<std::string> refused_nodes(const runtime::Topology& topology) {
  std::vector<std::string> names;
  for (const runtime::Node& node : topology.nodes) {
    if (node.kind == runtime::ComponentKind::kOperator &&
        node.type_name == operators::kRefusedType) {
      names.push_back(node.name);
    }
  }
  return names;
}

runtime::Result<ChosenRows> choose_rows(const runtime::Topology& topology, const OpenState& state,
                                        const RejudgeRequest& request) {
  runtime::Rejudgement last;
  for (const auto& [key, value] : state.reader->meta(runtime::Rejudgement::kKey)) {
    last = runtime::Rejudgement::parse(value);
  }
  ChosenRows chosen;
  chosen.goes_on = last.open && !request.anew && last.text == request.text();
  const std::uint64_t number = chosen.goes_on ? last.number : last.number + 1;
  chosen.selection = std::make_unique<runtime::Selection>(number, request.text());
  const auto visit = [&](std::string_view, const RefusedRow& row) {
    if (row.rejudgement == number) return;  // refused again before the interruption
    if (matches_file(request.file, row.partition) && matches_rule(request.rule, row.rule)) {
      chosen.selection->add(row.partition, {row.row, row.id, row.code});
    }
  };
  const Status status = each<RefusedRow>(topology, state, operators::kRefusedRows, visit);
  if (!status.is_ok()) return status;
  return chosen;
}

runtime::Result<RejudgeOutcome> outcome_of(const runtime::Topology& topology,
                                           const OpenState& state,
                                           const runtime::Selection& selection) {
  RejudgeOutcome outcome;
  Status status = each<VerdictCount>(topology, state, operators::kRefusedVerdicts,
                                     [&](std::string_view key, const VerdictCount& verdict) {
                                       if (verdict.rejudgement != selection.number()) return;
                                       outcome.verdicts[std::string(key)] += verdict.count;
                                     });
  if (!status.is_ok()) return status;
  status = each<RefusedRow>(topology, state, operators::kRefusedRows,
                            [&](std::string_view, const RefusedRow& row) {
                              if (row.rejudgement == selection.number()) return;
                              if (selection.has(row.id)) ++outcome.not_judged[row.partition];
                            });
  if (!status.is_ok()) return status;
  return outcome;
}

}  // namespace huiliu::service
