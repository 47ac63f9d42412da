#include "connectors/kafka/backend/start_check.h"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

#include "connectors/kafka/backend/backend_keys.h"
#include "connectors/kafka/client/plain_producer.h"
#include "connectors/kafka/client/requests.h"
#include "connectors/kafka/client/topic_settings.h"
#include "connectors/kafka/sink/topic_choice.h"
#include "connectors/kafka/sink/written_topic.h"

namespace huiliu::connectors::kafka {

using runtime::Config;
using runtime::Status;

namespace {

bool same(const Connection& a, const Connection& b) {
  return a.bootstrap == b.bootstrap && a.settings == b.settings;
}

std::string place_of(const Config& node) {
  return fmt::format("{}:{}", node.place().file, node.place().line);
}

Status check_written(rd_kafka_t* client, const Config& sink) {
  const WrittenMessages messages = written_messages(sink);
  for (const std::string& topic : topics_of(sink)) {
    auto partitions = partition_count(client, topic);
    if (!partitions.is_ok()) return partitions.status();
    auto settings = topic_settings(client, topic);
    if (settings.status().code() == runtime::StatusCode::kNotFound) continue;  // the sink says so
    if (!settings.is_ok()) return settings.status();
    Status status = check_taken(client, topic, *settings, messages,
                                fmt::format("the sink at {}", place_of(sink)));
    if (!status.is_ok()) return status;
  }
  return Status::ok();
}

/// Patterns may match nothing yet.
Status check_named(rd_kafka_t* client, const Config& source) {
  for (const std::string& topic : source["topic"].as_strings()) {
    if (topic.starts_with('^')) continue;
    auto partitions = partition_count(client, topic);
    if (!partitions.is_ok()) return partitions.status();
  }
  return Status::ok();
}

/// A source may read another cluster, or as another user.
Status check_read(rd_kafka_t* client, const BackendSetup& setup, const Config& source) {
  const Connection connection = connection_of(source, setup.needs.backend_config);
  if (same(connection, setup.options.producer.connection)) return check_named(client, source);
  // The group is only named, for rights, as the reader does it.
  const std::string group = source.string_or("group", setup.options.group);
  auto other = make_client(RD_KAFKA_CONSUMER, connection, {{"group.id", group}});
  if (!other.is_ok()) return other.status();
  Status status = check_named(other->get(), source);
  close_consumer(std::move(*other));
  return status;
}

/// The brokers refuse it when the transactions are opened, which is after one process alone has
/// created its progress topic.
Status check_timeout(rd_kafka_t* client, std::int64_t timeout_ms) {
  auto longest = longest_transaction_ms(client);
  if (!longest.is_ok()) return longest.status();
  if (!*longest || timeout_ms <= **longest) return Status::ok();
  return as_status(error_of(RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT),
                   "opening the transactions");
}

/// What is deleted must not be created anew, empty: it could not be restored then.
Status check_not_deleted(rd_kafka_t* client, const BackendSetup& setup, const std::string& progress,
                         const LocalCopy& copy) {
  const std::vector<std::uint16_t> shards = setup.needs.all_shards();
  const bool has_run =
      setup.options.several
          ? std::any_of(shards.begin(), shards.end(),
                        [&](auto shard) { return copy.has_position_of_shard(shard); })
          : copy.note(kTime) != nullptr;
  if (!has_run) return Status::ok();
  auto exists = setup.calls.topic_exists(client, progress);
  if (!exists.is_ok()) return exists.status();
  if (*exists) return Status::ok();
  return Status::corrupt(
      fmt::format("topic {} was deleted, but the local state has epochs that it told of. Restore "
                  "it, or start afresh with another `topology` id",
                  progress));
}

}  // namespace

Status check_cluster(rd_kafka_t* client, LocalCopy& copy) {
  char* id = rd_kafka_clusterid(client, kRequestMs);
  if (id == nullptr) return Status::restart("the brokers do not answer");
  const std::string cluster = id;
  rd_kafka_mem_free(client, id);
  return copy.check_cluster(cluster);
}

Status check_start(const BackendSetup& setup, const StateTopics& topics, LocalCopy& copy) {
  auto producer = make_connected_producer(setup.options.producer.connection);
  if (!producer.is_ok()) return producer.status();
  rd_kafka_t* const client = producer->client.get();
  if (Status status = check_cluster(client, copy); !status.is_ok()) return status;
  Status status = check_not_deleted(client, setup, topics.name("", "progress"), copy);
  if (!status.is_ok()) return status;
  status = check_timeout(client, setup.options.producer.timeout_ms);
  if (!status.is_ok()) return status;
  for (const runtime::Endpoint& node : setup.needs.endpoints) {
    if (node.type != "kafka") continue;
    status = node.kind == runtime::ComponentKind::kSource ? check_read(client, setup, *node.config)
                                                          : check_written(client, *node.config);
    if (!status.is_ok()) return status;
  }
  return Status::ok();
}

}  // namespace huiliu::connectors::kafka
