#include "connectors/workbook/workbook_writer.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "connectors/file/append_file.h"
#include "connectors/file/row_encoder.h"
#include "runtime/value_text.h"

namespace huiliu::connectors {

using formats::CellMark;
using formats::Outcome;
using runtime::Status;
using runtime::Value;

namespace {

constexpr std::uint64_t kRowsOfSheet = 1'000'000;
constexpr double kTextWidth = 18;
constexpr double kReasonWidth = 60;

Status status_of(const Outcome& outcome, const std::string& path) {
  if (outcome.ok()) return Status::ok();
  const std::string text = path + ": " + outcome.message;
  return outcome.code == formats::OutcomeCode::kIo ? Status::unavailable(text)
                                                   : Status::invalid(text);
}

}  // namespace

WorkbookWriter::WorkbookWriter(const WorkbookLayout& layout, std::string path)
    : layout_(layout), path_(std::move(path)) {
  const std::filesystem::path name(path_);
  temporary_ = (name.parent_path() / ("." + name.filename().string() + ".part")).string();
  std::error_code ignored;  // opening reports it
  if (name.has_parent_path()) std::filesystem::create_directories(name.parent_path(), ignored);
  writer_ = std::make_unique<formats::XlsxWriter>(temporary_);
}

Status WorkbookWriter::start_sheet() {
  formats::XlsxSheetLayout sheet;
  sheet.name = ++sheets_ == 1 ? layout_.sheet : fmt::format("{} {}", layout_.sheet, sheets_);
  std::vector<std::string> headings;
  for (const WorkbookColumn& column : layout_.columns) {
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

std::string_view WorkbookWriter::text(const std::vector<Value>& row, std::string_view field) const {
  const auto index = layout_.rows.index_of(field);
  return index ? row[*index].text() : std::string_view();
}

std::string WorkbookWriter::reason_of(const std::vector<Value>& row) const {
  const std::string_view message =
      text(row, layout_.chinese ? "reject_message_zh" : "reject_message_en");
  const std::string_view field = text(row, "reject_field");
  std::string heading(field);
  for (const WorkbookColumn& column : layout_.columns) {
    if (layout_.rows[column.field].name == field) heading = column.heading;
  }
  std::string reason = heading.empty() ? std::string() : heading + (layout_.chinese ? "：" : ": ");
  return reason + std::string(message) + " [" + std::string(text(row, "reject_code")) + "]";
}

Status WorkbookWriter::add(const std::vector<Value>& row) {
  if (rows_ % kRowsOfSheet == 0) {
    if (Status status = start_sheet(); !status.is_ok()) return status;
  }
  ++rows_;
  const std::string_view offending = text(row, "reject_field");
  std::uint32_t at = 0;
  for (const WorkbookColumn& column : layout_.columns) {
    const runtime::Field& field = layout_.rows[column.field];
    const bool bad = !offending.empty() && field.name == offending;
    const Value& value = row[column.field];
    std::string_view shown = value_text(field.type, value, scratch_);
    // What could not be decoded has no value: show it as it was received.
    if (value.is_null() && bad) shown = text(row, "reject_value");
    // Text too long for a cell or otherwise unfit leaves the cell empty; the row still counts.
    if (!shown.empty() || bad) {
      (void)writer_->write_text(at, shown, bad ? CellMark::kError : CellMark::kPlain);
    }
    ++at;
  }
  if (!layout_.reason_heading.empty()) (void)writer_->write_text(at++, reason_of(row));
  if (!layout_.source_heading.empty()) (void)writer_->write_text(at++, row.back().text());
  return status_of(writer_->end_row(), path_);
}

Status WorkbookWriter::close() {
  if (sheets_ == 0) {
    if (Status status = start_sheet(); !status.is_ok()) return status;
  }
  if (Status status = status_of(writer_->close(), path_); !status.is_ok()) return status;
  const int fd = ::open(temporary_.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return io_failure("cannot open", temporary_, errno);
  const int synced = ::fsync(fd);
  const int error = errno;
  ::close(fd);
  if (synced != 0) return io_failure("cannot sync", temporary_, error);
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) {
    return io_failure("cannot rename to", path_, errno);
  }
  return sync_folder_of(path_);
}

}  // namespace huiliu::connectors
