#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/sink.h"

namespace huiliu::connectors {

/// One field of a written record.
struct OutputField {
  std::string name;  ///< as written
  int index = -1;    ///< of the input's field; -1: this input does not have it
  runtime::Type type = runtime::Type::kString;
  bool provenance = false;  ///< "partition:offset" of the record instead of a field
};

enum class Nulls { kOmit, kNull, kDefault };

/// Reads a sink's `fields` option against the schema of one input: names, or {name, field}. Fields
/// that no input has are errors; those that only this one lacks are null.
std::vector<OutputField> output_fields(const runtime::SinkDeclaration& declaration,
                                       std::size_t input, bool report);

/// Writes compact JSON objects, one a line.
std::unique_ptr<runtime::SinkEncoder> make_json_encoder(std::vector<OutputField> fields,
                                                        Nulls nulls);
/// Writes RFC 4180 rows.
std::unique_ptr<runtime::SinkEncoder> make_csv_encoder(std::vector<OutputField> fields);

void append_json_string(std::string_view text, std::string& out);

}  // namespace huiliu::connectors
