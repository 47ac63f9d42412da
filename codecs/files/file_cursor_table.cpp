// How a cursor reads the sheets of workbooks.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include "codecs/files/file_cursor.h"
#include "codecs/files/file_decoder.h"
#include "codecs/files/foreign_content.h"
#include "formats/xls_reader.h"
#include "formats/xlsx_reader.h"

namespace huiliu::codecs {

using runtime::Slice;

namespace {

/// By its content: names lie.
std::unique_ptr<formats::WorkbookReader> open_workbook(std::string_view head) {
  if (is_old_workbook(head)) return std::make_unique<formats::XlsReader>();
  return std::make_unique<formats::XlsxReader>();
}

}  // namespace

void FileCursor::start_table(std::string_view head) {
  workbook_ = open_workbook(head);
  if (!workbook_->open(place_.path).ok()) return problem(workbook_->outcome());
  if (!list_sheets() || !open_sheet(0)) return;
  skip_to_position();
}

/// Finds the sheets that are read and says what is left out.
bool FileCursor::list_sheets() {
  const auto& all = workbook_->sheets();
  std::vector<std::string> hidden, others;
  formats::Outcome last;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool named = !options_.sheet.empty();
    if (named ? all[i].name != options_.sheet : all[i].part.empty()) continue;
    if (!named && !all[i].visible) {
      hidden.push_back(all[i].name);
      continue;
    }
    if (auto sheet = find_headings(i)) {
      sheets_.push_back(std::move(*sheet));
    } else {
      others.push_back(all[i].name);
    }
    if (!problem_.empty()) return false;
    if (!workbook_->outcome().ok()) last = workbook_->outcome();
  }
  if (!last.ok()) {
    problem(last);
  } else if (sheets_.empty() && !options_.sheet.empty() && others.empty()) {
    problem("no sheet named " + options_.sheet, "没有名为" + options_.sheet + "的工作表");
  } else if (sheets_.empty()) {
    problem(fmt::format("no row of a visible sheet has known column headings (sheets: {}; hidden: "
                        "{}); put the headings of the template above the data",
                        fmt::join(others, ", "), fmt::join(hidden, ", ")),
            fmt::format("可见的工作表中没有已知的表头（工作表：{}；隐藏：{}），请使用模板的表头",
                        fmt::join(others, "、"), fmt::join(hidden, "、")));
  }
  if (sheets_.empty() || !last.ok()) return false;
  if (options_.quiet) return true;
  if (!hidden.empty()) {
    spdlog::warn("{}: hidden sheets are not read: {}", place_.name, fmt::join(hidden, ", "));
  }
  if (!others.empty()) {
    spdlog::warn("{}: sheets without known headings are not read: {}", place_.name,
                 fmt::join(others, ", "));
  }
  return true;
}

bool FileCursor::open_sheet(std::size_t at) {
  sheet_at_ = at;
  layout_ = sheets_[at].layout;
  sheets_[at].base = at == 0 ? 0 : position_.rows;
  if (workbook_->select_sheet(sheets_[at].index).ok() &&
      workbook_->skip_rows(sheets_[at].rows_before).ok()) {
    return true;
  }
  problem(workbook_->outcome());
  return false;
}

/// Rows of a sheet alone are passed over unread; of several, only reading tells where one ends.
void FileCursor::skip_to_position() {
  const std::uint64_t wanted = position_.offset;
  if (sheets_.size() == 1) {
    if (wanted > 0 && !workbook_->skip_rows(wanted).ok()) problem(workbook_->outcome());
    return;
  }
  position_.rows = 0;
  formats::XlsxRow row;
  for (std::uint64_t passed = 0; passed < wanted;) {
    if (workbook_->next_row(row)) {
      ++passed;
      position_.rows = sheets_[sheet_at_].base + row.number - sheets_[sheet_at_].header_row;
    } else if (!workbook_->outcome().ok()) {
      return problem(workbook_->outcome());
    } else if (sheet_at_ + 1 == sheets_.size() || !open_sheet(sheet_at_ + 1)) {
      return;
    }
  }
}

/// Merges of data over several rows, which leave the lower ones without what a person sees there.
void FileCursor::note_merges() {
  constexpr std::size_t kShown = 5;
  const Sheet& sheet = sheets_[sheet_at_];
  for (const formats::XlsxMerge& merge : workbook_->merges()) {
    const bool read = merge.column < layout_->columns.size() && layout_->columns[merge.column] >= 0;
    if (read && merge.last_row > sheet.header_row && merge.first_row > sheet.header_row &&
        merged_.size() < kShown) {
      merged_.push_back(merge.range);
    }
  }
}

/// The file says so behind the last row, when all have been given out.
void FileCursor::report_merges() {
  problem(fmt::format("cells are merged over several rows ({}): only the first row has the value; "
                      "undo the merge, fill in every row and send the file again",
                      fmt::join(merged_, ", ")),
          fmt::format("存在跨行合并的单元格（{}），只有首行有值，请取消合并并逐行填写后重新报送",
                      fmt::join(merged_, "、")));
}

std::optional<std::pair<std::string, std::uint64_t>> FileCursor::table_place(std::uint64_t row) {
  if (!workbook_ || sheets_.empty()) return std::nullopt;
  runtime::Slice slice;
  while (sheets_.size() > 1 && position_.rows < row && read(slice, 1 << 20)) {
  }
  std::size_t at = 0;
  while (at < sheet_at_ && sheets_[at + 1].base < row) ++at;
  return std::pair{workbook_->sheets()[sheets_[at].index].name,
                   sheets_[at].header_row + row - sheets_[at].base};
}

std::optional<FileCursor::Sheet> FileCursor::find_headings(std::size_t index) {
  const auto texts = [](const formats::XlsxRow& row) {
    std::vector<std::string> cells;
    for (const formats::XlsxCell& cell : row.cells) {
      if (cell.text.empty()) continue;
      if (cell.column >= cells.size()) cells.resize(cell.column + std::size_t{1});
      cells[cell.column] = cell.text;
    }
    return cells;
  };
  constexpr std::uint64_t kRowsToTry = 50;
  Sheet sheet{index, 0, 0, 0, make_layout(options_, place_.name)};
  std::vector<std::string> above;
  formats::XlsxRow row;
  if (!workbook_->select_sheet(index).ok()) return std::nullopt;
  while (sheet.rows_before < kRowsToTry && workbook_->next_row(row)) {
    ++sheet.rows_before;
    std::vector<std::string> headings = texts(row);
    // A title row may hold one word that is a heading too.
    if (sheet.layout->known(headings) < std::min<std::size_t>(2, options_.fields.size())) {
      above = std::move(headings);
      continue;
    }
    sheet.header_row = row.number;
    // Headings in two rows: cells of one are merged over both, or those of the upper name groups.
    if (const auto joined = sheet.layout->join_headings(above, headings)) headings = *joined;
    if (workbook_->next_row(row)) {
      if (const auto joined = sheet.layout->join_headings(headings, texts(row))) {
        headings = *joined;
        sheet.header_row = row.number;
        ++sheet.rows_before;
      }
    }
    if (const auto wrong = sheet.layout->map_headings(std::move(headings), options_)) {
      problem(*wrong);
    }
    return sheet;
  }
  return std::nullopt;
}

bool FileCursor::read_table(Slice& slice, std::size_t slice_bytes) {
  slice.format = static_cast<std::uint32_t>(SliceFormat::kCells);
  slice.bytes.clear();
  slice.first_offset = position_.rows + 1;
  const auto put = [&](const auto& head) {
    slice.bytes.append(reinterpret_cast<const char*>(&head), sizeof head);
  };
  formats::XlsxRow row;
  while (slice.bytes.size() < slice_bytes) {
    if (!workbook_->next_row(row)) {
      if (!workbook_->outcome().ok()) {
        problem(workbook_->outcome());
      } else if (note_merges(); sheet_at_ + 1 == sheets_.size()) {
        merged_.empty() ? finish() : report_merges();
      } else if (open_sheet(sheet_at_ + 1) && slice.bytes.empty()) {
        slice.detail = layout_;
        slice.first_offset = position_.rows + 1;
        continue;
      }
      break;
    }
    ++position_.offset;
    position_.rows = sheets_[sheet_at_].base + row.number - sheets_[sheet_at_].header_row;
    std::uint32_t cells = 0;
    for (const formats::XlsxCell& cell : row.cells) cells += cell.text.empty() ? 0u : 1u;
    if (cells == 0) continue;
    put(CellRowHead{static_cast<std::uint32_t>(position_.rows), cells});
    for (const formats::XlsxCell& cell : row.cells) {
      if (cell.text.empty()) continue;
      put(CellHead{static_cast<std::uint32_t>(cell.text.size()),
                   static_cast<std::uint16_t>(cell.column), static_cast<std::uint16_t>(cell.kind)});
      slice.bytes.append(cell.text);
    }
  }
  if (slice.bytes.empty()) return problem_.empty() ? !position_.done : take_problem(slice);
  return true;
}

}  // namespace huiliu::codecs
