#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/kafka/client/statistics.h"
#include "connectors/kafka/client/topic_transaction.h"

namespace huiliu::connectors::kafka {

/// The largest message that the client sends; a little more than sinks let through.
inline constexpr std::uint64_t kClientMessageBytes = (16u << 20) + (64u << 10);

struct ProducerOptions {
  Connection connection;
  std::string transactional_id;
  std::int64_t timeout_ms = 60'000;  ///< after which the broker aborts an open transaction
  Settings settings;                 ///< of the producer: linger.ms, ...
  /// Sinks whose topics were found to take what they write. It may be kept over openings: asking
  /// again would take its time at each change of the workers.
  std::shared_ptr<std::set<std::string>> checked_sinks = std::make_shared<std::set<std::string>>();
};

/// The transaction that the running epoch's records, changelog and offsets are in. Used by the
/// committer thread. After any error but of produce() the object is done with: open a new one and
/// ask the brokers what is committed.
class Transaction final : public TopicTransaction {
 public:
  /// Fences whoever has the same transactional id, and waits until their transaction is over.
  static runtime::Result<std::unique_ptr<Transaction>> open(const ProducerOptions& options);
  ~Transaction() override;

  runtime::Status begin() override;
  runtime::Result<rd_kafka_topic_t*> topic(const std::string& name,
                                           const TopicSettings& settings = {}) override;
  runtime::Status produce(rd_kafka_topic_t* topic, const Outgoing& record) override;
  runtime::Status produce_all(rd_kafka_topic_t* topic, int partition,
                              std::vector<rd_kafka_message_t>& records,
                              std::int64_t* offset) override;
  runtime::Status flush() override;
  runtime::Status send_offsets(const rd_kafka_topic_partition_list_t* offsets,
                               const rd_kafka_consumer_group_metadata_t* group) override;
  runtime::Status commit() override;
  runtime::Status abort() override;
  std::vector<runtime::Figure> figures() const override { return statistics_.figures("producer"); }
  rd_kafka_t* client() override { return client_.get(); }
  std::set<std::string>& checked_sinks() { return *checked_sinks_; }

 private:
  explicit Transaction(const ProducerOptions& options)
      : timeout_ms_(options.timeout_ms), checked_sinks_(options.checked_sinks) {}
  runtime::Status init(const std::string& transactional_id);
  static void on_error(rd_kafka_t*, int code, const char* text, void* self);
  static int on_statistics(rd_kafka_t*, char* json, std::size_t size, void* self);
  static void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* self);
  void make_room(std::size_t bytes);
  runtime::Status undelivered();
  Error flush_for(std::int64_t milliseconds);
  runtime::Status waited_for(const Error& error, const std::string& what);
  std::int64_t long_wait_ms() const;
  void name_cause();

  std::int64_t timeout_ms_;
  std::shared_ptr<std::set<std::string>> checked_sinks_;
  Client client_;
  std::map<std::string, Topic> topics_;
  Error delivery_error_;
  Error refused_;                   // by the brokers: who we are, or who they are
  std::uint64_t unsent_bytes_ = 0;  // with the client, not yet with the brokers
  bool cause_named_ = false;        // of a long wait
  ClientStatistics statistics_;
};

}  // namespace huiliu::connectors::kafka
