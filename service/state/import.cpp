#include "service/state/import.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include "runtime/base/clock.h"
#include "runtime/base/failpoint.h"
#include "runtime/base/machine.h"
#include "runtime/component/meta_key.h"
#include "runtime/engine/plumbing.h"
#include "runtime/record/key.h"
#include "runtime/topology/state_layout.h"
#include "state/table.h"

namespace huiliu::service {

using runtime::ComponentKind;
using runtime::EpochCommit;
using runtime::Node;
using runtime::Result;
using runtime::Status;

namespace {

/// Says from which snapshot the state came, or is coming: "NAME begun", "NAME done". The 0 is the
/// shard that it belongs to.
constexpr const char* kFrom = "from/0";

const runtime::LayoutAdoption* adoption_of(const ImportPlan& plan, const std::string& table) {
  const auto found = std::find_if(plan.adoptions.begin(), plan.adoptions.end(),
                                  [&](const auto& one) { return one.table == table; });
  return found == plan.adoptions.end() ? nullptr : &*found;
}

/// Plans one start: what becomes of each part of the snapshot.
class Planner {
 public:
  Planner(const state::Snapshot& snapshot, const runtime::Topology& topology)
      : snapshot_(snapshot), topology_(topology), layout_(snapshot.meta(runtime::kLayoutPrefix)) {}

  Result<ImportPlan> plan() {
    if (snapshot_.info().shards != topology_.shards) {
      return Status::invalid(fmt::format(
          "the snapshot has {} shards, the topology {}: `shards` is fixed for the life of the "
          "state; use the snapshot's number",
          snapshot_.info().shards, topology_.shards));
    }
    runtime::StateLayout adopted = layout_;
    plan_.adoptions = runtime::adopt_layouts(topology_, adopted);
    if (Status status = runtime::check_layout(topology_, adopted); !status.is_ok()) return status;
    plan_tables();
    for (const Node& node : topology_.nodes) {
      if (Status status = plan_node(node); !status.is_ok()) return status;
    }
    find_left_out();
    return std::move(plan_);
  }

 private:
  bool knows(const std::string& name) const {
    const std::string key = runtime::layout_key(name);
    return std::any_of(layout_.begin(), layout_.end(),
                       [&](const auto& one) { return one.first == key; });
  }

  void plan_tables() {
    for (const auto& [key, layout] : runtime::state_layout(topology_)) {
      const std::string name = key.substr(runtime::kLayoutPrefix.size());
      if (runtime::find_table(topology_, name).first == nullptr) continue;
      const auto& tables = snapshot_.info().tables;
      const auto found = std::find_if(tables.begin(), tables.end(),
                                      [&](const auto& table) { return table.name == name; });
      const runtime::LayoutAdoption* adoption = adoption_of(plan_, name);
      if (found == tables.end()) {
        plan_.empty.push_back("table " + name);
      } else if (adoption == nullptr) {
        plan_.taken.push_back(fmt::format("table {} ({} rows)", name, found->rows));
      } else {
        auto& list = adoption->adoption.row ? plan_.taken : plan_.empty;
        list.push_back(
            fmt::format("table {} ({} rows: {})", name, found->rows, adoption->adoption.note));
      }
    }
  }

  Status plan_node(const Node& node) {
    if (node.kind == ComponentKind::kOperator || node.internal) return Status::ok();
    if (!knows(node.name)) {
      plan_.empty.push_back(fmt::format("{} {}", kind_name(node.kind), node.name));
      return Status::ok();
    }
    if (node.kind == ComponentKind::kSource) return take(node, runtime::MetaKey::source(node.name));
    return node.sink->create_outbox_sink ? plan_store(node) : plan_file(node);
  }

  Status take(const Node& node, const std::string& prefix) {
    const auto found = snapshot_.meta(prefix);
    plan_.meta.insert(plan_.meta.end(), found.begin(), found.end());
    plan_.taken.push_back(
        fmt::format("{} {} ({} positions)", kind_name(node.kind), node.name, found.size()));
    return Status::ok();
  }

  // What is not delivered yet goes on being delivered; the store itself knows how far it came.
  Status plan_store(const Node& node) {
    const std::string key = runtime::MetaKey::outbox(node.name);
    const std::string saved = runtime::value_of_key(snapshot_.meta(key), key);
    if (!saved.empty()) plan_.meta.emplace_back(key, saved);
    const std::string entries = runtime::MetaKey::outbox_entries(node.name);
    const std::string known = runtime::value_of_key(snapshot_.meta(entries), entries);
    if (!known.empty()) plan_.meta.emplace_back(entries, known);
    plan_.logs.push_back(node.name);
    plan_.taken.push_back("sink " + node.name);
    return Status::ok();
  }

  Status plan_file(const Node& node) {
    const std::string prefix = runtime::MetaKey::sink(node.name);
    const auto sink = node.sink->create_epoch_sink(*node.sink_declaration);
    runtime::SinkContext context;
    context.node_name = node.name;
    context.base_folder = topology_.folder;
    context.clock = &runtime::system_clock();
    context.positions = runtime::without_prefix(snapshot_.meta(prefix), prefix);
    auto fits = sink->fits(context);
    if (!fits.is_ok()) return Status::invalid(node.name + ": " + fits.status().message());
    if (*fits) return take(node, prefix);
    plan_.empty.push_back("sink " + node.name);
    return Status::ok();
  }

  void find_left_out() {
    for (const auto& table : snapshot_.info().tables) {
      if (table.rows == 0 || runtime::find_table(topology_, table.name).first != nullptr) continue;
      plan_.left_out.push_back(fmt::format("table {} ({} rows)", table.name, table.rows));
    }
    for (const auto& [key, layout] : layout_) {
      const bool is_node = layout.starts_with("source ") || layout.starts_with("sink ");
      const std::string name = key.substr(runtime::kLayoutPrefix.size());
      if (is_node && topology_.find(name) == nullptr) plan_.left_out.push_back(layout + " " + name);
    }
  }

  const state::Snapshot& snapshot_;
  const runtime::Topology& topology_;
  const runtime::StateLayout layout_;
  ImportPlan plan_;
};

/// Commits the content of a snapshot, some MiB a time.
class Import {
 public:
  Import(const state::Snapshot& snapshot, const ImportPlan& plan, const runtime::Topology& topology,
         runtime::Backend& backend, const std::function<bool()>& interrupted)
      : snapshot_(snapshot),
        plan_(plan),
        topology_(topology),
        backend_(backend),
        interrupted_(interrupted),
        epoch_(backend.last_epoch()) {}

  Status run() {
    // Said first: whoever starts next must know that there is no whole state yet.
    if (Status status = commit({{kFrom, snapshot_.info().name + " begun"}}); !status.is_ok()) {
      return status;
    }
    for (const auto& table : snapshot_.info().tables) {
      if (runtime::find_table(topology_, table.name).first == nullptr) continue;
      if (Status status = fill(table.name); !status.is_ok()) return status;
    }
    for (const std::string& log : plan_.logs) {
      const Status status =
          snapshot_.for_each_log(log, [&](state::LogEntry entry) { return add(log, entry); });
      if (!status.is_ok()) return status;
    }
    auto meta = plan_.meta;
    for (auto& one : runtime::state_layout(topology_)) meta.push_back(std::move(one));
    meta.emplace_back(kFrom, snapshot_.info().name + " done");
    runtime::failpoint("import.before_last");
    return commit(std::move(meta));
  }

 private:
  static constexpr std::uint64_t kStep = 32u << 20;

  Status fill(const std::string& name) {
    const runtime::LayoutAdoption* adoption = adoption_of(plan_, name);
    if (adoption != nullptr && !adoption->adoption.row) return Status::ok();
    const auto shards = topology_.all_shards();
    auto table = backend_.open_table(name, shards);
    if (!table.is_ok()) return table.status();
    table_ = *table;
    for (const std::uint16_t shard : shards) {
      const Status status =
          snapshot_.for_each(name, shard, [&](std::string_view key, std::string_view value) {
            if (adoption == nullptr) {
              put(shard, key, value);
            } else if (!adopt(*adoption, shard, key, value)) {
              return Status::corrupt(
                  fmt::format("a row of table {} in the snapshot is not what its layout says; take "
                              "another snapshot",
                              name));
            }
            return unsaved_ < kStep ? Status::ok() : commit({});
          });
      if (!status.is_ok()) return status;
    }
    const Status status = commit({});
    table_ = nullptr;
    if (left_out_ > 0) {
      spdlog::warn("table {}: {} rows of the snapshot have no key of today and are left out", name,
                   std::exchange(left_out_, 0));
    }
    return status;
  }

  void put(std::uint16_t shard, std::string_view key, std::string_view value) {
    table_->put(shard, key, runtime::KeyBuilder::hash_bytes(key), value);
    unsaved_ += key.size() + value.size();
  }

  bool adopt(const runtime::LayoutAdoption& how, std::uint16_t shard, std::string_view key,
             std::string_view value) {
    const auto row = how.adoption.row(key, value);
    if (!row) return false;
    if (row->key.empty()) {
      ++left_out_;
      return true;
    }
    if (!row->stays) {
      const std::uint64_t hash = runtime::KeyBuilder::hash_bytes(row->record_key);
      shard = runtime::shard_of_hash(hash, topology_.shards);
    }
    put(shard, row->key, row->value);
    return true;
  }

  Status add(const std::string& log, state::LogEntry& entry) {
    unsaved_ += entry.bytes.size();
    appends_.push_back({log, entry.sequence, std::move(entry.bytes), entry.records});
    return unsaved_ < kStep ? Status::ok() : commit({});
  }

  Status commit(std::vector<std::pair<std::string, std::string>> meta) {
    constexpr std::int64_t kPauseMs = 10;
    if (interrupted_ && interrupted_()) return Status::restart("the start is interrupted");
    EpochCommit step;
    step.epoch = ++epoch_;
    step.meta = std::move(meta);
    step.appends = std::move(appends_);
    appends_.clear();
    if (table_ != nullptr) step.changes.push_back(backend_.freeze(*table_, step.epoch));
    unsaved_ = 0;
    const Status status = backend_.commit(step);
    runtime::failpoint("import.after_step");
    while (status.is_ok() && backend_.pacing().pause) runtime::sleep_ms(kPauseMs);
    return status;
  }

  const state::Snapshot& snapshot_;
  const ImportPlan& plan_;
  const runtime::Topology& topology_;
  runtime::Backend& backend_;
  const std::function<bool()>& interrupted_;
  std::uint64_t epoch_;
  std::uint64_t unsaved_ = 0, left_out_ = 0;
  state::Table* table_ = nullptr;
  std::vector<runtime::LogAppend> appends_;
};

}  // namespace

Result<ImportPlan> plan_import(const state::Snapshot& snapshot, const runtime::Topology& topology,
                               bool may_leave_out) {
  auto plan = Planner(snapshot, topology).plan();
  if (!plan.is_ok() || plan->left_out.empty() || may_leave_out) return plan;
  return Status::invalid(fmt::format(
      "the topology has no place for what the snapshot holds of: {}. Name its nodes as they were, "
      "or give --leave-out to go without",
      fmt::join(plan->left_out, ", ")));
}

Result<ImportState> import_state(const state::Snapshot& snapshot, const runtime::Backend& backend) {
  const auto owned = backend.owned_shards();
  if (!owned.empty() && owned.size() != snapshot.info().shards) {
    return Status::invalid(
        "several workers share the topology already: start it from a snapshot with one worker, the "
        "others after it");
  }
  const auto from = backend.meta(kFrom);
  const std::string& name = snapshot.info().name;
  if (!from.empty() && from.front().second == name + " done") return ImportState::kDone;
  if (!from.empty() && from.front().second == name + " begun") return ImportState::kBegun;
  if (!from.empty() || !backend.meta(runtime::kLayoutPrefix).empty()) {
    return Status::invalid(fmt::format(
        "there is state already{}: --from is for a start without any. Use another state folder or "
        "`topology` id, or leave --from out to go on with what there is",
        from.empty() ? "" : " (from snapshot " + from.front().second + ")"));
  }
  return ImportState::kNone;
}

Status check_whole(const runtime::Backend& backend) {
  const auto from = backend.meta(kFrom);
  if (from.empty() || !from.front().second.ends_with(" begun")) return Status::ok();
  const std::string& text = from.front().second;
  return Status::invalid(fmt::format(
      "a start from snapshot {} was not finished, the state is not whole: give --from with that "
      "snapshot again",
      text.substr(0, text.rfind(' '))));
}

Status import_snapshot(const state::Snapshot& snapshot, const ImportPlan& plan,
                       const runtime::Topology& topology, runtime::Backend& backend,
                       const std::function<bool()>& interrupted) {
  return Import(snapshot, plan, topology, backend, interrupted).run();
}

std::string import_text(const state::Snapshot& snapshot, const ImportPlan& plan) {
  const auto& info = snapshot.info();
  std::string text = fmt::format("from snapshot {} of topology {}, epoch {}, {}\n", info.name,
                                 info.topology, info.epoch, info.time);
  const auto lines = [&text](const char* head, const std::vector<std::string>& items) {
    for (const std::string& item : items) text += fmt::format("  {:<12} {}\n", head, item);
  };
  lines("taken over", plan.taken);
  lines("starts empty", plan.empty);
  lines("left out", plan.left_out);
  return text;
}

}  // namespace huiliu::service
