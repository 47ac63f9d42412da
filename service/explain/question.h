#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/topology/topology.h"
#include "service/explain/trace.h"

namespace huiliu::service {

/// A row of an input: `file.csv:7`, `file.xlsx:7` or `file.xlsx:sheet:7`. Rows are data rows from
/// 1, as `source_row` of the outputs and rejects.
struct AskedRow {
  std::string file;
  std::string sheet;  ///< empty: whichever is read
  std::uint64_t row = 0;
};

/// `field=value`, compared with the value's text.
struct AskedValue {
  std::string field, value;
};

/// Which records are to be explained: the one in a row, those of the origins, or those that have
/// every one of the values, each at some step of their way.
struct Question {
  std::optional<AskedRow> row;
  std::vector<TraceOrigin> origins;
  std::vector<AskedValue> values;
  std::size_t limit = 1;
};

std::optional<AskedRow> parse_asked_row(std::string_view text);
/// The texts of `--where`; kInvalid if one is not FIELD=VALUE.
runtime::Result<std::vector<AskedValue>> parse_asked_values(const std::vector<std::string>& texts);

/// Whether `file`, as somebody wrote it, means the partition of that name: one path ends with the
/// other.
bool means_file(std::string_view file, std::string_view partition);

/// Asked fields that no stream of the topology has, as a sentence with the nearest name; empty if
/// there is none.
std::string unknown_field(const Question& question, const runtime::Topology& topology);

}  // namespace huiliu::service
