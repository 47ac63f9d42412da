#pragma once

#include <string>

#include "bench/credit/splitmix.h"
#include "bench/credit/synthetic_record.h"

namespace huiliu::bench {

// Appends `record` as one JSON line, spelled as a careless department would: stray blanks,
// full-width forms, lower case codes, one of four date formats.
void render_record(Splitmix& random, const SyntheticRecord& record, std::string& line);

}  // namespace huiliu::bench
