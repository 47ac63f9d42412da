#include "runtime/engine/ledger.h"

#include <cstdio>

#include <fmt/format.h>

#include "runtime/component/meta_key.h"

namespace huiliu::runtime {

Ledger::Ledger(const Plan& plan)
    : plan_(plan),
      epoch_(plan.topology->nodes.size()),
      written_(plan.topology->nodes.size(), 0),
      totals_(plan.topology->nodes.size()) {
  for (std::size_t n = 0; n < epoch_.size(); ++n) {
    epoch_[n].ports.resize(plan.topology->nodes[n].outputs.size() + 1);
  }
}

void Ledger::add(const NodeCounts& counts) {
  Outputs::Counts& sum = epoch_[counts.node];
  sum.received.add(counts.counts.received);
  sum.emitted.add(counts.counts.emitted);
  sum.rejected.add(counts.counts.rejected);
  sum.dropped.add(counts.counts.dropped);
  sum.absorbed.add(counts.counts.absorbed);
  sum.created.add(counts.counts.created);
  // The counts' last entry is the reject port, which is the node's last output.
  const std::size_t plain = counts.counts.ports.size() - 1;
  for (std::size_t p = 0; p < plain && p < sum.ports.size(); ++p) {
    sum.ports[p].add(counts.counts.ports[p]);
  }
  const Node& node = plan_.topology->nodes[counts.node];
  if (node.rejects) sum.ports[node.reject_port()].add(counts.counts.ports[plain]);
}

Tally Ledger::sent_to(std::size_t node) const {
  Tally sum;
  for (const StreamRef& input : plan_.topology->nodes[node].inputs) {
    sum.add(epoch_[input.node].ports[input.port]);
  }
  return sum;
}

std::string Ledger::check() const {
  std::string differences;
  for (std::size_t n = 0; n < epoch_.size(); ++n) {
    const Node& node = plan_.topology->nodes[n];
    const Outputs::Counts& counts = epoch_[n];
    if (node.kind != ComponentKind::kSource) {
      const Tally sent = sent_to(n);
      if (sent != counts.received) {
        differences += fmt::format("{}: {} records were sent to it, {} arrived; ", node.name,
                                   sent.count, counts.received.count);
      }
    }
    if (node.kind != ComponentKind::kSource) {
      Tally out = counts.emitted;
      out.add(counts.rejected);
      out.add(counts.dropped);
      out.add(counts.absorbed);
      if (out != counts.received) {
        differences += fmt::format("{}: {} records came in, {} are accounted for; ", node.name,
                                   counts.received.count, out.count);
      }
    }
    if (node.kind == ComponentKind::kSink && counts.absorbed.count != written_[n]) {
      differences += fmt::format("{}: {} records were encoded, {} were written; ", node.name,
                                 counts.absorbed.count, written_[n]);
    }
  }
  return differences;
}

void Ledger::close_epoch() {
  for (std::size_t n = 0; n < epoch_.size(); ++n) {
    Outputs::Counts& counts = epoch_[n];
    Totals& total = totals_[n];
    total.received += counts.received.count;
    total.emitted += counts.emitted.count;
    total.rejected += counts.rejected.count;
    total.dropped += counts.dropped.count;
    total.absorbed += counts.absorbed.count;
    total.created += counts.created.count;
    const std::size_t ports = counts.ports.size();
    counts = {};
    counts.ports.resize(ports);
    written_[n] = 0;
  }
}

void Ledger::open(const Topology& topology, const Backend& backend) {
  for (std::size_t n = 0; n < topology.nodes.size(); ++n) {
    const std::string key = MetaKey::ledger(topology.nodes[n].name);
    const std::string saved = value_of_key(backend.meta(key), key);
    if (!saved.empty()) restore(n, saved);
  }
}

void Ledger::add_to(const Topology& topology, EpochCommit& commit) const {
  for (std::size_t n = 0; n < topology.nodes.size(); ++n) {
    commit.meta.emplace_back(MetaKey::ledger(topology.nodes[n].name), serialise(n));
  }
}

std::string Ledger::serialise(std::size_t node) const {
  const Totals& t = totals_[node];
  return fmt::format("{} {} {} {} {} {}", t.received, t.emitted, t.rejected, t.dropped, t.absorbed,
                     t.created);
}

void Ledger::restore(std::size_t node, std::string_view text) {
  unsigned long long v[6] = {};
  std::sscanf(std::string(text).c_str(), "%llu %llu %llu %llu %llu %llu", &v[0], &v[1], &v[2],
              &v[3], &v[4], &v[5]);
  totals_[node] = {v[0], v[1], v[2], v[3], v[4], v[5]};
}

}  // namespace huiliu::runtime
