#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/engine/messages.h"

namespace huiliu::runtime {

/// One sink's records of one slice, in the order of the input.
class SinkMerge {
 public:
  /// `parts` of one sink and slice, in any order: what comes out does not depend on it. The views
  /// are those of a single part, or live until the next call.
  void merge(const std::vector<const SinkPart*>& parts);

  std::string_view bytes() const { return bytes_; }
  /// Of each record; empty if no part has them, as for files that one stream writes in one thread.
  const std::vector<std::uint32_t>& sizes() const { return *sizes_; }
  std::uint64_t records() const { return records_; }

 private:
  void interleave(const std::vector<const SinkPart*>& parts);

  std::string_view bytes_;
  const std::vector<std::uint32_t>* sizes_ = &merged_sizes_;
  std::uint64_t records_ = 0;
  std::string merged_;
  std::vector<std::uint32_t> merged_sizes_;
};

}  // namespace huiliu::runtime
