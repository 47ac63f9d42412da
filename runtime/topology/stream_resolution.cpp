#include "runtime/topology/stream_resolution.h"

#include <fmt/format.h>

namespace huiliu::runtime {
namespace {

class Resolver final : DraftStep {
 public:
  explicit Resolver(TopologyDraft& draft) : DraftStep(draft) {}

  void resolve_inputs(NodeDraft& draft) {
    for (const InputDraft& input : draft.inputs) {
      std::vector<std::string> names;
      NodeDraft* found = nullptr;
      for (NodeDraft& other : drafts_) {
        const bool streams = other.node.kind != ComponentKind::kSink || other.may_refuse();
        if (!streams) continue;
        names.push_back(other.node.name);
        if (other.node.name == input.node) found = &other;
      }
      if (found && found->node.kind == ComponentKind::kSink && input.port != kRejects) {
        fail(input.place, fmt::format("the sink '{}' has no output but its rejects", input.node),
             fmt::format("did you mean '{}.rejects'?", input.node));
        continue;
      }
      if (!found) {
        fail(input.place, fmt::format("there is no stream '{}'", input.node),
             nearest_hint(input.node, names));
        continue;
      }
      draft.upstream.push_back(found);
    }
  }

  bool visit(NodeDraft& draft) {
    if (draft.mark == 2) return true;
    if (draft.mark == 1) {
      fail(draft.node.place,
           fmt::format("'{}' is its own input: the streams form a cycle", draft.node.name));
      return false;
    }
    draft.mark = 1;
    if (draft.receipts_of != nullptr && !visit(*draft.receipts_of)) return false;
    for (NodeDraft* upstream : draft.upstream) {
      if (!visit(*upstream)) return false;
    }
    draft.mark = 2;
    draft.index = order_.size();
    order_.push_back(&draft);
    return true;
  }

  bool sort() {
    order_.clear();
    for (NodeDraft& draft : drafts_) draft.mark = 0;
    for (NodeDraft& draft : drafts_) {
      if (!visit(draft)) return false;
    }
    return !failed_;
  }
};

}  // namespace

void resolve_streams(TopologyDraft& draft) {
  Resolver resolver(draft);
  for (NodeDraft& node : draft.nodes) resolver.resolve_inputs(node);
}

bool sort_nodes(TopologyDraft& draft) { return Resolver(draft).sort(); }

}  // namespace huiliu::runtime
