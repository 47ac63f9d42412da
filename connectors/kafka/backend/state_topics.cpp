#include "connectors/kafka/backend/state_topics.h"

#include <fmt/format.h>

#include "connectors/kafka/backend/backend_keys.h"

namespace huiliu::connectors::kafka {

std::string StateTopics::name(std::string_view name, std::string_view kind) const {
  return fmt::format("{}.{}{}{}", needs_.topology_id, name, name.empty() ? "" : ".", kind);
}

InternalTopic StateTopics::progress() const {
  return compacted(name("", "progress"), several_ ? needs_.shards : 1, replication_,
                   kProgressSegment);
}

InternalTopic StateTopics::work() const {
  return uncompacted(name("", "work"), needs_.shards, replication_);
}

InternalTopic StateTopics::repartition(const std::string& topic) const {
  return uncompacted(topic, needs_.shards, replication_);
}

ChangelogForm StateTopics::form(const std::string& table) const {
  return form_of(needs_.table(table));
}

InternalTopic StateTopics::changelog(const std::string& table) const {
  return changelog_topic(form(table), name(table, "changelog"), needs_.shards, replication_);
}

InternalTopic StateTopics::intake(const std::string& source) const {
  InternalTopic topic = uncompacted(name(source, "intake"), 1, replication_);
  for (auto& [setting, value] : topic.settings) {
    if (setting == "max.message.bytes") value = kMostIntakeMessage;
  }
  return topic;
}

InternalTopic StateTopics::outbox(const std::string& sink) const {
  constexpr std::uint64_t kSegment = 128u << 20;
  return compacted(name(sink, "outbox"), 1, replication_, kSegment);
}

}  // namespace huiliu::connectors::kafka
