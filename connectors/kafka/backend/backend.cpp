#include <fmt/format.h>

#include "connectors/kafka/backend/backend_options.h"
#include "connectors/kafka/backend/kafka_backend.h"
#include "connectors/kafka/backend/repartition.h"
#include "connectors/kafka/backend/topic_names.h"
#include "runtime/component/registry.h"

namespace huiliu::connectors::kafka {
namespace {

using runtime::BackendContext;
using runtime::OptionType;
using runtime::Result;

runtime::Descriptor descriptor() {
  runtime::Descriptor d;
  d.name = "kafka";
  d.summary = "Commits each epoch by one Kafka transaction.";
  d.description =
      "Outputs of `kafka` sinks, changelogs of tables, outboxes of stores, positions of sources "
      "and "
      "consumed offsets become visible together or not at all. The state folder is a copy: on an "
      "empty disk it is restored from the topics.\n\nTopics that the backend creates begin with "
      "the "
      "topology's id: `ID.progress`, `ID.OPERATOR.TABLE.changelog` (compacted, one partition per "
      "shard) and `ID.SINK.outbox`. The transactional id is the topology's id: a second process "
      "with the same id takes over, and the first ends.";
  d.options = connection_options(true);
  d.options.push_back({.name = "group",
                       .doc = "Consumer group that the consumed offsets are committed to, for lag "
                              "monitors. Default: the topology's id."});
  d.options.push_back({.name = "transaction_timeout",
                       .type = OptionType::kDuration,
                       .doc =
                           "After which the brokers abort an epoch that does not end. Not longer "
                           "than their transaction.max.timeout.ms.",
                       .default_text = "60s"});
  d.options.push_back({.name = "replication",
                       .type = OptionType::kInt,
                       .doc = "Replicas of topics that the backend creates. Default: the brokers' "
                              "default.replication.factor.",
                       .minimum = 1,
                       .maximum = 32});
  d.options.push_back({.name = "workers",
                       .type = OptionType::kEnum,
                       .doc =
                           "several: processes with this config, on any machine, share the work. "
                           "Records go to the one that owns their key through topics.",
                       .default_text = "one",
                       .choices = {"one", "several"}});
  d.options.push_back({.name = "worker",
                       .doc = "Name of this process among `several`, e.g. `${POD_NAME}`: started "
                              "again within the session timeout it keeps its share. Without it a "
                              "process that ends cleanly gives its share away at once."});
  d.options.push_back({.name = "session_timeout",
                       .type = OptionType::kDuration,
                       .doc = "After which the others take over the share of one of `several` that "
                              "is not heard of.",
                       .default_text = "10s"});
  d.options.push_back({.name = "standbys",
                       .type = OptionType::kInt,
                       .doc = "1: each of `several` keeps a copy of the shards that others own, "
                              "so that it takes them over in seconds also when the state is large.",
                       .default_text = "0",
                       .minimum = 0,
                       .maximum = 1});
  d.options.push_back({.name = "snapshots",
                       .type = OptionType::kPath,
                       .doc = "Folder that all workers see, such as a network share: copies of "
                              "the state are put there, and a worker without it begins with "
                              "the newest and reads only the rest of the changelogs."});
  d.options.push_back({.name = "snapshot_every",
                       .type = OptionType::kDuration,
                       .doc = "Time between two copies.",
                       .default_text = "10m"});
  d.example =
      "type: kafka\nbootstrap: broker-1:9092,broker-2:9092\nsettings:\n"
      "  security.protocol: plaintext\n";
  return d;
}

Result<std::unique_ptr<runtime::Backend>> open(const BackendContext& context) {
  BackendOptions options = backend_options(context.needs);
  // A transaction spans an epoch and its commit.
  if (context.needs.epoch_ms * 2 > options.producer.timeout_ms) {
    return runtime::Status::invalid(
        fmt::format("`epoch` is {} ms, `transaction_timeout` {} ms: it must be at least twice as "
                    "long (the brokers' transaction.max.timeout.ms bounds it)",
                    context.needs.epoch_ms, options.producer.timeout_ms));
  }
  auto backend = KafkaBackend::open(context, std::move(options));
  if (!backend.is_ok()) return backend.status();
  return std::unique_ptr<runtime::Backend>(std::move(backend.value()));
}

const runtime::Registration registration(runtime::BackendType{
    .descriptor = descriptor(),
    .declare = check_backend_options,
    .check = check_topic_names,
    .open = open,
    .shares_work = shares_work,
    .repartition = {.sink = &repartition_sink(), .source = &repartition_source()}});

}  // namespace
}  // namespace huiliu::connectors::kafka
