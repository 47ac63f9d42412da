#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "connectors/kafka/client/client.h"

namespace huiliu::connectors::kafka {

/// Reads a topic of one partition from any offset, again and again. One thread at a time.
class PartitionLog {
 public:
  using Visit = std::function<void(std::int64_t offset, std::string_view key, std::string_view)>;

  /// `group` is only named, for rights; it is not joined.
  static runtime::Result<std::unique_ptr<PartitionLog>> open(const Connection& connection,
                                                             const std::string& group,
                                                             const std::string& topic);
  ~PartitionLog();
  PartitionLog(const PartitionLog&) = delete;
  PartitionLog& operator=(const PartitionLog&) = delete;

  /// Goes on at an offset, unless it is there already.
  runtime::Status seek(std::int64_t offset);
  /// Visits what comes within so long; ok also if nothing does, or the brokers are away, which
  /// away() says. kCorrupt if what is at the offset is gone.
  runtime::Status read(int most_ms, const Visit& visit);
  std::int64_t next() const { return next_; }
  const std::string& away() const { return away_; }
  rd_kafka_t* client() const { return client_.get(); }

 private:
  PartitionLog(Client client, std::string topic)
      : client_(std::move(client)), topic_(std::move(topic)) {}
  runtime::Status take(const rd_kafka_message_t& message, const Visit& visit);

  Client client_;
  std::string topic_;
  std::int64_t next_ = -1;
  std::string away_;
};

}  // namespace huiliu::connectors::kafka
