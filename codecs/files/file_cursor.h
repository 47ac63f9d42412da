#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "codecs/files/content_hash.h"
#include "codecs/files/file_options.h"
#include "codecs/files/file_position.h"
#include "codecs/files/row_copy.h"
#include "formats/workbook_reader.h"
#include "runtime/component/source.h"

namespace huiliu::codecs {

/// By the options, or by the file's name.
FileFormat format_of(const FileOptions& options, const std::string& path);

/// One file while it is read. Fills slices and moves its position on; what is wrong with the file
/// as a whole becomes a slice with the problem and ends it.
class FileCursor {
 public:
  struct Place {
    int fd = -1;  ///< taken over
    std::string path;
    std::string name;  ///< as shown and as the partition
    std::string key;   ///< of the durable position
  };
  FileCursor(const FileOptions& options, Place place, FilePosition position);
  ~FileCursor();
  FileCursor(const FileCursor&) = delete;
  FileCursor& operator=(const FileCursor&) = delete;

  /// Seeks to the position, reads the header. False if the prefix is not what was read before; a
  /// position without a digest was checked by the caller.
  bool open();
  /// The next slice (without its partition). False at the end of the file.
  bool read(runtime::Slice& slice, std::size_t slice_bytes);

  /// Of a file that is appended to: its new size.
  void grow(std::uint64_t size) { text_size_ = position_.size = size; }
  /// What open() found behind a last row that was read without its line end: the rest of that row.
  const std::optional<std::string>& half_row() const { return half_row_; }

  const FilePosition& position() const { return position_; }
  const std::string& key() const { return place_.key; }
  int descriptor() const { return place_.fd; }
  const std::string& name() const { return place_.name; }
  FileFormat format() const { return format_; }
  char delimiter() const { return layout_->delimiter; }
  /// Where a data row of a workbook stands; empty if it is none or was refused as a whole.
  std::optional<std::pair<std::string, std::uint64_t>> table_place(std::uint64_t row);
  /// Where a row of NDJSON, of XML or of a JSON array begins.
  std::uint64_t line_of(std::uint64_t row);

 private:
  struct Cut {
    std::size_t bytes = 0;
    std::uint64_t rows = 0;
    bool damaged = false;     ///< the first row is too long or never ends
    bool open_quote = false;  ///< damaged: because a quote is not closed
  };
  bool read_head(std::string& head);
  void start_text(std::string_view head);
  void pass_rest_of_row();
  bool cannot_grow(std::string_view head);
  bool rewrite_text(std::string_view head);
  bool rewrite_rows(std::string_view head, RowForm form);
  bool use_copy(const TextCopy& copy);
  bool text_ends();
  void start_table(std::string_view head);
  void read_csv_header(std::string_view head, std::size_t skip);
  /// The first row of a CSV file, for whoever has to say that it has no headings.
  struct FirstRow {
    std::string line;
    std::vector<std::string> cells;
  };
  bool find_csv_header(std::string_view head, std::size_t skip, std::optional<FirstRow>& first);
  bool read_text(runtime::Slice& slice, std::size_t slice_bytes);
  bool read_table(runtime::Slice& slice, std::size_t slice_bytes);
  struct Sheet {
    std::size_t index = 0;
    std::uint64_t header_row = 0;   ///< the lowest row with headings, as people count
    std::uint64_t rows_before = 0;  ///< rows of the file up to that one
    std::uint64_t base = 0;         ///< data rows of the sheets before
    std::shared_ptr<FileLayout> layout;
  };
  /// Empty: the sheet has no known headings (or see workbook_->outcome() and problem_).
  std::optional<Sheet> find_headings(std::size_t index);
  bool list_sheets();
  bool open_sheet(std::size_t at);
  void skip_to_position();
  void note_merges();
  void report_merges();
  Cut cut(std::string_view bytes, bool at_end) const;
  bool damaged_row(runtime::Slice& slice, bool open_quote);
  bool pass_long_row();
  bool fill(std::string& bytes, std::size_t wanted);
  void problem(const std::string& text, const std::string& zh = "");
  void problem(const formats::Outcome& outcome) { problem(outcome.message, outcome.zh); }
  void problem(const FileProblem& problem) { this->problem(problem.en, problem.zh); }
  bool take_problem(runtime::Slice& slice);
  void finish();

  const FileOptions& options_;
  Place place_;
  FilePosition position_;
  FileFormat format_ = FileFormat::kNdjson;
  std::shared_ptr<FileLayout> layout_;
  ContentHash hash_;
  std::string whole_digest_;  ///< of a file that is read from its copy
  bool is_utf8_ = false;      ///< was converted to it
  RowForm form_ = RowForm::kNone;
  std::optional<FileProblem> rest_;  ///< why what is behind the rows cannot be read
  std::optional<std::string> half_row_;
  std::string carry_;
  bool in_long_row_ = false;     ///< append: of a row that was refused the end is not written yet
  std::uint64_t text_size_ = 0;  ///< of the file, or of its copy in UTF-8
  std::uint64_t read_to_ = 0;    ///< offset behind what read() has fetched
  std::string problem_;
  std::unique_ptr<formats::WorkbookReader> workbook_;
  std::vector<Sheet> sheets_;  ///< those that are read
  std::size_t sheet_at_ = 0;
  std::vector<std::string> merged_;
};

}  // namespace huiliu::codecs
