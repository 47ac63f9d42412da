#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "connectors/kafka/client/client.h"

namespace huiliu::connectors::kafka {

/// A producer without transactions.
struct PlainProducer {
  std::unique_ptr<Error> refused;  // the client's callbacks write it
  Client client;
};
/// One whose login the brokers have taken.
runtime::Result<PlainProducer> make_connected_producer(const Connection& connection);
/// Produces one record to partition 0 and waits until the brokers have it.
runtime::Status produce_one(rd_kafka_t* producer, const std::string& topic, std::string_view key,
                            std::string_view value);

}  // namespace huiliu::connectors::kafka
