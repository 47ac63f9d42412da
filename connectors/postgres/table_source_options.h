#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "connectors/postgres/connection_options.h"
#include "connectors/postgres/table_layout.h"
#include "runtime/component/source.h"
#include "runtime/record/schema.h"

namespace huiliu::connectors::postgres {

/// How a source finds what is new in a table.
enum class ReadMode {
  kIncrement,  ///< by a column that grows, with an overlap
  kFlag,       ///< by a column that says what was read, which is written back
  kSnapshot,   ///< by all rows, compared with those of the pass before
};

struct TableSourceOptions : TableName {
  ConnectionOptions connection;
  runtime::Schema columns;       ///< what is read; with `deletes` the source gives `change` too
  std::vector<std::size_t> key;  ///< of the columns
  ReadMode mode = ReadMode::kIncrement;
  std::string increment;     ///< the column
  std::int64_t overlap = 0;  ///< milliseconds, or units of an integer column
  bool overlap_is_time = true;
  std::string flag, unread, read;  ///< the column and its values
  bool deletes = false;            ///< rows that are gone are given as deletes
  double most_gone = 0.5;          ///< of the rows known, in one pass
  std::size_t page_rows = 5000;
  std::int64_t interval_ms = 10'000;
  std::int64_t rows_per_second = 0;  ///< 0 = any
  struct Hours {
    int from = 0, to = 0;  ///< minutes of the day in China; `to` may be before `from`
    bool contain(std::int64_t now_ms) const;
    static std::optional<Hours> parse(const std::string& text);
  };
  std::optional<Hours> hours;
  bool until_end = false;
};

std::vector<runtime::Option> table_source_options();
/// The declaration's config is checked against them. What is wrong beyond that becomes diagnostics.
TableSourceOptions parse_table_source(const runtime::SourceDeclaration& declaration);

}  // namespace huiliu::connectors::postgres
