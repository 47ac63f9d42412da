#pragma once

#include <memory>
#include <string>

#include "tools/credit_sample/file_spec.h"
#include "tools/credit_sample/row.h"

namespace huiliu::tools {

// Writes the rows of one file, laid out as its spec says. Throws std::runtime_error when the file
// cannot be written.
class RowWriter {
 public:
  virtual ~RowWriter() = default;
  virtual void write(const Row& row) = 0;
  // Ends the file; nothing may be written after it.
  virtual void finish() = 0;
};

std::unique_ptr<RowWriter> make_ndjson_writer(const FileSpec& spec, const std::string& path);
std::unique_ptr<RowWriter> make_csv_writer(const FileSpec& spec, const std::string& path);
std::unique_ptr<RowWriter> make_workbook_writer(const FileSpec& spec, const std::string& path);

std::unique_ptr<RowWriter> make_row_writer(const FileSpec& spec, const std::string& folder);

// Whether `text` is a plain decimal number, as amounts and versions are when nothing is wrong.
bool is_plain_number(const std::string& text);

}  // namespace huiliu::tools
