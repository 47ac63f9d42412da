#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/component/sink.h"

namespace huiliu::codecs {

enum class Nulls { kOmit, kNull, kDefault };

/// One column of a sink's output.
struct OutputColumn {
  std::string name;
  std::string field;                  ///< of the inputs
  std::optional<std::string> absent;  ///< written for null
};

/// The `fields` option: names, or maps of name, field, default. Without it all fields of all
/// inputs, in their order. Unknown fields become diagnostics.
std::vector<OutputColumn> parse_columns(const runtime::Config& fields,
                                        const std::vector<const runtime::Schema*>& inputs,
                                        runtime::Diagnostics& diagnostics);

/// Compact JSON, one object a line.
std::unique_ptr<runtime::SinkEncoder> make_json_encoder(const std::vector<OutputColumn>& columns,
                                                        const runtime::Schema& input, Nulls nulls);
/// RFC 4180 rows without a header.
std::unique_ptr<runtime::SinkEncoder> make_csv_encoder(const std::vector<OutputColumn>& columns,
                                                       const runtime::Schema& input,
                                                       char delimiter);

}  // namespace huiliu::codecs
