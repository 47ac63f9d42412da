#include "runtime/topology/receipts.h"

#include <algorithm>

#include <fmt/format.h>

namespace huiliu::runtime {
namespace {

constexpr std::string_view kReceipts = "receipts";
constexpr std::string_view kReceiptsRejects = "receipts.rejects";

class Adder final : DraftStep {
 public:
  explicit Adder(TopologyDraft& draft) : DraftStep(draft) {}

  void run() {
    std::vector<NodeDraft*> sinks;
    for (NodeDraft& draft : drafts_) {
      if (draft.node.sink != nullptr && draft.node.config) sinks.push_back(&draft);
    }
    for (NodeDraft* sink : sinks) {
      if (sink->node.sink->receipt_row) {
        add(*sink);
      } else {
        refuse(sink->node);
      }
    }
  }

 private:
  static bool reads(const InputDraft& input, const Node& sink) {
    if (input.node != sink.name) return false;
    if (input.port == kReceipts || input.port == kReceiptsRejects) return true;
    return input.port == kRejects && !sink.descriptor->rejects;
  }

  void add(NodeDraft& sink) {
    const std::string name = receipts_name(sink.node.name);
    Place place;
    for (NodeDraft& draft : drafts_) {
      for (InputDraft& input : draft.inputs) {
        if (!reads(input, sink.node)) continue;
        sink.receipts_read = true;
        if (place.line == 0) place = input.place;
        input.port = input.port == kReceipts ? "" : kRejects;
        input.node = name;
      }
    }
    if (!sink.receipts_read) return;
    NodeDraft& added = drafts_.emplace_back();
    added.receipts_of = &sink;
    Node& node = added.node;
    node.name = name;
    node.kind = ComponentKind::kSource;
    node.place = place;
    node.type_name = kReceiptsType;
    node.source = registry_.source(node.type_name);
    if (node.source == nullptr) {
      return fail(place, fmt::format("there is no source type '{}' here", kReceiptsType));
    }
    node.descriptor = &node.source->descriptor;
    node.config =
        std::make_shared<Config>(with_defaults(Config::map({}), node.descriptor->options));
  }

  void refuse(const Node& sink) {
    for (NodeDraft& draft : drafts_) {
      std::erase_if(draft.inputs, [&](const InputDraft& input) {
        if (input.node != sink.name || !input.port.starts_with(kReceipts)) return false;
        fail(
            input.place,
            fmt::format("a sink of type {} does not learn what becomes of a record at its receiver",
                        sink.type_name),
            fmt::format("'{}' has no receipts; `http` has", sink.name));
        return true;
      });
    }
  }
};

}  // namespace

std::string receipts_name(std::string_view sink) { return fmt::format("{}.{}", sink, kReceipts); }

void add_receipts(TopologyDraft& draft) { Adder(draft).run(); }

const Node* sink_of_receipts(const Topology& topology, const Node& source) {
  if (source.kind != ComponentKind::kSource || source.type_name != kReceiptsType) return nullptr;
  return topology.find(
      std::string_view(source.name).substr(0, source.name.size() - kReceipts.size() - 1));
}

}  // namespace huiliu::runtime
