#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "connectors/kafka/client/replay.h"
#include "connectors/kafka/client/topic_transaction.h"

namespace huiliu::connectors::kafka {

/// The topic `ID.progress` as it is committed: keys of the engine (positions, layout, …) and, with
/// a `!` in front, those of the backend (backend_keys.h). It is the truth about how far a topology
/// is: an epoch is committed if and only if its records are here.
class ProgressLog {
 public:
  using Meta = std::vector<std::pair<std::string, std::string>>;

  explicit ProgressLog(std::string topic_name) : topic_name_(std::move(topic_name)) {}

  const std::string& topic_name() const { return topic_name_; }
  /// Where records are written from now on.
  void use(rd_kafka_topic_t* topic) { topic_ = topic; }

  /// Takes a record that was read. kCorrupt for a value that cannot be one of the key: whoever may
  /// write to the topic can put anything there, such as by a mistake with a tool.
  runtime::Status take(const ReplayedRecord& record);

  bool has(const std::string& key) const { return values_.contains(key); }
  /// Null if there is none.
  const std::string* find(std::string_view key) const;
  Meta with_prefix(std::string_view prefix) const;
  const std::map<std::string, std::string>& all() const { return values_; }

  /// Takes a value that was written without a transaction.
  void set(std::string_view key, std::string value);
  /// The record of the key is written again with the next put(), also if it is the same.
  void forget(const std::string& key) { values_.erase(key); }
  /// Keeps a record that goes with the next epoch.
  void add_next(std::string_view key, std::string value);
  /// Those records, once.
  Meta take_next() { return std::exchange(next_, {}); }

  /// Writes a record, unless it is known to be there; "" deletes. True if it was written.
  runtime::Result<bool> put(TopicTransaction& transaction, int partition, const std::string& key,
                            const std::string& value);
  /// Writes a record in any case.
  runtime::Status write(TopicTransaction& transaction, int partition, const std::string& key,
                        const std::string& value);

 private:
  std::string topic_name_;
  rd_kafka_topic_t* topic_ = nullptr;
  std::map<std::string, std::string> values_;
  Meta next_;
};

}  // namespace huiliu::connectors::kafka
