#include "connectors/kafka/client/replay.h"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "connectors/kafka/client/topics.h"
#include "runtime/base/clock.h"
#include "runtime/base/failpoint.h"

namespace huiliu::connectors::kafka {

using runtime::mutant;
using runtime::Status;

namespace {

/// One replay under way.
class Replay {
 public:
  Replay(const ReplayRequest& request, const std::function<Status(const ReplayedRecord&)>& visit)
      : request_(request), topic_(request.topic), from_(request.from), visit_(visit) {
    end_.next.resize(from_.size());
    whole_.assign(from_.size(), -1);
  }

  ReplayEnd run() {
    if (request_.on_open_transaction) end_.status = find_ends();
    if (end_.status.is_ok()) end_.status = open();
    if (end_.status.is_ok()) end_.status = read_all();
    return std::move(end_);
  }

 private:
  // The end that a client of committed records sees is before the first transaction that is open.
  Status find_ends() {
    auto client = make_client(RD_KAFKA_CONSUMER, request_.connection,
                              {{"group.id", request_.group},
                               {"enable.auto.commit", "false"},
                               {"isolation.level", "read_uncommitted"}});
    if (!client.is_ok()) return client.status();
    for (std::size_t i = 0; i < from_.size(); ++i) {
      auto marks = offset_range(client->get(), topic_, from_[i].partition);
      if (!marks.is_ok()) return marks.status();
      whole_[i] = marks->end;
    }
    return Status::ok();
  }

  bool committed_only() const {
    return request_.committed_only && !mutant("kafka.uncommitted_restored");
  }

  Status open() {
    auto client =
        make_client(RD_KAFKA_CONSUMER, request_.connection,
                    {{"group.id", request_.group},
                     {"enable.auto.commit", "false"},
                     {"auto.offset.reset", "error"},
                     {"isolation.level", committed_only() ? "read_committed" : "read_uncommitted"},
                     {"enable.partition.eof", "true"},
                     {"check.crcs", "true"},
                     // At either limit librdkafka before 2.2 pauses for a second.
                     {"queued.min.messages", "10000000"},
                     {"queued.max.messages.kbytes", "131072"},
                     {"fetch.wait.max.ms", "20"},
                     {"fetch.error.backoff.ms", "20"}});
    if (!client.is_ok()) return client.status();
    client_ = std::move(client.value());
    if (Status status = use_consumer_queue(client_.get()); !status.is_ok()) return status;
    const PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(from_.size())));
    for (std::size_t i = 0; i < from_.size(); ++i) {
      auto marks = offset_range(client_.get(), topic_, from_[i].partition);
      if (!marks.is_ok()) return marks.status();
      const std::int64_t end = std::max(marks->end, whole_[i]);
      if (from_[i].offset > end) {
        return Status::corrupt(fmt::format(
            "{}[{}] ends at {}, but the local state has read up to {}: the topic was recreated. "
            "Restore it, or remove the local state folder to build it from what there is",
            topic_, from_[i].partition, end, from_[i].offset));
      }
      // Neither Huiliu nor compaction moves the beginning of such a topic.
      if (from_[i].offset < marks->begin && !mutant("kafka.cut_ignored")) {
        return Status::corrupt(fmt::format(
            "{}[{}] begins at offset {}, and what is before it is needed from {} on: records of "
            "the state were deleted there (DeleteRecords, or a retention). Restore the topic, "
            "start on a copy of the state folder that has read them, or start afresh with another "
            "`topology` id",
            topic_, from_[i].partition, marks->begin, from_[i].offset));
      }
      end_.next[i] = std::max(from_[i].offset, marks->begin);
      if (end_.next[i] >= end) continue;
      index_[from_[i].partition] = i;
      all_ += static_cast<std::uint64_t>(end - end_.next[i]);
      rd_kafka_topic_partition_list_add(list.get(), topic_.c_str(), from_[i].partition)->offset =
          end_.next[i];
    }
    if (index_.empty()) return Status::ok();
    return as_status(error_of(rd_kafka_assign(client_.get(), list.get())), "reading " + topic_);
  }

  Status read_all() {
    constexpr int kSilentMs = 60'000, kWaitMs = 1;  // it waits so long unless the batch is full
    constexpr int kLongMs = 1000;
    constexpr ssize_t kAhead = 8;
    const Queue queue(rd_kafka_queue_get_consumer(client_.get()));
    std::array<rd_kafka_message_t*, 1000> batch{};
    for (int silent = 0; !index_.empty();) {
      const auto count =
          rd_kafka_consume_batch_queue(queue.get(), kWaitMs, batch.data(), batch.size());
      Status status = Status::ok();
      for (ssize_t i = 0; i < count; ++i) {
        const Message message(batch[static_cast<std::size_t>(i)]);
        if (request_.expect && i + kAhead < count) {
          const rd_kafka_message_t& later = *batch[static_cast<std::size_t>(i + kAhead)];
          request_.expect({static_cast<const char*>(later.key), later.key_len});
        }
        if (status.is_ok()) status = take_message(*message);
      }
      if (!status.is_ok()) return status;
      if (request_.interrupted && request_.interrupted()) {
        return Status::restart("reading " + topic_ + " is interrupted");
      }
      show_progress();
      silent = count > 0 ? 0 : silent + kWaitMs;
      if (request_.on_open_transaction && silent > 0 && silent % kLongMs == 0) {
        if (status = request_.on_open_transaction(); !status.is_ok()) return status;
      }
      if (silent > kSilentMs) return Status::restart("reading " + topic_ + ": no answer");
    }
    return Status::ok();
  }

  void show_progress() {
    constexpr std::int64_t kEveryMs = 2000;
    const std::int64_t now = runtime::system_clock().steady_ms();
    if (now - shown_ms_ < kEveryMs || end_.records == 0) return;
    shown_ms_ = now;
    // Offsets that compaction has removed count as read once a later one is.
    const std::uint64_t done = std::min(all_, done_);
    if (request_.progress) request_.progress({topic_, done, all_, end_.bytes});
    const std::uint64_t left_s = (all_ - done) * static_cast<std::uint64_t>(now - started_ms_) /
                                 std::max<std::uint64_t>(done, 1) / 1000;
    spdlog::info("reading {}: {} % of {} offsets, {} MiB, about {} s left", topic_,
                 100 * done / std::max<std::uint64_t>(all_, 1), all_, end_.bytes >> 20, left_s);
  }

  Status take_message(const rd_kafka_message_t& message) {
    const auto found = index_.find(message.partition);
    if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      if (found == index_.end()) return Status::ok();
      if (message.offset < whole_[found->second]) return Status::ok();  // more is to be committed
      end_.next[found->second] = std::max(end_.next[found->second], message.offset);
      index_.erase(found);
      return Status::ok();
    }
    if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      // Such as a broker that is away for a moment: the client goes on by itself.
      return unless_passing(error_of(message.err), "reading " + topic_);
    }
    if (found == index_.end() || message.offset < end_.next[found->second]) return Status::ok();
    done_ += static_cast<std::uint64_t>(message.offset + 1 - end_.next[found->second]);
    end_.next[found->second] = message.offset + 1;
    ++end_.records;
    end_.bytes += message.len + message.key_len;
    ReplayedRecord record;
    record.partition = message.partition;
    record.offset = message.offset;
    record.key = {static_cast<const char*>(message.key), message.key_len};
    record.value = {static_cast<const char*>(message.payload), message.len};
    record.tombstone = message.payload == nullptr;
    return visit_(record);
  }

  const ReplayRequest& request_;
  const std::string& topic_;
  const std::vector<ReplayFrom>& from_;
  std::vector<std::int64_t> whole_;  // per entry of from_: the end of all records, or -1
  const std::function<Status(const ReplayedRecord&)>& visit_;
  Client client_;
  std::map<int, std::size_t> index_;  // partition → entry of from_, while it is not at its end
  ReplayEnd end_;
  std::uint64_t all_ = 0, done_ = 0;  // offsets
  std::int64_t started_ms_ = runtime::system_clock().steady_ms(), shown_ms_ = started_ms_;
};

}  // namespace

ReplayEnd replay_topic(const ReplayRequest& request,
                       const std::function<Status(const ReplayedRecord&)>& visit) {
  return Replay(request, visit).run();
}

}  // namespace huiliu::connectors::kafka
