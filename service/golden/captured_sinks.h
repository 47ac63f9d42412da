#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/topology/topology.h"

namespace huiliu::service {

/// A record that reached a sink: its fields in their order; no text = null.
using CapturedRecord = std::vector<std::pair<std::string, std::optional<std::string>>>;

/// Puts itself in the place of all sinks of a topology and keeps what reaches them, so that a case
/// needs no file, database or server. For a run with one thread; outlives it.
class CapturedSinks {
 public:
  explicit CapturedSinks(runtime::Topology& topology);
  CapturedSinks(const CapturedSinks&) = delete;
  CapturedSinks& operator=(const CapturedSinks&) = delete;

  /// Of a sink, in the order in which they reached it.
  const std::vector<CapturedRecord>& records(const std::string& sink) const {
    return records_.at(sink);
  }

 private:
  std::map<std::string, std::vector<CapturedRecord>> records_;
  std::vector<std::unique_ptr<runtime::SinkType>> types_;
};

}  // namespace huiliu::service
