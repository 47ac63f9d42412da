#include "connectors/file/workbook/originals_writer.h"

#include <algorithm>

#include "runtime/record/row_codec.h"

namespace huiliu::connectors {

using runtime::Status;

Status OriginalsWriter::write(std::vector<WorkbookRow> rows) {
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
    return a.file != b.file ? a.file < b.file : a.row < b.row;
  });
  for (std::size_t from = 0; status_.is_ok() && from < rows.size();) {
    std::size_t to = from;
    while (to < rows.size() && rows[to].file == rows[from].file) ++to;
    write_file({rows.begin() + static_cast<std::ptrdiff_t>(from),
                rows.begin() + static_cast<std::ptrdiff_t>(to)});
    from = to;
  }
  return status_.is_ok() ? writer_.close() : status_;
}

void OriginalsWriter::write_file(std::vector<WorkbookRow> rows) {
  rows_ = std::move(rows);
  next_ = 0;
  absent_.clear();
  columns_.clear();
  headings_ = nullptr;
  std::vector<RowIdentity> wanted;
  for (const WorkbookRow& row : rows_) wanted.push_back({row.row, row.id});
  read_original_rows(*layout_.originals, base_folder_, rows_.front().file, wanted,
                     [this](const OriginalRow& original) { take(original); });
  for (; next_ < rows_.size(); ++next_) absent_.push_back(next_);
  for (const std::size_t row : absent_) put(rows_[row], nullptr);
}

void OriginalsWriter::take(const OriginalRow& original) {
  for (; next_ < rows_.size() && rows_[next_].row < original.of.row; ++next_) {
    absent_.push_back(next_);
  }
  if (headings_ != &original.headings || known_headings_ != original.headings.size()) {
    headings_ = &original.headings;
    known_headings_ = original.headings.size();
    columns_ = columns_of_file(layout_, original, cells_of_);
  }
  cells_.clear();
  for (const std::size_t cell : cells_of_) {
    cells_.push_back(cell < original.cells.size() ? original.cells[cell] : std::string_view());
  }
  // One row may have been refused at several places; another file of the name has that row too.
  for (; next_ < rows_.size() && rows_[next_].row == original.of.row; ++next_) {
    if (rows_[next_].id == original.of.id) {
      put(rows_[next_], &cells_);
    } else {
      absent_.push_back(next_);
    }
  }
}

void OriginalsWriter::put(const WorkbookRow& row, const std::vector<std::string_view>* cells) {
  if (!status_.is_ok()) return;
  if (columns_.empty()) {
    columns_ = layout_.columns.empty() ? columns_of_mapping(layout_, row.file) : layout_.columns;
  }
  std::string_view bytes = row.bytes;
  if (!runtime::take_row(layout_.rows, bytes, values_)) {
    status_ = Status::corrupt("a spooled row cannot be read");
    return;
  }
  status_ = writer_.use(columns_);
  if (!status_.is_ok()) return;
  status_ = cells == nullptr ? writer_.add(values_) : writer_.add(values_, *cells);
}

}  // namespace huiliu::connectors
