#include "runtime/topology/reject_routing.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace huiliu::runtime {
namespace {

class Router final : DraftStep {
 public:
  Router(TopologyDraft& draft, std::vector<NodeDraft*> unread)
      : DraftStep(draft), unread_(std::move(unread)) {}

  std::vector<NodeDraft*> take_unread() { return std::move(unread_); }

  bool rejects_are_read(const NodeDraft& draft) const {
    return std::any_of(drafts_.begin(), drafts_.end(), [&](const NodeDraft& other) {
      return std::any_of(other.inputs.begin(), other.inputs.end(), [&](const InputDraft& input) {
        return input.node == draft.node.name && input.port == kRejects;
      });
    });
  }

  /// `from` and all that it feeds, however far.
  std::set<const NodeDraft*> fed_by(const NodeDraft* from) const {
    std::set<const NodeDraft*> fed = {from};
    for (const NodeDraft* draft : order_) {
      const auto& upstream = draft->upstream;
      const bool any = std::any_of(upstream.begin(), upstream.end(),
                                   [&](const NodeDraft* one) { return fed.contains(one); });
      if (any) fed.insert(draft);
    }
    return fed;
  }

  /// Rejects that no node reads go to the sink that `rejects` names. The rejects of that sink and
  /// of what reads them cannot: they would come back to where they were refused.
  void route_rejects(const Config& rejects) {
    NodeDraft* target = nullptr;
    for (NodeDraft& draft : drafts_) {
      const bool named = rejects.is_scalar() && draft.node.name == rejects.text();
      if (named && draft.node.kind == ComponentKind::kSink) target = &draft;
    }
    const std::set<const NodeDraft*> behind = fed_by(target);
    for (NodeDraft* draft : order_) {
      if (!draft->may_refuse() || rejects_are_read(*draft)) continue;
      if (target == nullptr || behind.contains(draft)) {
        unread_.push_back(draft);
        continue;
      }
      target->inputs.push_back({draft->node.name, std::string(kRejects), rejects.place()});
      target->upstream.push_back(draft);
    }
  }

  void report_rejects(const Config& rejects) {
    std::vector<std::string> names;
    for (const Node& node : topology_.nodes) {
      if (node.kind == ComponentKind::kSink) names.push_back(node.name);
    }
    const bool known = std::find(names.begin(), names.end(), rejects.text()) != names.end();
    if (rejects.is_scalar() && !known) {
      return fail(rejects.place(), fmt::format("there is no sink '{}'", rejects.text()),
                  nearest_hint(rejects.text(), names));
    }
    for (const NodeDraft* draft : unread_) {
      // The last sink in the line has nobody to hand its rejects to: they are counted and logged.
      const Node& node = topology_.nodes[draft->index];
      if (rejects.is_scalar() && node.kind == ComponentKind::kSink) continue;
      fail(
          node.place, fmt::format("the rejects of '{}' go nowhere", node.name),
          fmt::format("{}use '{}.rejects' as an input",
                      rejects.is_scalar() ? "" : "set `rejects: SINK` at the top, or ", node.name));
    }
  }

 private:
  std::vector<NodeDraft*> unread_;  // whose rejects no node reads
};

}  // namespace

std::vector<NodeDraft*> route_rejects(const Config& rejects, TopologyDraft& draft) {
  Router router(draft, {});
  router.route_rejects(rejects);
  return router.take_unread();
}

void report_rejects(const Config& rejects, const std::vector<NodeDraft*>& unread,
                    TopologyDraft& draft) {
  Router(draft, unread).report_rejects(rejects);
}

}  // namespace huiliu::runtime
