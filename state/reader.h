#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/status.h"
#include "state/epoch_store.h"

namespace huiliu::state {

/// What a store holds as of one committed epoch, while others may go on writing to it. Any thread,
/// one at a time.
class Reader {
 public:
  using Visit = std::function<runtime::Status(std::string_view key, std::string_view value)>;

  /// Of a state folder, also of one that a running process has open; nothing in it is changed.
  /// `scratch` is an empty folder of the caller's. kNotFound if there is no state.
  static runtime::Result<std::unique_ptr<Reader>> open(const std::string& folder,
                                                       const std::string& scratch);
  /// Of a store that is open; ends before it.
  static std::unique_ptr<Reader> of(EpochStore& store);
  ~Reader();

  /// Reads everything in a folder, checksums and all: what is damaged, a line each, with the file.
  /// Empty: sound. As of one committed epoch beside a running process. kNotFound as open().
  static runtime::Result<std::vector<std::string>> verify(const std::string& folder,
                                                          const std::string& scratch);

  std::uint64_t epoch() const;
  /// Of the topology, as StoreOptions has it.
  std::string identity() const;
  std::vector<std::pair<std::string, std::string>> meta(std::string_view prefix) const;
  std::vector<std::string> tables() const;
  std::vector<std::string> logs() const;
  runtime::Result<std::optional<std::string>> get(const std::string& table, std::uint16_t shard,
                                                  std::string_view key) const;
  /// Rows of a shard in the order of their keys. What is not yet in the table's files, at most the
  /// memory budget, is held in memory meanwhile.
  runtime::Status for_each(const std::string& table, std::uint16_t shard, const Visit& visit) const;
  runtime::Result<std::vector<LogEntry>> read_log(const std::string& log, std::uint64_t after,
                                                  std::size_t max_bytes) const;

 private:
  struct Impl;
  explicit Reader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace huiliu::state
