#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/component/operator.h"
#include "runtime/topology/topology.h"
#include "service/explain/question.h"
#include "service/state/state_folder.h"

namespace huiliu::service {

/// A table of a topology's state, row by row as people read it.
class TableRows {
 public:
  /// `name` is "NODE.TABLE", or "NODE" if the node has one table; kInvalid with the nearest name if
  /// there is none.
  static runtime::Result<TableRows> find(const runtime::Topology& topology,
                                         const std::string& name);

  /// Rows that have all the `wanted` values, as long as visit returns true.
  runtime::Status each(const OpenState& state, const std::vector<AskedValue>& wanted,
                       const std::function<bool(const runtime::RowText&)>& visit) const;
  /// How many rows each() shows.
  runtime::Result<std::uint64_t> count(const OpenState& state) const;
  const std::string& name() const { return name_; }

 private:
  TableRows(const runtime::Topology& topology, const runtime::Node& node,
            const runtime::TableDeclaration& table);
  runtime::RowText text(std::string_view key, std::string_view value) const;
  /// Key and shard if `wanted` gives each field of the key.
  runtime::Result<std::optional<std::string>> exact_key(
      const std::vector<AskedValue>& wanted) const;
  runtime::Status check_fields(const std::vector<AskedValue>& wanted,
                               const runtime::RowText& row) const;

  std::string name_;
  std::uint16_t shards_;
  const runtime::Declaration* declaration_;
  const runtime::TableDeclaration* table_;
};

}  // namespace huiliu::service
