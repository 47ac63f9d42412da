#pragma once

#include <cstddef>
#include <fstream>
#include <string>
#include <vector>

#include "tools/credit_sample/file_spec.h"
#include "tools/credit_sample/histories.h"
#include "tools/credit_sample/random_numbers.h"
#include "tools/credit_sample/row_writer.h"

namespace huiliu::tools {

struct SampleOptions {
  std::uint64_t seed = 1;
  std::size_t rows = 10'000;  // about; shared evenly among the files. Without meaning for `small`.
  bool small = false;         // every fault and history twice, and hardly anything else
  std::string folder;
};

// Writes the files of file_specs(), expected.csv and departments.csv into an existing folder.
// Throws std::runtime_error when one cannot be written.
class SampleGenerator {
 public:
  explicit SampleGenerator(const SampleOptions& options);

  // Returns the number of data rows.
  std::size_t run();

 private:
  struct EarlierRow {
    Row row;
    std::size_t department;
    RecordKind kind;
  };

  void write_departments() const;
  void write_small_file(const FileSpec& spec, RowWriter& writer);
  void write_large_file(const FileSpec& spec, RowWriter& writer);
  void write_follow_up_file(const FileSpec& spec, RowWriter& writer);
  void write_interleaved(std::vector<Sequence>& sequences, const FileSpec& spec, RowWriter& writer);

  Sequence clean_sequence(const FileSpec& spec, bool remember);
  Sequence faulty_sequence(const FileSpec& spec, const Fault& fault);
  Sequence random_sequence(const FileSpec& spec);
  bool is_remembered_kind(const FileSpec& spec) const;
  std::size_t times_in_file(const char* name, std::size_t files_left);

  SampleOptions options_;
  RandomNumbers random_;
  std::vector<FileSpec> specs_;
  std::ofstream expected_;
  std::size_t serial_ = 0;
  std::size_t file_row_ = 0;
  std::size_t total_rows_ = 0;
  std::vector<EarlierRow> earlier_;  // rows the follow-up files come back to
  std::vector<std::pair<std::string, std::size_t>> emitted_;  // faults of the small set so far
};

}  // namespace huiliu::tools
