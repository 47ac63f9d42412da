#include "connectors/kafka/sink/written_topic.h"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "connectors/kafka/client/topic_limits.h"
#include "connectors/kafka/sink/message_encoder.h"

namespace huiliu::connectors::kafka {

using runtime::Status;

namespace {

std::string setting_of(const TopicConfig& settings, const char* name) {
  const auto found = settings.find(name);
  return found == settings.end() ? std::string() : found->second;
}

bool is_compacted(const TopicConfig& settings) {
  return setting_of(settings, "cleanup.policy").find("compact") != std::string::npos;
}

/// The largest message; unbounded if the brokers do not say.
std::uint64_t taken_bytes(const TopicConfig& settings) {
  const std::string size = setting_of(settings, "max.message.bytes");
  return size.empty() ? UINT64_MAX : std::strtoull(size.c_str(), nullptr, 10);
}

/// The most bytes of a batch of several records, as `batch.size` of the client says.
std::uint64_t most_batch_bytes(rd_kafka_t* client) {
  char text[32];
  std::size_t size = sizeof text;
  const rd_kafka_conf_t* conf = rd_kafka_conf(client);
  if (rd_kafka_conf_get(conf, "batch.size", text, &size) != RD_KAFKA_CONF_OK) return 0;
  return std::strtoull(text, nullptr, 10);
}

/// What the encoders are to refuse.
void learn_limits(const std::string& bootstrap, const std::string& topic,
                  const TopicConfig& settings) {
  TopicLimits& limits = *limits_of(bootstrap, topic);
  limits.needs_key = is_compacted(settings);
  if (setting_of(settings, "message.timestamp.type") == "LogAppendTime") return;
  const auto bound = [&](const char* name) -> std::int64_t {
    const std::string text = setting_of(settings, name);
    return text.empty() ? TopicLimits::kUnbounded
                        : static_cast<std::int64_t>(std::strtoll(text.c_str(), nullptr, 10));
  };
  // Before Kafka 3.6 one setting was for both.
  const std::int64_t both = bound("message.timestamp.difference.max.ms");
  limits.before_ms = std::min(both, bound("message.timestamp.before.max.ms"));
  limits.after_ms = std::min(both, bound("message.timestamp.after.max.ms"));
}

}  // namespace

WrittenMessages written_messages(const runtime::Config& sink) {
  return {.has_key = sink.has("key"), .max_bytes = sink["max_message_bytes"].as_size()};
}

Status check_taken(rd_kafka_t* client, const std::string& topic, const TopicConfig& settings,
                   const WrittenMessages& messages, const std::string& writer) {
  if (is_compacted(settings) && !messages.has_key) {
    return Status::invalid(fmt::format(
        "{} has no `key`, and topic {} is compacted: it takes no message without one. Set `key`, "
        "or cleanup.policy=delete of the topic",
        writer, topic));
  }
  const std::uint64_t taken = taken_bytes(settings), batch = most_batch_bytes(client);
  if (taken < messages.max_bytes) {
    return Status::invalid(
        fmt::format("{} writes messages of up to {} bytes, and topic {} takes {}: set "
                    "`max_message_bytes: {}`, or raise max.message.bytes of the topic",
                    writer, messages.max_bytes, topic, taken, taken));
  }
  if (taken < batch) {
    return Status::invalid(fmt::format(
        "topic {} takes {} bytes at a time, and {} sends batches of up to {}: set `batch.size: {}` "
        "in `settings` of the backend, or raise max.message.bytes of the topic",
        topic, taken, writer, batch, taken));
  }
  return Status::ok();
}

Status learn_topic(rd_kafka_t* client, const std::string& bootstrap, const std::string& topic,
                   const WrittenMessages& messages, const std::string& node) {
  auto settings = topic_settings(client, topic);
  if (settings.status().code() == runtime::StatusCode::kNotFound) {
    spdlog::warn("sink {}: {}; a message that the topic does not take would end the run", node,
                 settings.status().message());
    return Status::ok();
  }
  if (!settings.is_ok()) return settings.status();
  Status status = check_taken(client, topic, *settings, messages, fmt::format("sink '{}'", node));
  if (!status.is_ok()) return status;
  learn_limits(bootstrap, topic, *settings);
  status = warn_of_missing_replicas(client, topic, *settings);
  if (!status.is_ok()) return status;
  const std::uint64_t taken = taken_bytes(*settings);
  if (taken == UINT64_MAX || taken <= messages.max_bytes) return Status::ok();
  if (messages.max_bytes == kDefaultMessageBytes) {
    spdlog::info(
        "topic {} takes messages of up to {} bytes, and the sink {} refuses what has more than "
        "{}; `max_message_bytes` changes that",
        topic, taken, node, messages.max_bytes);
  }
  return Status::ok();
}

}  // namespace huiliu::connectors::kafka
