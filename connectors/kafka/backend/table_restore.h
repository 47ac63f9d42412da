#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "connectors/kafka/backend/local_copy.h"
#include "state/table.h"

namespace huiliu::connectors::kafka {

/// Makes a table's restored rows durable. They can be had again from Kafka, so they are written out
/// as the table's files, without the local changelog that an epoch's changes go through; how far
/// the topic is applied is noted when the rows are on disk. Only the last few become a local epoch.
class TableRestore {
 public:
  using Positions = LocalCopy::Meta;

  /// `positions`: how far the topic is applied in memory, as keys of the local store. `begin`: what
  /// is noted before the first rows, so that those of a restore that was cut off have an age.
  TableRestore(LocalCopy& copy, state::Table& table, std::function<Positions()> positions,
               Positions begin)
      : store_(copy.store()),
        table_(table),
        number_(copy.last_number()),
        positions_(std::move(positions)),
        being_written_(std::move(begin)) {}

  /// To be called after each record.
  runtime::Status took(std::uint64_t rows, std::size_t bytes);
  /// To be called after the last one.
  runtime::Status finish();

 private:
  runtime::Status write_out(bool all);

  state::EpochStore& store_;
  state::Table& table_;
  std::uint64_t& number_;
  std::function<Positions()> positions_;
  Positions being_written_;      // how far the rows reach that are on their way to disk
  std::uint64_t unwritten_ = 0;  // bytes
  std::uint64_t rows_ = 0;
};

}  // namespace huiliu::connectors::kafka
