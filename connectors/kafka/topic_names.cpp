#include "connectors/kafka/topic_names.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "connectors/kafka/topics.h"
#include "runtime/plan.h"
#include "runtime/repartition.h"

namespace huiliu::connectors::kafka {

using runtime::ComponentKind;
using runtime::Config;
using runtime::Diagnostics;
using runtime::Node;
using runtime::Topology;

namespace {

// Brokers make names of metrics of them, where both signs are one.
std::string as_metric(std::string name) {
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

void add_of_node(const Topology& topology, const Node& node, std::vector<NamedTopic>& topics) {
  const std::string head = topology.id + ".";
  if (node.kind == ComponentKind::kSink && node.sink->create_store) {
    topics.push_back({head + node.name + ".outbox", node.place, "sink " + node.name});
  }
  if (node.kind != ComponentKind::kOperator) return;
  for (const auto& table : node.operator_declaration->tables) {
    const std::string name = node.name + "." + table.name;
    topics.push_back({head + name + ".changelog", node.place, "table " + name});
  }
  if (!runtime::shares_work(topology) || !runtime::Plan::needs_key(node)) return;
  for (std::size_t input = 0; input < node.inputs.size(); ++input) {
    topics.push_back({head + runtime::repartition_name(node, input), node.place,
                      "the input of operator " + node.name});
  }
}

struct UsedTopic {
  std::string name;
  runtime::Place place;
  std::string_view harm;  ///< if it were one of the backend's own
};

/// Topics that sources and sinks name in this backend's cluster.
std::vector<UsedTopic> used_topics(const Topology& topology) {
  const std::string bootstrap = topology.backend_config->string_or("bootstrap", "");
  std::vector<UsedTopic> used;
  for (const Node& node : topology.nodes) {
    if (node.type_name != "kafka" || node.kind == ComponentKind::kOperator) continue;
    if (node.config->string_or("bootstrap", bootstrap) != bootstrap) continue;
    for (const char* const key : {"topic", "topics"}) {
      const Config& option = (*node.config)[key];
      if (option.is_null()) continue;
      for (const std::string& topic : option.as_strings()) {
        if (!is_topic_name(topic)) continue;
        used.push_back({topic, option.place(),
                        node.kind == ComponentKind::kSource
                            ? "it would feed itself"
                            : "what is written there would be taken for state"});
      }
    }
  }
  return used;
}

void check_length(const NamedTopic& topic, Diagnostics& diagnostics) {
  if (is_topic_name(topic.name)) return;
  diagnostics.error(topic.place,
                    fmt::format("the topic for {} would be named '{}', which has {} characters: "
                                "Kafka takes {}",
                                topic.kept_for, topic.name, topic.name.size(), kTopicNameRule),
                    "shorten the name of the node, or the `topology` id");
}

}  // namespace

std::vector<NamedTopic> internal_topics(const Topology& topology) {
  const runtime::Place place = (*topology.backend_config)["type"].place();
  std::vector<NamedTopic> topics = {{topology.id + ".progress", place, "the progress"}};
  if (runtime::shares_work(topology)) {
    topics.push_back({topology.id + ".work", place, "the workers' shares"});
  }
  for (const Node& node : topology.nodes) add_of_node(topology, node, topics);
  return topics;
}

void check_topic_names(const Topology& topology, Diagnostics& diagnostics) {
  std::map<std::string, NamedTopic> known;
  for (const NamedTopic& topic : internal_topics(topology)) {
    check_length(topic, diagnostics);
    const auto [same, fresh] = known.emplace(as_metric(topic.name), topic);
    if (fresh) continue;
    diagnostics.error(
        topic.place,
        fmt::format("the topic for {}, '{}', collides with '{}' for {}: Kafka takes "
                    "`.` and `_` for one",
                    topic.kept_for, topic.name, same->second.name, same->second.kept_for),
        "give one of the nodes another name");
  }
  for (const UsedTopic& topic : used_topics(topology)) {
    const auto found = known.find(as_metric(topic.name));
    if (found == known.end()) continue;
    const NamedTopic& own = found->second;
    const std::string what =
        topic.name == own.name
            ? fmt::format("the topology keeps the topic '{}' for {}: {}", own.name, own.kept_for,
                          topic.harm)
            : fmt::format(
                  "the topic '{}' collides with '{}', which the topology keeps for {}: "
                  "Kafka takes `.` and `_` for one",
                  topic.name, own.name, own.kept_for);
    diagnostics.error(topic.place, what,
                      "read or write another topic, or change the `topology` id");
  }
}

}  // namespace huiliu::connectors::kafka
