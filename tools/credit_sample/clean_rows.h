#pragma once

#include <cstddef>

#include "tools/credit_sample/file_spec.h"
#include "tools/credit_sample/random_numbers.h"
#include "tools/credit_sample/row.h"

namespace huiliu::tools {

// A valid row in canonical spelling for a file of `spec`. `serial` makes its document number
// unique, and with it the natural key.
Row draw_clean_row(RandomNumbers& random, const FileSpec& spec, std::size_t serial,
                   Subject subject);
Subject draw_subject_kind(RandomNumbers& random);

void set_authority(Row& row, std::size_t department);
void set_source(Row& row, std::size_t department);
// Makes the penalty a fine of `yuan` and nothing else.
void set_fine(Row& row, unsigned yuan);
// Sets the version and the time stamp that goes with it.
void set_version(Row& row, const FileSpec& spec, unsigned version);

}  // namespace huiliu::tools
