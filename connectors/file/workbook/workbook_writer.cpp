#include "connectors/file/workbook/workbook_writer.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "domain/masking.h"
#include "domain/utf8.h"
#include "runtime/base/failpoint.h"
#include "runtime/base/paths.h"
#include "runtime/record/value_text.h"

namespace huiliu::connectors {

using formats::CellMark;
using formats::CellText;
using formats::Outcome;
using runtime::Status;
using runtime::Value;

namespace {

constexpr std::uint64_t kRowsOfSheet = 1'000'000;
constexpr std::size_t kMostComments = 20'000;  // of a workbook: they are kept in memory
constexpr double kTextWidth = 18;
constexpr double kReasonWidth = 60;

/// What is said on a cell beside its faults.
struct Notes {
  std::string_view masked, shortened, replaced;
};
constexpr Notes kChinese{"该号码已脱敏，重报时请填写完整", "内容过长，已截断，重报时请填写完整",
                         "含有无法显示的字符，已替换为\uFFFD"};
constexpr Notes kEnglish{"The number is masked: fill it in again before you send the row.",
                         "The text is too long for a cell and was shortened.",
                         "Characters that a workbook cannot hold were replaced by \uFFFD."};

Status status_of(const Outcome& outcome, const std::string& path) {
  if (outcome.ok()) return Status::ok();
  const std::string text = path + ": " + outcome.message;
  return outcome.code == formats::OutcomeCode::kIo ? Status::unavailable(text)
                                                   : Status::invalid(text);
}

/// Whether a cell for numbers of documents has one: 无, / and 0000 stand for none, and must still
/// do so when the row comes again.
bool has_number(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const domain::Utf8Char c = domain::decode_utf8(text, at);
    const char32_t folded = domain::fold_width(c.code_point);
    if (folded >= U'1' && folded <= U'9') return true;
    at += c.size;
  }
  return false;
}

void add_line(std::string& text, std::string_view line) {
  if (!text.empty()) text += '\n';
  text += line;
}

}  // namespace

WorkbookWriter::WorkbookWriter(const WorkbookLayout& layout, std::string path)
    : layout_(layout), columns_(layout.columns), path_(std::move(path)) {
  const std::filesystem::path name(path_);
  temporary_ = (name.parent_path() / ("." + name.filename().string() + ".part")).string();
  folder_ = runtime::make_folder_of(path_);
  writer_ = std::make_unique<formats::XlsxWriter>(temporary_);
}

Status WorkbookWriter::use(const std::vector<WorkbookColumn>& columns) {
  const auto same = [](const WorkbookColumn& a, const WorkbookColumn& b) {
    return a.heading == b.heading && a.field == b.field;
  };
  if (sheets_ > 0 &&
      std::equal(columns.begin(), columns.end(), columns_.begin(), columns_.end(), same)) {
    return Status::ok();
  }
  columns_ = columns;
  return start_sheet();
}

Status WorkbookWriter::start_sheet() {
  formats::XlsxSheetLayout sheet;
  sheet.name = ++sheets_ == 1 ? layout_.sheet : fmt::format("{} {}", layout_.sheet, sheets_);
  rows_ = 0;
  std::vector<std::string> headings;
  for (const WorkbookColumn& column : columns_) {
    headings.push_back(column.heading);
    sheet.column_widths.push_back(column.width > 0 ? column.width : kTextWidth);
  }
  if (!layout_.reason_heading.empty()) {
    headings.push_back(layout_.reason_heading);
    sheet.column_widths.push_back(kReasonWidth);
  }
  if (!layout_.source_heading.empty()) {
    headings.push_back(layout_.source_heading);
    sheet.column_widths.push_back(kTextWidth);
  }
  if (Status status = status_of(writer_->add_sheet(sheet), path_); !status.is_ok()) return status;
  return status_of(writer_->write_header(headings), path_);
}

bool WorkbookWriter::is_of(const WorkbookFault& fault, const WorkbookColumn& column) const {
  return column.field != WorkbookColumn::kNoField && !fault.field.empty() &&
         layout_.rows[static_cast<std::size_t>(column.field)].name == fault.field;
}

std::string WorkbookWriter::reason_of(const std::vector<WorkbookFault>& faults) const {
  std::string reason;
  for (const WorkbookFault& fault : faults) {
    if (!reason.empty()) reason += layout_.chinese ? "；" : "; ";
    // The department's own heading says it best.
    const auto column = std::find_if(columns_.begin(), columns_.end(),
                                     [&](const auto& one) { return is_of(fault, one); });
    const std::string& heading = column != columns_.end() ? column->heading
                                 : fault.heading.empty()  ? fault.field
                                                          : fault.heading;
    if (!heading.empty()) reason += heading + (layout_.chinese ? "：" : ": ");
    reason += fault.text();
  }
  return reason;
}

std::string_view WorkbookWriter::value_of(const std::vector<Value>& row,
                                          const WorkbookColumn& column,
                                          const std::vector<WorkbookFault>& faults) {
  if (column.field == WorkbookColumn::kNoField) return {};
  const auto field = static_cast<std::size_t>(column.field);
  // What could not be decoded has no value: show it as it was received.
  const bool bad = !faults.empty() && is_of(faults.front(), column);
  if (row[field].is_null() && bad) return text_of(layout_, row, "reject_value");
  return value_text(layout_.rows[field].type, row[field], scratch_);
}

Status WorkbookWriter::put_cell(std::uint32_t at, std::string_view shown, bool may_need_mask,
                                const std::vector<WorkbookFault>& faults) {
  const WorkbookColumn& column = columns_[at];
  const Notes& notes = layout_.chinese ? kChinese : kEnglish;
  std::string comment;
  for (const WorkbookFault& fault : faults) {
    if (is_of(fault, column)) add_line(comment, fault.text());
  }
  const bool bad = !comment.empty();
  bool masked = column.personal && shown.find('*') != std::string_view::npos;
  if (may_need_mask && !shown.empty()) {
    if (column.personal && has_number(shown)) {
      domain::mask_id(shown, masked_);
    } else {
      const std::string_view text =
          domain::mask_citizen_numbers(shown, domain::Certainty::kLikely, masked_);
      if (text.data() == shown.data()) masked_ = shown;
    }
    masked = masked || masked_ != shown;
    shown = masked_;
  }
  if (masked) add_line(comment, notes.masked);
  if (shown.empty() && !bad) return Status::ok();
  const CellMark mark = bad ? CellMark::kError : masked ? CellMark::kNote : CellMark::kPlain;
  CellText altered;
  if (Status status = status_of(writer_->write_text(at, shown, mark, &altered), path_);
      !status.is_ok()) {
    return status;
  }
  if (altered.shortened) add_line(comment, notes.shortened);
  if (altered.replaced) add_line(comment, notes.replaced);
  if (comment.empty() || ++comments_ > kMostComments) return Status::ok();
  return status_of(writer_->write_comment(at, comment), path_);
}

Status WorkbookWriter::put(const std::vector<Value>& row,
                           const std::vector<std::string_view>* cells) {
  if (sheets_ == 0 || rows_ == kRowsOfSheet) {
    if (Status status = start_sheet(); !status.is_ok()) return status;
  }
  ++rows_;
  const std::vector<WorkbookFault> faults = faults_of(layout_, row);
  std::uint32_t at = 0;
  for (; at < columns_.size(); ++at) {
    const std::string_view shown = cells == nullptr     ? value_of(row, columns_[at], faults)
                                   : at < cells->size() ? (*cells)[at]
                                                        : std::string_view();
    const Status status = put_cell(at, shown, cells != nullptr, faults);
    if (!status.is_ok()) return status;
  }
  Outcome outcome;
  if (!layout_.reason_heading.empty()) outcome = writer_->write_text(at++, reason_of(faults));
  if (outcome.ok() && !layout_.source_heading.empty()) {
    outcome = writer_->write_text(at++, row[layout_.place()].text());
  }
  if (outcome.ok()) outcome = writer_->end_row();
  return status_of(outcome, path_);
}

Status WorkbookWriter::close() {
  if (!folder_.is_ok()) return folder_;
  if (sheets_ == 0) {
    if (Status status = start_sheet(); !status.is_ok()) return status;
  }
  if (Status status = status_of(writer_->close(), path_); !status.is_ok()) return status;
  const int fd = ::open(temporary_.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return runtime::io_failure("cannot open", temporary_, errno);
  const int synced = ::fsync(fd);
  const int error = errno;
  ::close(fd);
  if (synced != 0) return runtime::io_failure("cannot sync", temporary_, error);
  runtime::failpoint("workbook.before_rename");
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) {
    return runtime::io_failure("cannot rename to", path_, errno);
  }
  runtime::failpoint("workbook.after_rename");
  return runtime::sync_folder_of(path_);
}

}  // namespace huiliu::connectors
