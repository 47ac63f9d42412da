#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/kafka/client/client.h"
#include "runtime/component/backend.h"

namespace huiliu::connectors::kafka {

/// Where a replay of one partition starts.
struct ReplayFrom {
  int partition = 0;
  std::int64_t offset = 0;
};

struct ReplayedRecord {
  int partition = 0;
  std::int64_t offset = 0;
  std::string_view key;
  std::string_view value;
  bool tombstone = false;
};

struct ReplayEnd {
  runtime::Status status = runtime::Status::ok();
  std::vector<std::int64_t> next;  ///< per entry of `from`: the offset to go on at
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
};

/// What to read, and up to where.
struct ReplayRequest {
  const Connection& connection;
  const std::string& group;  ///< only named, for rights; it is not joined
  const std::string& topic;
  const std::vector<ReplayFrom>& from;
  /// Set if others may have transactions open there: the end is then that of all records there are
  /// at the start, and those transactions are waited for. Called when one takes long.
  std::function<runtime::Status()> on_open_transaction = {};
  /// Called some records before `visit` with a key that may come then, to bring memory nearer.
  std::function<void(std::string_view key)> expect = {};
  bool committed_only = true;
  /// Asked between batches: true ends it with kRestart.
  std::function<bool()> interrupted = {};
  /// Told every two seconds how far it is, in offsets. May be empty.
  std::function<void(const runtime::RestoreProgress&)> progress = {};
};

/// Reads partitions of a topic up to their ends. `visit` may refuse to go on. An offset behind a
/// partition's end is kCorrupt: the topic was recreated. So is one before its beginning: a part of
/// the state was deleted.
ReplayEnd replay_topic(const ReplayRequest& request,
                       const std::function<runtime::Status(const ReplayedRecord&)>& visit);

}  // namespace huiliu::connectors::kafka
