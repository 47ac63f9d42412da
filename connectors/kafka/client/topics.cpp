#include "connectors/kafka/client/topics.h"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "runtime/base/failpoint.h"
#include "runtime/base/machine.h"

namespace huiliu::connectors::kafka {

using runtime::Result;
using runtime::Status;

namespace {

/// 1 ms, 2 ms, 4 ms ... 20 ms.
void pause(int tries) {
  constexpr int kMostMs = 20, kMostShift = 5;
  runtime::sleep_ms(std::min(1 << std::min(tries, kMostShift), kMostMs));
}

using Metadata = std::unique_ptr<const rd_kafka_metadata_t, Deleter<rd_kafka_metadata_destroy>>;

struct Answer {
  Metadata metadata;
  Error error;
};

Answer ask_metadata(rd_kafka_t* client, rd_kafka_topic_t* topic, int timeout_ms = kRequestMs) {
  const rd_kafka_metadata_t* found = nullptr;
  const rd_kafka_resp_err_t code =
      rd_kafka_metadata(client, topic == nullptr ? 1 : 0, topic, &found, timeout_ms);
  return {Metadata(found), error_of(code)};
}

/// Calls an admin API and waits for its event.
template <class Call>
Result<Event> admin(rd_kafka_t* client, const Call& call, const std::string& what,
                    int timeout_ms = kRequestMs) {
  const Queue queue(rd_kafka_queue_new(client));
  call(queue.get());
  Event event(rd_kafka_queue_poll(queue.get(), timeout_ms));
  if (!event) return Status::restart(fmt::format("{}: no answer", what));
  if (const rd_kafka_resp_err_t code = rd_kafka_event_error(event.get())) {
    return as_status(error_of(code), what);
  }
  return event;
}

using NewTopic = std::unique_ptr<rd_kafka_NewTopic_t, Deleter<rd_kafka_NewTopic_destroy>>;

Result<NewTopic> new_topic(const InternalTopic& topic) {
  char message[512];
  NewTopic made(rd_kafka_NewTopic_new(topic.name.c_str(), topic.partitions, topic.replication,
                                      message, sizeof message));
  if (!made) return Status::invalid(fmt::format("topic {}: {}", topic.name, message));
  for (const auto& [name, value] : topic.settings) {
    const Error error =
        error_of(rd_kafka_NewTopic_set_config(made.get(), name.c_str(), value.c_str()));
    if (error) return as_status(error, fmt::format("topic {}: {}={}", topic.name, name, value));
  }
  return made;
}

Status create(rd_kafka_t* client, const std::vector<const InternalTopic*>& topics) {
  std::vector<NewTopic> wanted;
  std::vector<rd_kafka_NewTopic_t*> list;
  for (const InternalTopic* topic : topics) {
    auto made = new_topic(*topic);
    if (!made.is_ok()) return made.status();
    list.push_back(made->get());
    wanted.push_back(std::move(made.value()));
  }
  auto event = admin(
      client,
      [&](rd_kafka_queue_t* queue) {
        rd_kafka_CreateTopics(client, list.data(), list.size(), nullptr, queue);
      },
      "creating topic " + topics.front()->name);
  if (!event.is_ok()) return event.status();
  std::size_t count = 0;
  const auto* results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event->get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    Error error = error_of(rd_kafka_topic_result_error(results[i]));
    if (!error || error.code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) continue;
    error.text = rd_kafka_topic_result_error_string(results[i]);
    return as_status(error, "creating topic " + topics[i]->name);
  }
  return Status::ok();
}

/// librdkafka makes no handle of such a name.
Status no_topic(const std::string& name) {
  return Status::invalid(fmt::format("topic {}: {}; a topic's name is {}", name,
                                     rd_kafka_err2str(rd_kafka_last_error()), kTopicNameRule));
}

/// Partitions with a leader; -1 if there is no such topic.
Result<int> count_led(rd_kafka_t* client, const std::string& name) {
  const Topic topic(rd_kafka_topic_new(client, name.c_str(), nullptr));
  // Without one the brokers would be asked for all topics.
  if (!topic) return no_topic(name);
  const Answer answer = ask_metadata(client, topic.get());
  if (answer.error) return as_status(answer.error, "asking for topic " + name);
  const rd_kafka_metadata_topic_t& found = answer.metadata->topics[0];
  if (found.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return -1;
  if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR)
    return as_status(error_of(found.err), "topic " + name);
  for (int p = 0; p < found.partition_cnt; ++p) {
    if (found.partitions[p].leader < 0) return 0;
  }
  return found.partition_cnt;
}

/// As count_led, but -1 only after a while: the brokers of a cluster hear of a new topic one after
/// the other, and any of them may be asked.
Result<int> count_led_anywhere(rd_kafka_t* client, const std::string& name) {
  constexpr int kTries = 60, kPauseMs = 50;
  for (int tries = 0;; ++tries) {
    auto count = count_led(client, name);
    if (!count.is_ok() || *count >= 0 || tries == kTries) return count;
    runtime::sleep_ms(kPauseMs);
  }
}

Status other_partitions(const InternalTopic& topic, int count) {
  return Status::invalid(fmt::format(
      "topic {} has {} partitions, the topology needs {}: `shards` is fixed for the life of the "
      "state, and so is `workers`; use the old ones, or another `topology` id",
      topic.name, count, topic.partitions));
}

}  // namespace

Result<int> partition_count(rd_kafka_t* client, const std::string& topic) {
  auto count = count_led_anywhere(client, topic);
  if (!count.is_ok() || *count > 0) return count;
  if (*count == 0) return Status::restart(fmt::format("topic {} has no leader", topic));
  return Status::invalid(fmt::format("topic {}: {}; create the topic, or name another one", topic,
                                     rd_kafka_err2str(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)));
}

Result<bool> topic_exists(rd_kafka_t* client, const std::string& topic) {
  auto count = count_led_anywhere(client, topic);
  if (!count.is_ok()) return count.status();
  return *count >= 0;
}

Result<std::vector<std::string>> topic_names(rd_kafka_t* client) {
  const Answer answer = ask_metadata(client, nullptr);
  if (answer.error) return as_status(answer.error, "asking for topics");
  std::vector<std::string> names;
  for (int t = 0; t < answer.metadata->topic_cnt; ++t) {
    names.emplace_back(answer.metadata->topics[t].topic);
  }
  return names;
}

Status ensure_topics(rd_kafka_t* client, const std::vector<InternalTopic>& topics) {
  constexpr int kTries = 100;
  std::vector<const InternalTopic*> waiting;
  for (const InternalTopic& topic : topics) waiting.push_back(&topic);
  for (int tries = 0; tries < kTries; ++tries) {
    std::vector<const InternalTopic*> missing, without_leader;
    for (const InternalTopic* topic : waiting) {
      auto count = count_led(client, topic->name);
      if (!count.is_ok()) return count.status();
      if (*count > 0 && *count != topic->partitions) return other_partitions(*topic, *count);
      if (*count < 0) missing.push_back(topic);
      if (*count == 0) without_leader.push_back(topic);
    }
    if (missing.empty() && without_leader.empty()) return Status::ok();
    if (!missing.empty() && tries % 20 == 0) {
      if (Status status = create(client, missing); !status.is_ok()) return status;
    }
    waiting = std::move(missing);
    waiting.insert(waiting.end(), without_leader.begin(), without_leader.end());
    pause(tries);  // the brokers hear of a new topic a little later
  }
  return Status::restart(fmt::format("topic {} has no leader yet", waiting.front()->name));
}

Status ensure_topic(rd_kafka_t* client, const InternalTopic& topic) {
  return ensure_topics(client, {topic});
}

namespace {

using ConfigResource =
    std::unique_ptr<rd_kafka_ConfigResource_t, Deleter<rd_kafka_ConfigResource_destroy>>;

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
  auto event = admin(
      client,
      [&](rd_kafka_queue_t* queue) {
        rd_kafka_DescribeConfigs(client, asked.data(), asked.size(), nullptr, queue);
      },
      "settings of topic " + topics.front().name);
  if (!event.is_ok()) return event.status();
  std::size_t count = 0;
  const auto* found = rd_kafka_DescribeConfigs_result_resources(
      rd_kafka_event_DescribeConfigs_result(event->get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = rd_kafka_ConfigResource_name(found[i]);
    const rd_kafka_resp_err_t refused = rd_kafka_ConfigResource_error(found[i]);
    // Gone, which is found when its table is opened.
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

Result<TopicConfig> topic_settings(rd_kafka_t* client, const std::string& topic, int timeout_ms) {
  const ConfigResource resource(
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
  auto event = admin(
      client,
      [&](rd_kafka_queue_t* queue) {
        rd_kafka_ConfigResource_t* list[] = {resource.get()};
        rd_kafka_DescribeConfigs(client, list, 1, nullptr, queue);
      },
      "settings of topic " + topic, timeout_ms);
  if (!event.is_ok()) return event.status();
  std::size_t resources = 0;
  const auto* found = rd_kafka_DescribeConfigs_result_resources(
      rd_kafka_event_DescribeConfigs_result(event->get()), &resources);
  if (resources == 0) return Status::restart(fmt::format("settings of topic {}: no answer", topic));
  const rd_kafka_resp_err_t refused = rd_kafka_ConfigResource_error(found[0]);
  if (refused == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) {
    return Status::not_found(fmt::format("DescribeConfigs on topic {} is not allowed", topic));
  }
  if (refused) return as_status(error_of(refused), "settings of topic " + topic);
  return settings_in(found[0]);
}

bool is_topic_name(std::string_view name) {
  constexpr std::size_t kLongest = 249;
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= kLongest && name != "." && name != ".." &&
         std::all_of(name.begin(), name.end(), allowed);
}

Status delete_records(rd_kafka_t* client, const rd_kafka_topic_partition_list_t* offsets) {
  std::unique_ptr<rd_kafka_DeleteRecords_t, Deleter<rd_kafka_DeleteRecords_destroy>> request(
      rd_kafka_DeleteRecords_new(offsets));
  auto event = admin(
      client,
      [&](rd_kafka_queue_t* queue) {
        rd_kafka_DeleteRecords_t* list[] = {request.get()};
        rd_kafka_DeleteRecords(client, list, 1, nullptr, queue);
      },
      "deleting rows that were consumed");
  if (!event.is_ok()) return event.status();
  const auto* deleted =
      rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event->get()));
  for (int i = 0; deleted != nullptr && i < deleted->cnt; ++i) {
    const rd_kafka_topic_partition_t& one = deleted->elems[i];
    if (Error error = error_of(one.err)) {
      return as_status(error, fmt::format("deleting rows of {}[{}] that were consumed", one.topic,
                                          one.partition));
    }
  }
  return Status::ok();
}

Result<OffsetRange> offset_range(rd_kafka_t* client, const std::string& topic, int partition) {
  constexpr int kTries = 50;
  OffsetRange marks;
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
  for (int tries = 0; tries < kTries; ++tries) {
    code = rd_kafka_query_watermark_offsets(client, topic.c_str(), partition, &marks.begin,
                                            &marks.end, kRequestMs);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return marks;
    // A new or moved partition: its leader hears of it a little later than everybody.
    if (code != RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION &&
        code != RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE &&
        code != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
      break;
    }
    pause(tries);
  }
  return as_status(error_of(code), fmt::format("offsets of {}[{}]", topic, partition));
}

}  // namespace huiliu::connectors::kafka
