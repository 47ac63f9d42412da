#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "connectors/kafka/backend/backend_setup.h"
#include "connectors/kafka/backend/local_copy.h"
#include "connectors/kafka/backend/progress_log.h"
#include "connectors/kafka/backend/state_topics.h"
#include "connectors/kafka/client/topic_transaction.h"

namespace huiliu::connectors::kafka {

/// For tests of the backend's parts: a folder that goes with the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "backend-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline runtime::StateNeeds needs_of(std::uint16_t shards) {
  runtime::StateNeeds needs;
  needs.topology_id = "t";
  needs.shards = shards;
  return needs;
}

inline LocalCopy open_copy(const TemporaryFolder& folder) {
  auto copy = LocalCopy::open(folder.path(), needs_of(8), [](state::StoreOptions& options) {
    options.synchronous_flush = true;
  });
  if (!copy.is_ok()) throw runtime::StatusError(copy.status());
  return std::move(copy.value());
}

/// A transaction without brokers: notes what is done with it, as text, and gives records the
/// offsets 100, 101, … A topic is told by its name, whose address stands for the handle.
class FakeTransaction final : public TopicTransaction {
 public:
  runtime::Status begin() override { return note("begin"); }
  runtime::Result<rd_kafka_topic_t*> topic(const std::string& name, const TopicSettings&) override {
    for (const auto& known : topics_) {
      if (*known == name) return handle(*known);
    }
    return handle(*topics_.emplace_back(std::make_unique<std::string>(name)));
  }
  runtime::Status produce(rd_kafka_topic_t* topic, const Outgoing& record) override {
    if (record.offset != nullptr) *record.offset = next_++;
    return note(fmt::format("{}[{}] {}={}", name(topic), record.partition, record.key,
                            record.value.data() == nullptr ? "(none)" : record.value));
  }
  runtime::Status produce_all(rd_kafka_topic_t* topic, int partition,
                              std::vector<rd_kafka_message_t>& records,
                              std::int64_t* offset) override {
    for (const rd_kafka_message_t& record : records) {
      Outgoing one{.partition = partition, .offset = offset};
      one.key = {static_cast<const char*>(record.key), record.key_len};
      one.value = {static_cast<const char*>(record.payload), record.len};
      if (runtime::Status status = produce(topic, one); !status.is_ok()) return status;
    }
    return runtime::Status::ok();
  }
  runtime::Status flush() override { return note("flush"); }
  runtime::Status send_offsets(const rd_kafka_topic_partition_list_t* offsets,
                               const rd_kafka_consumer_group_metadata_t*) override {
    std::string text = "offsets";
    for (int i = 0; i < offsets->cnt; ++i) {
      const rd_kafka_topic_partition_t& one = offsets->elems[i];
      text += fmt::format(" {}[{}]={}", one.topic, one.partition, one.offset);
    }
    return note(text);
  }
  runtime::Status commit() override { return note("commit"); }
  runtime::Status abort() override { return note("abort"); }
  rd_kafka_t* client() override { return nullptr; }

  /// What was done since this was asked last.
  std::vector<std::string> take_calls() { return std::exchange(calls_, {}); }
  /// The call that begins so fails from now on; empty: none.
  std::string refused;

 private:
  static rd_kafka_topic_t* handle(std::string& name) {
    return reinterpret_cast<rd_kafka_topic_t*>(&name);
  }
  static const std::string& name(const rd_kafka_topic_t* topic) {
    return *reinterpret_cast<const std::string*>(topic);
  }
  runtime::Status note(std::string call) {
    if (!refused.empty() && call.starts_with(refused)) return runtime::Status::restart(call);
    calls_.push_back(std::move(call));
    return runtime::Status::ok();
  }

  std::vector<std::unique_ptr<std::string>> topics_;
  std::vector<std::string> calls_;
  std::int64_t next_ = 100;
};

/// A record of a topic of the fake brokers.
struct StoredRecord {
  int partition = 0;
  std::int64_t offset = 0;
  std::string key, value;
  bool tombstone = false;
  bool committed = true;
};

/// What parts of the backend work on, with brokers that are a map of topics.
struct BackendParts {
  BackendParts() {
    setup.needs = needs_of(8);
    setup.options.group = "t";
    setup.calls.ensure_topic = [this](rd_kafka_t*, const InternalTopic& topic) {
      brokers.try_emplace(topic.name);
      return runtime::Status::ok();
    };
    setup.calls.topic_exists = [this](rd_kafka_t*, const std::string& name) {
      return runtime::Result<bool>(brokers.contains(name));
    };
    setup.calls.offset_range = [this](rd_kafka_t*, const std::string& name, int partition) {
      OffsetRange range;
      for (const StoredRecord& one : brokers[name]) {
        if (one.partition == partition) range.end = one.offset + 1;
      }
      return runtime::Result<OffsetRange>(range);
    };
    setup.calls.open_transaction = [this](const ProducerOptions& options) {
      fenced.push_back(options.transactional_id);
      return runtime::Result<std::unique_ptr<TopicTransaction>>(
          std::make_unique<FakeTransaction>());
    };
    setup.calls.replay = [this](const ReplayRequest& request, const BrokerCalls::Visit& visit) {
      return replay(request, visit);
    };
    progress.use(transaction.topic("t.progress", {}).value());
  }

  /// A transaction of somebody else is open in the topic until it is ended.
  ReplayEnd replay(const ReplayRequest& request, const BrokerCalls::Visit& visit) {
    ReplayEnd end;
    if (request.on_open_transaction && request.topic == open_in) {
      end.status = request.on_open_transaction();
    }
    for (const ReplayFrom& from : request.from) {
      end.next.push_back(from.offset);
      for (const StoredRecord& one : brokers[request.topic]) {
        if (one.partition != from.partition || one.offset < from.offset) continue;
        end.next.back() = one.offset + 1;
        if (!end.status.is_ok() || (request.committed_only && !one.committed)) continue;
        ++end.records;
        end.status = visit({one.partition, one.offset, one.key, one.value, one.tombstone});
      }
    }
    return end;
  }

  TemporaryFolder folder;
  BackendSetup setup;
  StateTopics topics{setup.needs, -1, true};
  LocalCopy copy = open_copy(folder);
  ProgressLog progress{"t.progress"};
  FakeTransaction transaction;
  std::map<std::string, std::vector<StoredRecord>> brokers;
  std::vector<std::string> fenced;  ///< transactional ids, in the order they were opened
  std::string open_in;              ///< a topic
};

}  // namespace huiliu::connectors::kafka
