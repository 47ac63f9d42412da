#include "connectors/kafka/sink/kafka_sink.h"

#include <fmt/format.h>

#include "connectors/kafka/client/message_frame.h"
#include "connectors/kafka/client/transaction.h"
#include "runtime/base/check.h"
#include "runtime/base/failpoint.h"

namespace huiliu::connectors::kafka {

using runtime::Status;

namespace {

class KafkaSink final : public runtime::EpochSink {
 public:
  explicit KafkaSink(const SinkSettings& settings)
      : topic_names_(settings.layout.topics),
        bootstrap_(settings.bootstrap),
        messages_(settings.messages),
        settings_{.compression = settings.compression} {}

  Status open(const runtime::SinkContext& context) override {
    transaction_ = dynamic_cast<Transaction*>(context.transaction);
    if (transaction_ == nullptr) {
      return Status::invalid(fmt::format(
          "sink '{}' of type kafka needs `backend: {{type: kafka, ...}}`", context.node_name));
    }
    for (const std::string& name : topic_names_) {
      auto topic = transaction_->topic(name, settings_);
      if (!topic.is_ok()) return topic.status();
      topics_.push_back(*topic);
    }
    return check_limits(context.node_name);
  }

  Status append(std::string_view bytes, std::uint64_t) override {
    const char* at = bytes.data();
    const char* const end = at + bytes.size();
    while (at < end) {
      const FramedMessage message = read_frame(at);
      Outgoing record;
      if (message.head.key_size >= 0) record.key = message.key;
      if (message.head.value_size >= 0) record.value = message.value;
      record.timestamp_ms = message.head.timestamp;
      headers_.clear();
      std::string_view rest = message.headers;
      for (Header header; take_header(rest, header.name, header.value);) headers_.push_back(header);
      record.headers = headers_;
      const auto topic = static_cast<std::size_t>(message.head.offset);
      HUILIU_CHECK(topic < topics_.size());
      Status status = transaction_->produce(topics_[topic], record);
      if (!status.is_ok()) return status;
      at += message.head.frame_size;
    }
    return Status::ok();
  }

  Status prepare(std::vector<std::pair<std::string, std::string>>&) override {
    if (runtime::mutant("kafka.outputs_early")) {
      if (Status status = transaction_->commit(); !status.is_ok()) return status;
      return transaction_->begin();
    }
    return Status::ok();  // the backend flushes all topics at once
  }

 private:
  Status check_limits(const std::string& node) {
    if (transaction_->checked_sinks().contains(node)) return Status::ok();
    for (const std::string& name : topic_names_) {
      Status status = learn_topic(transaction_->client(), bootstrap_, name, messages_, node);
      if (!status.is_ok()) return status;
    }
    transaction_->checked_sinks().insert(node);
    return Status::ok();
  }

  std::vector<std::string> topic_names_;
  std::string bootstrap_;
  WrittenMessages messages_;
  TopicSettings settings_;
  Transaction* transaction_ = nullptr;
  std::vector<rd_kafka_topic_t*> topics_;  // in the order of their names
  std::vector<Header> headers_;
};

}  // namespace

std::unique_ptr<runtime::EpochSink> make_kafka_sink(const SinkSettings& settings) {
  return std::make_unique<KafkaSink>(settings);
}

}  // namespace huiliu::connectors::kafka
