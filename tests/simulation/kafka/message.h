#pragma once

#include <librdkafka/rdkafka.h>

#include "tests/simulation/kafka/broker.h"

namespace huiliu::simulation {

/// A consumed message, for rd_kafka_message_destroy().
rd_kafka_message_t* make_message(rd_kafka_topic_t* topic, int partition, const LogRecord& record);
/// An event of a partition.
rd_kafka_message_t* make_message(rd_kafka_topic_t* topic, int partition, rd_kafka_resp_err_t error,
                                 std::int64_t offset);

}  // namespace huiliu::simulation
