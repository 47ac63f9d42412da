#include "runtime/topology/stream_checks.h"

#include <algorithm>

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

  /// Whether records with event time may reach each node; inputs come first.
  std::vector<bool> timed_nodes() const {
    std::vector<bool> timed;
    for (const Node& node : topology_.nodes) {
      const bool own =
          node.kind == ComponentKind::kSource && node.source_declaration->event_time_field >= 0;
      timed.push_back(own || std::any_of(node.inputs.begin(), node.inputs.end(),
                                         [&](const StreamRef& from) { return timed[from.node]; }));
    }
    return timed;
  }

  /// Without any event time such an operator would refuse every record at run time.
  void check_event_time() {
    const std::vector<bool> timed = timed_nodes();
    for (std::size_t n = 0; n < topology_.nodes.size(); ++n) {
      const Node& node = topology_.nodes[n];
      if (!node.descriptor->needs_event_time || timed[n]) continue;
      fail(
          node.place,
          fmt::format("'{}' needs event time, and no source that it reads from has any", node.name),
          "give the source `event_time: FIELD`");
    }
  }

 private:
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
}

}  // namespace huiliu::runtime
