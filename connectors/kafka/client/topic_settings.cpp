#include "connectors/kafka/client/topic_settings.h"

#include <cstdlib>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "connectors/kafka/client/requests.h"
#include "runtime/base/failpoint.h"

namespace huiliu::connectors::kafka {

using runtime::Result;
using runtime::Status;

namespace {

using ConfigResource =
    std::unique_ptr<rd_kafka_ConfigResource_t, Deleter<rd_kafka_ConfigResource_destroy>>;
using AdminOptions =
    std::unique_ptr<rd_kafka_AdminOptions_t, Deleter<rd_kafka_AdminOptions_destroy>>;

/// For a broker that answers now. Otherwise librdkafka asks the controller that it has heard of
/// last: brokers with KRaft name any one of them as that, which may be away by now.
Result<AdminOptions> to_one_that_answers(rd_kafka_t* client, int timeout_ms) {
  const rd_kafka_metadata_t* answer = nullptr;
  const rd_kafka_resp_err_t code = rd_kafka_metadata(client, 0, nullptr, &answer, timeout_ms);
  const Metadata metadata(answer);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return as_status(error_of(code), "asking for brokers");
  AdminOptions options(rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS));
  char message[128];
  // Refused if librdkafka does not know its number yet; then it is the controller.
  rd_kafka_AdminOptions_set_broker(options.get(), metadata->orig_broker_id, message,
                                   sizeof message);
  return options;
}

/// Whether the topic keeps what one with the setting `wanted` keeps.
bool keeps(const std::string& name, const std::string& wanted, const std::string& found) {
  if (name == "cleanup.policy" || name == "retention.ms" || name == "retention.bytes") {
    return found == wanted;
  }
  // As long as the topic takes more than the largest record that is written there.
  if (name == "max.message.bytes") {
    return std::strtoll(found.c_str(), nullptr, 10) >= std::strtoll(wanted.c_str(), nullptr, 10);
  }
  // Longer is no harm; a copy of the state that has not heard of a deletion is trusted for so long.
  if (name == "delete.retention.ms") {
    return std::strtoll(found.c_str(), nullptr, 10) >= kOldestCopyMs;
  }
  return true;
}

TopicConfig settings_in(const rd_kafka_ConfigResource_t* resource) {
  std::size_t entries = 0;
  const auto* list = rd_kafka_ConfigResource_configs(resource, &entries);
  TopicConfig settings;
  for (std::size_t i = 0; i < entries; ++i) {
    const char* const value = rd_kafka_ConfigEntry_value(list[i]);
    settings[rd_kafka_ConfigEntry_name(list[i])] = value == nullptr ? "" : value;
  }
  return settings;
}

Status check_settings_of(const InternalTopic& topic, const TopicConfig& found) {
  for (const auto& [name, wanted] : topic.settings) {
    const auto setting = found.find(name);
    if (setting == found.end() || setting->second.empty()) continue;
    const std::string& value = setting->second;
    if (keeps(name, wanted, value)) continue;
    const char* const harm = name == "max.message.bytes"
                                 ? "which has records of up to as much as that"
                                 : "which is lost or misread with it";
    return Status::invalid(fmt::format(
        "topic {} has {}={}, and Huiliu keeps state there, {}: set it to {} (kafka-configs.sh "
        "--alter --topic {} --add-config {}={})",
        topic.name, name, value, harm, wanted, topic.name, name, wanted));
  }
  return Status::ok();
}

}  // namespace

Status check_settings(rd_kafka_t* client, const std::vector<InternalTopic>& topics,
                      std::vector<std::string>& untold) {
  if (topics.empty() || runtime::mutant("kafka.policy_not_checked")) return Status::ok();
  std::vector<ConfigResource> resources;
  std::vector<rd_kafka_ConfigResource_t*> asked;
  for (const InternalTopic& topic : topics) {
    resources.emplace_back(
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.name.c_str()));
    asked.push_back(resources.back().get());
  }
  auto options = to_one_that_answers(client, kRequestMs);
  if (!options.is_ok()) return options.status();
  auto event = admin(
      client,
      [&](rd_kafka_queue_t* queue) {
        rd_kafka_DescribeConfigs(client, asked.data(), asked.size(), options->get(), queue);
      },
      "settings of topic " + topics.front().name);
  if (!event.is_ok()) return event.status();
  std::size_t count = 0;
  const auto* found = rd_kafka_DescribeConfigs_result_resources(
      rd_kafka_event_DescribeConfigs_result(event->get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = rd_kafka_ConfigResource_name(found[i]);
    const rd_kafka_resp_err_t refused = rd_kafka_ConfigResource_error(found[i]);
    // The topic was deleted, which is found when its table is opened.
    if (refused == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) continue;
    if (refused == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) {
      untold.push_back(name);
      continue;
    }
    if (refused) return as_status(error_of(refused), "settings of topic " + name);
    const TopicConfig settings = settings_in(found[i]);
    for (const InternalTopic& topic : topics) {
      if (topic.name != name) continue;
      if (Status status = check_settings_of(topic, settings); !status.is_ok()) return status;
    }
    if (Status status = warn_of_missing_replicas(client, name, settings); !status.is_ok()) {
      return status;
    }
  }
  return Status::ok();
}

Result<std::string> missing_replicas(rd_kafka_t* client, const std::string& topic,
                                     const TopicConfig& settings, int timeout_ms) {
  if (runtime::mutant("kafka.replicas_not_counted")) return std::string();
  const auto setting = settings.find("min.insync.replicas");
  const int wanted = setting == settings.end()
                         ? 1
                         : static_cast<int>(std::strtol(setting->second.c_str(), nullptr, 10));
  if (wanted <= 1) return std::string();  // who has none has no leader, which is said elsewhere
  const Topic handle(rd_kafka_topic_new(client, topic.c_str(), nullptr));
  if (!handle) return no_topic(topic);
  const Answer answer = ask_metadata(client, handle.get(), timeout_ms);
  if (answer.error) return as_status(answer.error, "asking for topic " + topic);
  const rd_kafka_metadata_topic_t& found = answer.metadata->topics[0];
  for (int p = 0; p < found.partition_cnt; ++p) {
    const rd_kafka_metadata_partition_t& partition = found.partitions[p];
    if (partition.isr_cnt >= wanted) continue;
    // Brokers of today count no more replicas than there are; older ones refuse all records.
    const bool all = partition.isr_cnt == partition.replica_cnt;
    return fmt::format(
        "{}[{}] has {} replicas, of which {} are in sync, and min.insync.replicas={} of the topic: "
        "{}. {}, or lower min.insync.replicas",
        topic, partition.id, partition.replica_cnt, partition.isr_cnt, wanted,
        all ? "older brokers take no record there, newer ones keep it in fewer places than that"
            : "nothing can be written there, and the epoch waits",
        all ? "Give the topic more replicas (kafka-reassign-partitions.sh)"
            : "Start the brokers that have the others");
  }
  return std::string();
}

Status warn_of_missing_replicas(rd_kafka_t* client, const std::string& topic,
                                const TopicConfig& settings) {
  auto missing = missing_replicas(client, topic, settings);
  if (!missing.is_ok()) return missing.status();
  if (!missing->empty()) spdlog::warn("{}", *missing);
  return Status::ok();
}

namespace {

/// Of a topic, or of a broker by its number, which is asked itself then.
Result<Event> describe(rd_kafka_t* client, rd_kafka_ResourceType_t type, const std::string& name,
                       const rd_kafka_AdminOptions_t* options, const std::string& what,
                       int timeout_ms) {
  const ConfigResource resource(rd_kafka_ConfigResource_new(type, name.c_str()));
  return admin(
      client,
      [&](rd_kafka_queue_t* queue) {
        rd_kafka_ConfigResource_t* list[] = {resource.get()};
        rd_kafka_DescribeConfigs(client, list, 1, options, queue);
      },
      what, timeout_ms);
}

/// Null without an answer.
const rd_kafka_ConfigResource_t* first_of(rd_kafka_event_t* event) {
  std::size_t resources = 0;
  const auto* found = rd_kafka_DescribeConfigs_result_resources(
      rd_kafka_event_DescribeConfigs_result(event), &resources);
  return resources == 0 ? nullptr : found[0];
}

}  // namespace

Result<TopicConfig> topic_settings(rd_kafka_t* client, const std::string& topic, int timeout_ms) {
  const std::string what = "settings of topic " + topic;
  auto options = to_one_that_answers(client, timeout_ms);
  if (!options.is_ok()) return options.status();
  auto event = describe(client, RD_KAFKA_RESOURCE_TOPIC, topic, options->get(), what, timeout_ms);
  if (!event.is_ok()) return event.status();
  const auto* const found = first_of(event->get());
  if (found == nullptr) return Status::restart(what + ": no answer");
  const rd_kafka_resp_err_t refused = rd_kafka_ConfigResource_error(found);
  if (refused == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) {
    return Status::not_found(fmt::format("DescribeConfigs on topic {} is not allowed", topic));
  }
  if (refused) return as_status(error_of(refused), what);
  return settings_in(found);
}

Result<std::optional<std::int64_t>> longest_transaction_ms(rd_kafka_t* client) {
  constexpr int kAskMs = 5000;
  const std::optional<std::int64_t> untold;
  const rd_kafka_metadata_t* answer = nullptr;
  const rd_kafka_resp_err_t code = rd_kafka_metadata(client, 0, nullptr, &answer, kRequestMs);
  const Metadata metadata(answer);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return as_status(error_of(code), "asking for brokers");
  if (metadata->broker_cnt == 0) return untold;
  auto event = describe(client, RD_KAFKA_RESOURCE_BROKER, std::to_string(metadata->orig_broker_id),
                        nullptr, "settings of a broker", kAskMs);
  if (!event.is_ok()) return untold;
  const auto* const found = first_of(event->get());
  if (found == nullptr || rd_kafka_ConfigResource_error(found)) return untold;
  const TopicConfig settings = settings_in(found);
  const auto longest = settings.find("transaction.max.timeout.ms");
  if (longest == settings.end() || longest->second.empty()) return untold;
  return std::optional<std::int64_t>(std::strtoll(longest->second.c_str(), nullptr, 10));
}

}  // namespace huiliu::connectors::kafka
