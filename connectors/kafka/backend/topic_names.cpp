#include "connectors/kafka/backend/topic_names.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "connectors/kafka/client/topics.h"

namespace huiliu::connectors::kafka {

using runtime::ComponentKind;
using runtime::Config;
using runtime::Diagnostics;
using runtime::StateNeeds;

namespace {

// Brokers make names of metrics of them, where both signs are one.
std::string as_metric(std::string name) {
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

struct UsedTopic {
  std::string name;
  runtime::Place place;
  std::string_view harm;  ///< if it were one of the backend's own
};

/// Topics that sources and sinks name in this backend's cluster.
std::vector<UsedTopic> used_topics(const StateNeeds& needs) {
  const std::string bootstrap = needs.backend_config->string_or("bootstrap", "");
  std::vector<UsedTopic> used;
  for (const runtime::Endpoint& node : needs.endpoints) {
    if (node.type != "kafka") continue;
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

std::vector<NamedTopic> internal_topics(const StateNeeds& needs) {
  const runtime::Place place = (*needs.backend_config)["type"].place();
  const std::string head = needs.topology_id + ".";
  std::vector<NamedTopic> topics = {{head + "progress", place, "the progress"}};
  if (needs.shares_work) topics.push_back({head + "work", place, "the workers' shares"});
  for (const auto& [sink, at] : needs.outboxes) {
    topics.push_back({head + sink + ".outbox", at, "sink " + sink});
  }
  for (const auto& [name, declaration, at] : needs.tables) {
    topics.push_back({head + name + ".changelog", at, "table " + name});
  }
  for (const auto& [topic, node, at] : needs.repartitions) {
    topics.push_back({topic, at, "the input of operator " + node});
  }
  return topics;
}

void check_topic_names(const StateNeeds& needs, Diagnostics& diagnostics) {
  std::map<std::string, NamedTopic> known;
  for (const NamedTopic& topic : internal_topics(needs)) {
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
  for (const UsedTopic& topic : used_topics(needs)) {
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
