#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>

#include "runtime/base/status.h"

namespace huiliu::connectors {

/// A row that a receiver refuses.
struct DeadLetter {
  std::string_view row;  ///< JSON
  std::string code, message;
  std::uint64_t sequence = 0;  ///< of the outbox's entry
  std::string batch;           ///< key of the whole batch that the row was in first
  std::size_t index = 0;       ///< of the row in that batch
};

/// A file of NDJSON that only grows. What is delivered again after a crash is not written again: a
/// letter is known by `batch` and `index`. One thread.
class DeadLetters {
 public:
  DeadLetters() = default;
  ~DeadLetters();
  DeadLetters(const DeadLetters&) = delete;
  DeadLetters& operator=(const DeadLetters&) = delete;

  /// Cuts off a last line that a crash left incomplete, and learns which letters are there of
  /// entries after `delivered`: only those may come again. kUnavailable if the disk is.
  runtime::Status open(const std::string& path, std::uint64_t delivered);
  /// True in `added` unless the letter is there already. On disk after sync().
  runtime::Status add(const DeadLetter& letter, std::int64_t now_ms, bool& added);
  runtime::Status sync();

 private:
  runtime::Status failed(const char* what) const;
  runtime::Status learn(std::uint64_t delivered);
  void close();

  std::string path_;
  int fd_ = -1;
  bool dirty_ = false;
  std::uint64_t length_ = 0;
  std::unordered_set<std::string> known_;
};

}  // namespace huiliu::connectors
