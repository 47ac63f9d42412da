#include "connectors/kafka/client/topics.h"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "connectors/kafka/client/errors.h"
#include "connectors/kafka/client/requests.h"
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
    error.code = meant(error.code, error.text);
    return as_status(error, "creating topic " + topics[i]->name);
  }
  return Status::ok();
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
