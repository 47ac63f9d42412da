#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "runtime/topology/topology.h"

namespace huiliu::simulation {

/// What the sinks of a topology hold on a disk and in databases that outlive the process.
class DurableSinks {
 public:
  struct File {
    std::string content;
    std::size_t synced = 0;
  };
  struct Store {
    std::string content;
    std::uint64_t position = 0;
  };

  /// Takes the place of the topology's sinks; their encoders stay.
  void attach(runtime::Topology& topology);
  /// Files keep what was synced and a random part of the rest.
  void lose_power(std::mt19937_64& random);
  /// Name of the sink → everything in it.
  std::map<std::string, std::string> contents() const;

 private:
  std::map<std::string, File> files_;
  std::map<std::string, Store> stores_;
  std::vector<std::unique_ptr<runtime::SinkType>> types_;
};

}  // namespace huiliu::simulation
