#pragma once

#include <string>
#include <string_view>

#include "connectors/kafka/backend/changelog.h"
#include "runtime/component/backend.h"

namespace huiliu::connectors::kafka {

/// The topics that the backend keeps, all beginning with the topology's id: names, partitions and
/// settings.
/// The most bytes of an entry of an intake, as a setting: bodies of requests are bounded by less.
inline constexpr const char* kMostIntakeMessage = "67108864";

class StateTopics {
 public:
  /// `needs` outlive the object. `several`: workers share the topology.
  StateTopics(const runtime::StateNeeds& needs, int replication, bool several)
      : needs_(needs), replication_(replication), several_(several) {}

  /// "ID.NAME.KIND", or "ID.KIND" without a name.
  std::string name(std::string_view name, std::string_view kind) const;
  InternalTopic progress() const;
  InternalTopic work() const;
  InternalTopic repartition(const std::string& topic) const;
  InternalTopic changelog(const std::string& table) const;
  ChangelogForm form(const std::string& table) const;
  InternalTopic outbox(const std::string& sink) const;
  /// Of a source, or of the receipts of a sink.
  InternalTopic intake(const std::string& source) const;

 private:
  const runtime::StateNeeds& needs_;
  int replication_;
  bool several_;
};

}  // namespace huiliu::connectors::kafka
