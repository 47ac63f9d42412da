#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "connectors/kafka/backend/intake_entries.h"
#include "connectors/kafka/backend/partition_log.h"
#include "runtime/base/clock.h"
#include "runtime/base/machine.h"

namespace huiliu::connectors::kafka {

/// An intake in a topic of one partition, ID.SOURCE.intake: an entry is durable when all replicas
/// in sync have it. A thread reads the topic's end on, so that what others appended is known.
class TopicIntake final : public runtime::Intake {
 public:
  struct Place {
    Connection connection;
    std::string group, topic;
  };
  /// The topic is there. Reads it from its beginning.
  static runtime::Result<std::unique_ptr<TopicIntake>> open(
      Place place, const runtime::IntakeOptions& options, const std::function<bool()>& interrupted);
  /// Who still waits is told kUnavailable.
  ~TopicIntake() override;

  void append(runtime::IntakeEntry entry, Done done) override;
  runtime::Status read(std::uint64_t after, std::size_t most_bytes,
                       std::vector<runtime::IntakeEntry>& entries) override;
  runtime::Result<runtime::IntakeEntry> at(std::uint64_t number) override;
  bool wait(std::uint64_t after, std::int64_t most_ms) override;
  void consumed(std::uint64_t number) override;
  std::uint64_t last() const override;
  std::vector<runtime::Figure> figures() const override;

 private:
  struct Waiting {
    TopicIntake* intake = nullptr;
    runtime::IntakeEntry entry;  ///< without its body once it is sent
    std::uint64_t body_hash = 0, bytes = 0;
    std::vector<Done> done;
    /// Set: it was answered, and the tail has not seen it yet.
    std::optional<runtime::IntakeReceipt> receipt;
  };

  TopicIntake(Place place, const runtime::IntakeOptions& options);
  runtime::Status start(const std::function<bool()>& interrupted);
  runtime::Status make_producer();
  void follow();
  void trim();
  std::optional<runtime::IntakeReceipt> take_in(runtime::IntakeEntry& entry,
                                                std::uint64_t body_hash, Done& done,
                                                std::shared_ptr<Waiting>& added);
  void produce(const std::shared_ptr<Waiting>& waiting);
  void report(const std::shared_ptr<Waiting>& waiting, rd_kafka_resp_err_t error,
              std::int64_t offset);
  static void on_report(rd_kafka_t* client, const rd_kafka_message_t* message, void* opaque);
  void serve();
  void learn(std::int64_t offset, std::string_view key, std::string_view value);

  const Place place_;
  const runtime::IntakeOptions options_;
  runtime::Clock& clock_;
  std::unique_ptr<PartitionLog> tail_;
  Client producer_;

  mutable std::mutex mutex_;
  runtime::Condition durable_;
  IntakeEntries entries_;
  std::map<std::string, std::shared_ptr<Waiting>, std::less<>> under_way_;  // by key
  std::uint64_t sent_bytes_ = 0, trimmed_ = 0, failures_ = 0, acknowledged_ = 0;
  runtime::Status broken_ = runtime::Status::ok();  ///< of the tail
  std::atomic<bool> stop_{false};
  std::thread tail_thread_, report_thread_;

  std::mutex read_mutex_;
  std::unique_ptr<PartitionLog> reader_;
};

}  // namespace huiliu::connectors::kafka
