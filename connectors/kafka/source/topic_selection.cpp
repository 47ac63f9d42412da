#include "connectors/kafka/source/topic_selection.h"

#include <algorithm>
#include <regex>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "connectors/kafka/client/topics.h"

namespace huiliu::connectors::kafka {

using runtime::Result;
using runtime::Status;

bool is_internal_topic(std::string_view topology_id, std::string_view name) {
  if (!name.starts_with(topology_id)) return false;
  const std::string_view rest = name.substr(topology_id.size());
  if (!rest.starts_with('.')) return false;
  if (rest == ".progress" || rest == ".work") return true;
  return rest.ends_with(".changelog") || rest.ends_with(".outbox") ||
         rest.ends_with(".repartition");
}

bool TopicSelection::has_pattern() const {
  return std::any_of(topics_.begin(), topics_.end(),
                     [](const std::string& topic) { return topic.starts_with('^'); });
}

Result<std::vector<std::string>> TopicSelection::find(rd_kafka_t* client, const std::string& node,
                                                      const std::string& topology_id) {
  if (!has_pattern()) return choose({}, node, topology_id);
  auto all = topic_names(client);
  if (!all.is_ok()) return all;
  return choose(*all, node, topology_id);
}

Result<std::vector<std::string>> TopicSelection::choose(const std::vector<std::string>& all,
                                                        const std::string& node,
                                                        const std::string& topology_id) {
  std::vector<std::string> found;
  for (const std::string& topic : topics_) {
    if (topic.starts_with('^')) {
      add_matches(topic, all, node, topology_id, found);
      continue;
    }
    if (!own_ && is_internal_topic(topology_id, topic)) {
      return Status::invalid(
          fmt::format("source '{}' reads {}, which the topology keeps for itself: it would feed "
                      "itself. Read another topic",
                      node, topic));
    }
    found.push_back(topic);
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

namespace {
bool is_pattern(const std::string& topic) { return topic.starts_with('^'); }

// Whether a name fits two patterns is not worth finding out.
bool may_meet(const std::string& one, const std::string& other) {
  if (is_pattern(one) && is_pattern(other)) return true;
  if (is_pattern(one)) return std::regex_search(other, std::regex(one));
  return is_pattern(other) ? may_meet(other, one) : one == other;
}
}  // namespace

bool TopicSelection::may_meet(const TopicSelection& other) const {
  return std::any_of(topics_.begin(), topics_.end(), [&](const std::string& one) {
    return std::any_of(other.topics_.begin(), other.topics_.end(),
                       [&](const std::string& two) { return kafka::may_meet(one, two); });
  });
}

void TopicSelection::add_matches(const std::string& pattern, const std::vector<std::string>& all,
                                 const std::string& node, const std::string& topology_id,
                                 std::vector<std::string>& found) {
  const std::regex regex(pattern);
  for (const std::string& name : all) {
    if (name.starts_with("__") || !std::regex_search(name, regex)) continue;
    if (!is_internal_topic(topology_id, name)) {
      found.push_back(name);
    } else if (left_out_.insert(name).second) {
      spdlog::info("{}: {} fits {} and is left out: the topology keeps it for itself", node, name,
                   pattern);
    }
  }
}

}  // namespace huiliu::connectors::kafka
