#pragma once

#include <string>

#include "tests/property/random.h"

namespace huiliu::property {

/// Writes a few small NDJSON and CSV files into the folder: rows of penalties and licences with few
/// distinct keys, some of them sent again, out of order, with faults or unreadable. `start` is
/// about the event time of the first row.
void write_rows(Random& random, const std::string& folder, std::int64_t start);
/// Writes the tables that operators of random topologies look things up in.
void write_tables(const std::string& folder);
/// The option `fields` of a source that reads these rows.
std::string row_fields();

}  // namespace huiliu::property
