#include "runtime/topology/stream_checks.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace huiliu::runtime {
namespace {

class Checker final : DraftStep {
 public:
  explicit Checker(TopologyDraft& draft) : DraftStep(draft) {}

  void check_consumed() {
    for (std::size_t n = 0; n < topology_.nodes.size(); ++n) {
      const Node& node = topology_.nodes[n];
      if (node.kind == ComponentKind::kSink || node.outputs.empty() || consumed(n, 0)) continue;
      if (node.descriptor->output_optional) continue;
      bool any = false;
      for (std::size_t p = 1; p < node.outputs.size(); ++p) any = any || consumed(n, p);
      if (!any) {
        diagnostics_.warning(node.place, fmt::format("nobody reads the output of '{}'", node.name));
      }
    }
  }

  /// Records without a time would all be refused at run time.
  void check_event_time() {
    const std::vector<std::vector<std::size_t>> reached = sources_reaching(topology_);
    for (std::size_t n = 0; n < topology_.nodes.size(); ++n) {
      const Node& node = topology_.nodes[n];
      if (!node.descriptor->needs_event_time) continue;
      for (const std::size_t source : reached[n]) {
        const Node& from = topology_.nodes[source];
        if (from.source_declaration->event_time.field >= 0) continue;
        fail(node.place,
             fmt::format("'{}' needs event time, and the source '{}', whose records reach it, has "
                         "none",
                         node.name, from.name),
             "give the source `event_time: FIELD`");
      }
    }
  }

  /// A record that takes back an earlier one must not pass for a new one.
  void check_changes() {
    for (const Node& node : topology_.nodes) {
      for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        const StreamRef from = node.inputs[i];
        const Node& giver = topology_.nodes[from.node];
        if (!giver.outputs[from.port].changes) continue;
        check_changing_input(node, i, giver.outputs[from.port].schema,
                             giver.stream_name(from.port));
      }
    }
  }

  /// Whoever is alone in a group is aligned to nobody: a name is probably misspelt.
  void check_alignment() {
    std::map<std::string, std::vector<const Node*>> groups;
    for (const Node& node : topology_.nodes) {
      if (node.kind != ComponentKind::kSource) continue;
      const std::string& group = node.source_declaration->event_time.align_group;
      if (!group.empty()) groups[group].push_back(&node);
    }
    std::vector<std::string> names;
    for (const auto& [name, nodes] : groups) names.push_back(name);
    for (const auto& [name, nodes] : groups) {
      if (nodes.size() > 1) continue;
      std::vector<std::string> others = names;
      std::erase(others, name);
      const std::string hint = nearest_hint(name, others);
      fail((*nodes.front()->config)["alignment"]["group"].place(),
           fmt::format("'{}' is the only source of the alignment group '{}'", nodes.front()->name,
                       name),
           hint.empty() ? "leave `group` out to align the source's own partitions" : hint);
    }
  }

  /// Shorter than an epoch, a silence could not be told from records that come once an epoch.
  void check_idle() {
    for (const Node& node : topology_.nodes) {
      if (node.kind != ComponentKind::kSource) continue;
      EventTime& time = node.source_declaration->event_time;
      if (time.field < 0 || time.idle_ms >= topology_.epoch_ms) continue;
      const Place place = (*node.config)["idle"].place();
      if (place.line > 0) {
        fail(place,
             fmt::format("`idle` of '{}' is shorter than the topology's `epoch` of {} ms",
                         node.name, topology_.epoch_ms),
             "windows would not wait for records that come once an epoch; make it longer");
      } else {
        time.idle_ms = topology_.epoch_ms;
      }
    }
  }

 private:
  void check_changing_input(const Node& node, std::size_t input, const Schema& schema,
                            const std::string& stream) {
    if (node.kind == ComponentKind::kOperator) {
      if (changes_of(*node.descriptor, input) != Changes::kRefused) return;
      fail(node.place,
           fmt::format("records of '{}' may take back earlier ones, which '{}' of type {} would "
                       "take for new ones",
                       stream, node.name, node.type_name),
           "read a stream that only adds records, or lead this one into a `count`");
      return;
    }
    const auto field = schema.index_of(kChangeField);
    if (field && is_text(schema[*field].type)) return;
    fail(
        node.place,
        fmt::format("records of '{}' may take back earlier ones, and without the field '{}' no row "
                    "in '{}' would say so",
                    stream, kChangeField, node.name),
        "keep the field on the way to the sink");
  }

  bool consumed(std::size_t node, std::size_t port) const {
    for (const Node& other : topology_.nodes) {
      for (const StreamRef& input : other.inputs) {
        if (input.node == node && input.port == port) return true;
      }
    }
    return false;
  }
};

}  // namespace

void check_streams(TopologyDraft& draft) {
  Checker checker(draft);
  checker.check_consumed();
  checker.check_event_time();
  checker.check_idle();
  checker.check_changes();
  checker.check_alignment();
}

}  // namespace huiliu::runtime
