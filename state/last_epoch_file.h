#pragma once

#include <cstdint>
#include <string>

namespace huiliu::state {

/// The last committed epoch, beside the state that has it too: a state whose log was cut ends
/// before it. Written behind every commit and never synced, so it may be older than the state after
/// a loss of power, but not newer.
class LastEpochFile {
 public:
  static constexpr const char* kName = "LAST_EPOCH";

  explicit LastEpochFile(const std::string& folder);
  ~LastEpochFile();
  LastEpochFile(const LastEpochFile&) = delete;
  LastEpochFile& operator=(const LastEpochFile&) = delete;

  /// What a folder's file says, without making one.
  static std::uint64_t look(const std::string& folder);
  /// 0 if nothing legible is there.
  std::uint64_t read() const;
  /// A failure is of no weight: the state is what counts.
  void write(std::uint64_t epoch);

 private:
  int fd_ = -1;
};

}  // namespace huiliu::state
