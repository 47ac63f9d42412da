#pragma once

#include "connectors/kafka/backend/backend_setup.h"
#include "connectors/kafka/backend/local_copy.h"
#include "connectors/kafka/backend/state_topics.h"

namespace huiliu::connectors::kafka {

/// Looks at what can refuse the start of a process, before the backend creates its first topic: a
/// start that is refused leaves nothing with the brokers. Whoever is to open the topics looks
/// again, since they may change until then.
runtime::Status check_start(const BackendSetup& setup, const StateTopics& topics, LocalCopy& copy);

/// kInvalid or kRestart if the local state belongs to another cluster, or the brokers do not
/// answer.
runtime::Status check_cluster(rd_kafka_t* client, LocalCopy& copy);

}  // namespace huiliu::connectors::kafka
