#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "connectors/kafka/client/client.h"
#include "connectors/kafka/client/statistics.h"
#include "connectors/kafka/source/topic_selection.h"
#include "runtime/component/run_parts.h"

namespace huiliu::connectors::kafka {

/// A consumer client that several sources read with: its threads, connections and fetches are there
/// once. Each source has a queue of its own, to which the queues of its partitions are forwarded.
class SharedConsumer {
 public:
  static runtime::Result<std::shared_ptr<SharedConsumer>> make(const Connection& connection,
                                                               const Settings& settings);
  ~SharedConsumer();
  SharedConsumer(const SharedConsumer&) = delete;
  SharedConsumer& operator=(const SharedConsumer&) = delete;

 private:
  friend class ConsumerPool;
  friend class ConsumerSeat;
  SharedConsumer() = default;
  static int on_statistics(rd_kafka_t*, char* json, std::size_t size, void* statistics);

  /// Null if a source that has taken a seat before may read one of the topics: a client fetches a
  /// partition once.
  rd_kafka_queue_t* take_seat(const TopicSelection& topics);
  rd_kafka_queue_t* queue_for(rd_kafka_queue_t* queue) const;

  std::shared_ptr<ClientStatistics> statistics_ = std::make_shared<ClientStatistics>();
  Client client_;
  Queue events_;  // what is of no partition
  std::atomic<std::int64_t> looked_ms_ = 0;
  std::mutex mutex_;                      // of what follows, and held while partitions are assigned
  std::vector<TopicSelection> selected_;  // of all seats that there were
  std::vector<rd_kafka_queue_t*> queues_;  // of the seats that there are
};

/// A source's place in a consumer client. Used by one thread at a time; each source has its own.
class ConsumerSeat {
 public:
  ConsumerSeat(std::shared_ptr<SharedConsumer> consumer, Queue queue)
      : consumer_(std::move(consumer)), queue_(std::move(queue)) {}
  /// The last one closes the client. Messages that were taken are to be destroyed before.
  ~ConsumerSeat();
  ConsumerSeat(const ConsumerSeat&) = delete;
  ConsumerSeat& operator=(const ConsumerSeat&) = delete;

  /// For requests; partitions are assigned by the functions below only.
  rd_kafka_t* client() const { return consumer_->client_.get(); }
  /// Whether the other one reads with the same client.
  bool shares_with(const ConsumerSeat& other) const { return consumer_ == other.consumer_; }

  /// Begins to fetch partitions, each at its offset; the others go on undisturbed.
  Error assign(const rd_kafka_topic_partition_list_t* partitions);
  /// Goes on fetching an assigned partition at another offset.
  Error seek(const std::string& topic, int partition, std::int64_t offset);
  /// Fetches nothing of an assigned partition until it is paused no longer.
  Error pause(const std::string& topic, int partition, bool paused);

  /// The offset behind the partition's last message, as the brokers said it last; below 0: they
  /// have not yet.
  std::int64_t known_end(const std::string& topic, int partition) const;

  /// Messages and errors of the assigned partitions, as many as are there and fit; if there are
  /// none, the first is waited for.
  std::size_t take(std::span<rd_kafka_message_t*> messages, int most_wait_ms);
  /// The errors of the client as a whole, which one of its sources takes for all. Looks for them
  /// ten times a second; `now_ms` is of a steady clock.
  std::vector<Error> take_errors(std::int64_t now_ms);
  /// Messages that are fetched and not taken.
  std::size_t waiting() const { return rd_kafka_queue_length(queue_.get()); }

 private:
  std::shared_ptr<SharedConsumer> consumer_;
  Queue queue_;
  std::vector<std::pair<std::string, int>> assigned_;
};

/// The consumer clients of the sources of one run. Thread-safe.
class ConsumerPool final : public runtime::RunPart {
 public:
  /// A place in a client with the same connection and settings, or in a new one. Sources that may
  /// read the same topic get different clients; that is judged by their options, not by the topics
  /// there are, because topics come later that fit a pattern.
  runtime::Result<std::unique_ptr<ConsumerSeat>> join(const Connection& connection,
                                                      const Settings& settings,
                                                      const TopicSelection& topics);
  /// Clients that are in use.
  std::size_t size();
  /// Of these.
  std::vector<runtime::Figure> figures() override;

 private:
  struct Key {
    std::string bootstrap;
    Settings connection, own;
    auto operator<=>(const Key&) const = default;
  };
  std::mutex mutex_;
  std::map<Key, std::vector<std::weak_ptr<SharedConsumer>>> consumers_;
};

}  // namespace huiliu::connectors::kafka
