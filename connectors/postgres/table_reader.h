#pragma once

#include <memory>

#include "connectors/postgres/table_source_options.h"
#include "runtime/component/source.h"

namespace huiliu::connectors::postgres {

std::unique_ptr<runtime::SourceReader> make_table_reader(const TableSourceOptions& options);

/// Slice::format: what the rows of a slice are.
enum class TableSlice : std::uint32_t { kRows, kDeletes };

/// Reads the cells of table_pass.h.
std::unique_ptr<runtime::Decoder> make_table_decoder(const TableSourceOptions& options,
                                                     const runtime::DecoderContext& context);

}  // namespace huiliu::connectors::postgres
