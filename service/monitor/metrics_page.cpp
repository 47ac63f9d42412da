#include "service/monitor/metrics_page.h"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/base/version.h"
#include "service/monitor/health.h"
#include "service/monitor/metric_families.h"
#include "service/monitor/process_figures.h"

namespace huiliu::service {
namespace {

using runtime::ComponentKind;
using runtime::kEndOfTime;
using runtime::kNoEventTime;
using runtime::Node;

double seconds(std::int64_t ms) { return static_cast<double>(ms) / 1000.0; }

bool is_time(std::int64_t time) { return time != kNoEventTime && time != kEndOfTime; }

class Page {
 public:
  Page(const runtime::Topology& topology, const RunView& view, std::int64_t now_ms)
      : topology_(topology), view_(view), now_ms_(now_ms), page_({{"topology", topology.id}}) {}

  std::string run() {
    add_process();
    add_health();
    add_totals();
    add_threads();
    for (const runtime::Figure& one : view_.progress.source_figures) add_figure(one);
    if (const auto& figures = view_.progress.figures) {
      for (const auto& source : figures->input) add_source(source);
      for (std::size_t n = 0; n < figures->nodes.size(); ++n) add_node(n, *figures);
      page_.counter("huiliu_engine_busy_seconds_total",
                    "The same of the engine's own work between nodes, such as exchanges.",
                    figures->engine_busy_seconds);
      page_.gauge("huiliu_slice_memory_bytes",
                  "Memory of slices of input, those under way and what is kept for the next ones.",
                  static_cast<double>(figures->slice_bytes));
      add_epochs(figures->epochs);
      for (const runtime::Figure& one : figures->backend) add_figure(one);
    }
    if (const auto& of_sinks = view_.progress.sink_figures) {
      for (const runtime::Figure& one : *of_sinks) add_figure(one);
    }
    return page_.text();
  }

 private:
  void add_process() {
    const ProcessFigures process = process_figures();
    page_.counter("process_cpu_seconds_total", "CPU time of the process.", process.cpu_seconds);
    page_.gauge("process_resident_memory_bytes", "Memory of the process that is in RAM.",
                static_cast<double>(process.resident_bytes));
    page_.gauge("process_open_fds", "Descriptors that are open.",
                static_cast<double>(process.open_descriptors));
    page_.gauge("process_max_fds", "Descriptors that may be open.",
                static_cast<double>(process.most_descriptors));
    page_.gauge("process_threads", "Threads of the process.", static_cast<double>(process.threads));
    page_.gauge("process_start_time_seconds", "When the run started, since 1970.",
                seconds(view_.started_ms));
    page_.gauge(
        "huiliu_build_info", "1, with the version of huiliu and of the topology.", 1,
        {{"version", std::string(runtime::kVersion)}, {"topology_version", topology_.version}});
  }

  void add_health() {
    const Readiness now = readiness(topology_, view_, now_ms_);
    page_.gauge("huiliu_ready", "1 if the run does its work (/readyz says why not).",
                now.ready() ? 1 : 0);
    page_.gauge("huiliu_paused_by_operator", "1 if an operator's pause is in force.",
                view_.progress.asked.paused_with ? 1 : 0);
    page_.counter("huiliu_openings_total",
                  "How often the state was opened: more than once is a restart within the process.",
                  static_cast<double>(view_.openings));
    if (const auto& at = view_.restoring) {
      page_.gauge(
          "huiliu_restore_share",
          "How much of the state of what is being restored has been read. It is there only "
          "meanwhile.",
          static_cast<double>(at->done) / static_cast<double>(std::max<std::uint64_t>(at->all, 1)),
          {{"of", at->what}});
      page_.gauge("huiliu_restore_bytes", "What was read of it so far.",
                  static_cast<double>(at->bytes), {{"of", at->what}});
    }
    for (const auto& [component, away] : view_.progress.away) {
      page_.gauge("huiliu_component_away_since_timestamp_seconds",
                  "Since when a component cannot do its work. It is there only while that is so.",
                  seconds(away.since_ms), {{"component", component}});
    }
    for (const auto& [component, tries] : view_.progress.retries) {
      page_.counter("huiliu_component_retries_total",
                    "How often a component could not do its work and was tried again.",
                    static_cast<double>(tries), {{"component", component}});
    }
  }

  void add_totals() {
    const auto& totals = view_.progress.totals;
    for (std::size_t n = 0; n < topology_.nodes.size() && n < totals.size(); ++n) {
      const Node& node = topology_.nodes[n];
      const MetricLabels labels = {{"node", node.name},
                                   {"kind", std::string(kind_name(node.kind))}};
      const auto& t = totals[n];
      const auto add = [&](const char* what, const char* help, std::uint64_t value) {
        page_.counter(fmt::format("huiliu_node_{}_records_total", what), help,
                      static_cast<double>(value), labels);
      };
      add("received", "Records that reached a node, since the state began.", t.received);
      add("emitted", "Records that a node sent on, or made itself.", t.emitted + t.created);
      add("rejected", "Records that a node refused.", t.rejected);
      add("dropped", "Records that ended in a node on purpose.", t.dropped);
      add("absorbed", "Records that a node took into its state, or wrote.", t.absorbed);
    }
    page_.gauge("huiliu_uncommitted_bytes",
                "Input that was read and is not committed: a crash now would have it read again.",
                static_cast<double>(view_.progress.uncommitted_bytes));
    page_.gauge("huiliu_outbox_records", "Committed records that stores have not applied yet.",
                static_cast<double>(view_.progress.outbox_records));
  }

  void add_threads() {
    for (std::size_t i = 0; i < view_.progress.threads.size(); ++i) {
      const MetricLabels labels = {{"thread", std::to_string(i)}};
      page_.counter("huiliu_thread_idle_seconds_total", "Time in which a thread waited for input.",
                    view_.progress.threads[i].idle_seconds, labels);
      page_.counter("huiliu_thread_blocked_seconds_total",
                    "Time in which a thread waited for sinks or a commit, which were behind.",
                    view_.progress.threads[i].blocked_seconds, labels);
    }
  }

  void add_source(const runtime::SourceProgress& source) {
    const std::string& node = topology_.nodes[source.node].name;
    const MetricLabels labels = {{"node", node}};
    page_.counter("huiliu_source_bytes_total", "Input that a source has read, since the start.",
                  static_cast<double>(source.bytes), labels);
    page_.counter("huiliu_source_slices_total", "Slices that a source has read.",
                  static_cast<double>(source.slices), labels);
    page_.gauge("huiliu_source_queued_slices", "Slices that are read ahead and wait.",
                static_cast<double>(source.queued), labels);
    page_.gauge("huiliu_source_splits", "Partitions or files of a source that have not ended.",
                static_cast<double>(source.splits), labels);
    page_.gauge("huiliu_source_idle_splits", "Of these, those that event time does not wait for.",
                static_cast<double>(source.idle_splits), labels);
    page_.gauge("huiliu_source_held_splits", "Of these, those that alignment holds back.",
                static_cast<double>(source.held_splits), labels);
    for (const auto& split : source.furthest_behind) add_split(node, split);
  }

  void add_split(const std::string& node, const runtime::SplitProgress& split) {
    const MetricLabels labels = {{"node", node}, {"split", split.key}};
    if (is_time(split.time)) {
      page_.gauge("huiliu_split_event_time_seconds", "Latest event time that was read of a split.",
                  seconds(split.time), labels);
    }
    if (split.heard_ms > 0) {
      page_.gauge("huiliu_split_last_read_timestamp_seconds", "When something was read of a split.",
                  seconds(split.heard_ms), labels);
    }
    if (!split.backlog) return;
    const bool records = split.backlog->records;
    page_.gauge(records ? "huiliu_split_backlog_records" : "huiliu_split_backlog_bytes",
                records ? "Records of a split that are there and not read, at its last read."
                        : "Bytes of a split that are there and not read, at its last read.",
                static_cast<double>(split.backlog->amount), labels);
  }

  void add_node(std::size_t n, const runtime::RunFigures& figures) {
    const Node& node = topology_.nodes[n];
    const runtime::NodeFigures& of = figures.nodes[n];
    if (n < figures.times.size() && is_time(figures.times[n])) {
      page_.gauge("huiliu_node_watermark_seconds",
                  "Event time behind which no record of a node is to come any more.",
                  seconds(figures.times[n]), {{"node", node.name}});
    }
    page_.counter("huiliu_node_busy_seconds_total",
                  "Time that threads spent in a node alone, estimated from one slice in 61.",
                  of.busy_seconds, {{"node", node.name}});
    // The reject port comes last, and is the last output.
    for (std::size_t port = 0; port < of.sent.size() && port < node.outputs.size(); ++port) {
      const std::string& output = node.outputs[port].name;
      page_.counter("huiliu_output_records_total", "Records of an output, since the start.",
                    static_cast<double>(of.sent[port]),
                    {{"node", node.name}, {"output", output.empty() ? "main" : output}});
    }
    for (const auto& [code, count] : of.codes) {
      page_.counter("huiliu_rejects_total", "Rejects of a node by code, since the start.",
                    static_cast<double>(count), {{"node", node.name}, {"code", code}});
    }
    if (node.kind != ComponentKind::kSink) return;
    const MetricLabels sink = {{"sink", node.name}};
    page_.counter("huiliu_sink_records_total", "Records that a sink has encoded, since the start.",
                  static_cast<double>(of.written_records), sink);
    page_.counter("huiliu_sink_bytes_total", "Bytes that a sink has encoded, since the start.",
                  static_cast<double>(of.written_bytes), sink);
    if (of.written_ms > 0) {
      page_.gauge("huiliu_sink_last_success_timestamp_seconds",
                  "When a sink last had records committed to it, or a store applied some.",
                  seconds(of.written_ms), sink);
    }
    page_.gauge("huiliu_sink_undelivered_entries",
                "Committed entries of its outbox that the store has not applied.",
                static_cast<double>(of.undelivered), sink);
    page_.gauge("huiliu_sink_undelivered_bytes",
                "Bytes of these; with as many as the sink's option `outbox`, what feeds it is not "
                "read.",
                static_cast<double>(of.undelivered_bytes), sink);
  }

  void add_epochs(const runtime::EpochFigures& epochs) {
    page_.gauge("huiliu_epoch_number", "The last epoch that is committed.",
                static_cast<double>(epochs.number));
    page_.gauge("huiliu_last_commit_timestamp_seconds", "When the last epoch was committed.",
                seconds(epochs.committed_ms));
    page_.histogram("huiliu_epoch_gather_seconds",
                    "From the end of a commit until the next epoch's last slice has arrived.",
                    epochs.gather);
    page_.histogram("huiliu_epoch_prepare_seconds", "Until the files of an epoch are durable.",
                    epochs.prepare);
    page_.histogram("huiliu_epoch_commit_seconds", "Until the backend has committed an epoch.",
                    epochs.commit);
    page_.histogram("huiliu_latency_from_arrival_seconds",
                    "From the reading of a slice until it is committed.", epochs.from_arrival);
    page_.histogram("huiliu_latency_from_event_time_seconds",
                    "From the latest event time of a slice until it is committed.",
                    epochs.from_event_time);
  }

  void add_figure(const runtime::Figure& one) {
    const std::string name = "huiliu_" + one.name;
    if (one.counter) {
      page_.counter(name, one.help, one.value, one.labels);
    } else {
      page_.gauge(name, one.help, one.value, one.labels);
    }
  }

  const runtime::Topology& topology_;
  const RunView& view_;
  std::int64_t now_ms_;
  MetricFamilies page_;
};

}  // namespace

std::string metrics_page(const runtime::Topology& topology, const RunView& view,
                         std::int64_t now_ms) {
  return Page(topology, view, now_ms).run();
}

}  // namespace huiliu::service
