#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/kafka/client/client.h"
#include "runtime/component/sink.h"

namespace huiliu::connectors::kafka {

/// What a topic's records are to become.
struct TopicSettings {
  std::string compression = "none";
};

struct Header {
  std::string_view name, value;
};

struct Outgoing {
  int partition = RD_KAFKA_PARTITION_UA;  ///< by the key's hash, as the Java client does
  std::string_view key;                   ///< null data: no key
  std::string_view value;                 ///< null data: a tombstone
  std::int64_t timestamp_ms = 0;          ///< 0: now
  std::span<const Header> headers = {};
  std::int64_t* offset = nullptr;  ///< gets the record's offset, at the latest at flush()
};

/// What the parts of the backend do with a transaction. Transaction (transaction.h) talks to the
/// brokers; unit tests have one that only notes the calls.
class TopicTransaction : public runtime::LogTransaction {
 public:
  virtual runtime::Status begin() = 0;
  /// Kept until the transaction object goes.
  virtual runtime::Result<rd_kafka_topic_t*> topic(const std::string& name,
                                                   const TopicSettings& settings) = 0;
  /// Copies the record.
  virtual runtime::Status produce(rd_kafka_topic_t* topic, const Outgoing& record) = 0;
  /// Many records without time and headers for one partition, at half the cost. `offset` gets that
  /// of the last one.
  virtual runtime::Status produce_all(rd_kafka_topic_t* topic, int partition,
                                      std::vector<rd_kafka_message_t>& records,
                                      std::int64_t* offset) = 0;
  /// All records are with the brokers, or the status says why not.
  virtual runtime::Status flush() = 0;
  virtual runtime::Status send_offsets(const rd_kafka_topic_partition_list_t* offsets,
                                       const rd_kafka_consumer_group_metadata_t* group) = 0;
  virtual runtime::Status commit() = 0;
  virtual runtime::Status abort() = 0;
  /// Key figures of the producer. Any thread.
  virtual std::vector<runtime::Figure> figures() const { return {}; }
  /// For requests about topics.
  virtual rd_kafka_t* client() = 0;
};

}  // namespace huiliu::connectors::kafka
