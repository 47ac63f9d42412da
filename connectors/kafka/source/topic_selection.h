#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/kafka/client/client.h"

namespace huiliu::connectors::kafka {

/// Whether the backend of the topology writes the topic.
bool is_internal_topic(std::string_view topology_id, std::string_view name);

/// The topics that a source reads: names and patterns of its option `topic`.
class TopicSelection {
 public:
  /// `own`: the topic is one that the engine itself writes.
  TopicSelection(std::vector<std::string> topics, bool own)
      : topics_(std::move(topics)), own_(own) {}

  /// All of them that there are now, sorted. kInvalid if the source would read what the topology
  /// writes for itself.
  runtime::Result<std::vector<std::string>> find(rd_kafka_t* client, const std::string& node,
                                                 const std::string& topology_id);
  /// The same, of a cluster with the topics `all`.
  runtime::Result<std::vector<std::string>> choose(const std::vector<std::string>& all,
                                                   const std::string& node,
                                                   const std::string& topology_id);

  /// Whether a topic may come, or be there, that both read.
  bool may_meet(const TopicSelection& other) const;

 private:
  bool has_pattern() const;
  void add_matches(const std::string& pattern, const std::vector<std::string>& all,
                   const std::string& node, const std::string& topology_id,
                   std::vector<std::string>& found);

  std::vector<std::string> topics_;
  bool own_;
  std::set<std::string> left_out_;  // topics that a pattern matches, which the log has named
};

}  // namespace huiliu::connectors::kafka
