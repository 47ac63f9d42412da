#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "connectors/file/append_file.h"
#include "connectors/file/workbook/originals_writer.h"
#include "connectors/file/workbook/workbook_layout.h"
#include "connectors/file/workbook/workbook_parts.h"
#include "connectors/file/workbook/workbook_writer.h"
#include "runtime/base/paths.h"
#include "runtime/base/stored_number.h"
#include "runtime/component/registry.h"
#include "runtime/record/row_codec.h"

namespace huiliu::connectors {
namespace {

using runtime::Schema;
using runtime::SinkContext;
using runtime::SinkDeclaration;
using runtime::Status;
using runtime::Value;

constexpr std::string_view kLength = "length";
constexpr std::string_view kRows = "rows";  ///< fields of the spooled rows

class SpoolEncoder final : public runtime::SinkEncoder {
 public:
  SpoolEncoder(const WorkbookLayout& layout, const Schema& input)
      : encoder_(layout.rows), row_(layout.rows.width()), place_(layout.place()) {
    for (const std::string& field : layout.fields) {
      const auto index = input.index_of(field);
      sources_.push_back(index ? static_cast<int>(*index) : -1);
    }
  }
  const runtime::Reject* encode(const runtime::Record& record, std::string& out) override {
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      row_[i] = sources_[i] < 0 ? Value() : record[static_cast<std::size_t>(sources_[i])];
    }
    row_[place_] = Value();
    if (record.origin.partition != nullptr) {
      source_ = fmt::format("{}:{}", *record.origin.partition, record.origin.offset);
      row_[place_] = Value::of_text(source_);
    }
    if (row_.size() > place_ + 1) {
      row_[place_ + 1] = Value::of_integer(static_cast<std::int64_t>(record.id));
    }
    encoder_.append(row_.data(), out);
    return nullptr;
  }

 private:
  runtime::RowEncoder encoder_;
  std::vector<int> sources_;
  std::vector<Value> row_;
  std::size_t place_;
  std::string source_;
};

/// A file's bytes, mapped.
class Mapped {
 public:
  explicit Mapped(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat info {};
    if (fd >= 0 && ::fstat(fd, &info) == 0 && info.st_size > 0) {
      size_ = static_cast<std::size_t>(info.st_size);
      void* at = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
      if (at != MAP_FAILED) data_ = static_cast<const char*>(at);
    }
    if (fd >= 0) ::close(fd);
  }
  ~Mapped() {
    if (data_ != nullptr) ::munmap(const_cast<char*>(data_), size_);
  }
  Mapped(const Mapped&) = delete;
  Mapped& operator=(const Mapped&) = delete;
  std::string_view bytes() const {
    return data_ == nullptr ? std::string_view() : std::string_view(data_, size_);
  }

 private:
  const char* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Up to which length of the spool the workbooks show its rows; kept beside it. Lost or too old, it
/// costs writing workbooks once more.
class ShownLength {
 public:
  void open(std::string path, const std::string& signature) {
    path_ = std::move(path);
    signature_ = signature;
    std::ifstream file(path_);
    std::string known;
    if (!(file >> length_ >> known) || known != signature_) length_ = 0;
  }
  std::uint64_t length() const { return length_; }
  Status set(std::uint64_t length) {
    const std::string temporary = path_ + ".part";
    std::ofstream(temporary) << length << ' ' << signature_ << '\n';
    std::error_code error;
    std::filesystem::rename(temporary, path_, error);
    if (error) return runtime::io_failure("cannot rename to", path_, error.value());
    length_ = length;
    return Status::ok();
  }
  void forget() { length_ = 0; }

 private:
  std::string path_, signature_;
  std::uint64_t length_ = 0;
};

class WorkbookSink final : public runtime::EpochSink {
 public:
  WorkbookSink(std::string path, WorkbookLayout layout)
      : given_(std::move(path)), layout_(std::move(layout)), parts_(layout_) {}

  Status open(const SinkContext& context) override {
    path_ = runtime::resolve_path(context.base_folder, given_);
    base_folder_ = context.base_folder;
    clock_ = context.clock == nullptr ? &runtime::system_clock() : context.clock;
    std::optional<std::uint64_t> length = known_length(context);
    if (length && !same_rows(context)) {
      // Rows of other fields would be read as these. They are in the workbooks that were written.
      spdlog::warn(
          "sink {}: the rows collected so far have other fields than now and are left out of "
          "workbooks from here on; keep the workbooks of before",
          context.node_name);
      length.reset();
    }
    // Nobody else writes such a file: what a state folder that is gone left behind is void.
    Status status = spool_.open(spool_path(context), length, true);
    if (status.is_ok() && length) spool_.committed();
    prepared_ = length.has_value();
    prepared_length_ = committed_length_ = length.value_or(0);
    shown_.open(spool_path(context) + ".shown", layout_.signature());
    // A snapshot of before, or another state.
    if (!length || shown_.length() > *length) shown_.forget();
    next_write_ms_ =
        shown_.length() < committed_length_ ? 0 : clock_->steady_ms() + layout_.every_ms;
    return status;
  }

  runtime::Result<bool> fits(const SinkContext& context) override {
    const auto length = known_length(context);
    if (!length || !same_rows(context)) return false;
    return fits_length(spool_path(context), *length);
  }

  Status append(std::string_view bytes, std::uint64_t) override { return spool_.append(bytes); }

  Status prepare(std::vector<std::pair<std::string, std::string>>& positions) override {
    if (prepared_) spool_.committed();
    if (Status status = spool_.sync(); !status.is_ok()) return status;
    prepared_length_ = spool_.length();
    positions.emplace_back(kLength, std::to_string(prepared_length_));
    positions.emplace_back(kRows, layout_.rows.to_string());
    prepared_ = true;
    return Status::ok();
  }

  void committed() override { committed_length_ = prepared_length_; }

  Status settle(bool stopping) override {
    if (committed_length_ <= shown_.length()) return Status::ok();
    const std::int64_t started = clock_->steady_ms();
    if (!stopping && started < next_write_ms_) return Status::ok();
    Status status = write(committed_length_, false);
    // Commits wait meanwhile: large workbooks are written less often.
    constexpr std::int64_t kMostOfTheTime = 20;
    const std::int64_t ended = clock_->steady_ms();
    next_write_ms_ = ended + std::max(layout_.every_ms, kMostOfTheTime * (ended - started));
    if (status.is_ok() || status.code() == runtime::StatusCode::kCorrupt) return status;
    return Status::unavailable(status.message());
  }

  Status finish() override {
    spool_.committed();
    if (Status status = spool_.close(); !status.is_ok()) return status;
    return write(prepared_length_, true);
  }

 private:
  std::string spool_path(const SinkContext& context) const {
    const std::filesystem::path path = runtime::resolve_path(context.base_folder, given_);
    return (path.parent_path() / ("." + context.node_name + ".rows")).string();
  }
  static std::optional<std::uint64_t> known_length(const SinkContext& context) {
    for (const auto& [key, value] : context.positions) {
      if (key == kLength) return runtime::stored_number<std::uint64_t>(value, key);
    }
    return {};
  }
  bool same_rows(const SinkContext& context) const {
    return std::any_of(context.positions.begin(), context.positions.end(), [&](const auto& one) {
      return one.first == kRows && one.second == layout_.rows.to_string();
    });
  }

  std::string path_of(const WorkbookParts::Part& part) const {
    std::string path = path_;
    if (layout_.split_by) path.replace(path.find("{}"), 2, part.name);
    return path;
  }

  /// Writes the workbooks with rows that they do not show yet; at the end of the input also those
  /// that are gone.
  Status write(std::uint64_t length, bool at_end) {
    const Mapped mapped(spool_.path());
    const std::string_view spool = mapped.bytes().substr(0, length);
    if (spool.size() < length) return Status::corrupt(spool_.path() + " is too short");
    Status status = parts_.scan(spool, shown_.length());
    if (at_end && !layout_.split_by && parts_.parts().empty()) {
      return WorkbookWriter(layout_, path_).close();
    }
    for (WorkbookParts::Part& part : parts_.parts()) {
      if (!status.is_ok()) return status;
      std::error_code ignored;
      const bool due = part.dirty || (at_end && !std::filesystem::exists(path_of(part), ignored));
      if (due) status = write_part(spool, part);
      if (status.is_ok()) part.dirty = false;
    }
    return status.is_ok() ? shown_.set(length) : status;
  }

  Status write_part(std::string_view spool, const WorkbookParts::Part& part) {
    std::vector<WorkbookRow> rows;
    for (const std::uint64_t offset : part.rows) {
      std::string_view bytes = spool.substr(offset);
      if (!runtime::take_row(layout_.rows, bytes, row_)) {
        return Status::corrupt(spool_.path() + ": a row cannot be read");
      }
      if (parts_.counts(offset, row_)) rows.push_back(row_of(spool.substr(offset)));
    }
    const std::string path = path_of(part);
    if (rows.empty() && layout_.split_by) {
      std::error_code error;
      std::filesystem::remove(path, error);
      return error ? runtime::io_failure("cannot remove", path, error.value()) : Status::ok();
    }
    return layout_.originals ? OriginalsWriter(layout_, base_folder_, path).write(std::move(rows))
                             : write_fields(rows, path);
  }

  /// What row_ holds.
  WorkbookRow row_of(std::string_view bytes) const {
    WorkbookRow row{bytes, {}, 0, 0};
    if (!layout_.originals) return row;
    const std::string_view place = row_[layout_.place()].text();
    const std::size_t colon = place.rfind(':');
    if (colon == std::string_view::npos) return row;
    row.file = place.substr(0, colon);
    row.row = std::strtoull(std::string(place.substr(colon + 1)).c_str(), nullptr, 10);
    row.id = static_cast<std::uint64_t>(row_[layout_.id()].integer());
    return row;
  }

  Status write_fields(const std::vector<WorkbookRow>& rows, const std::string& path) {
    WorkbookWriter writer(layout_, path);
    for (const WorkbookRow& row : rows) {
      std::string_view bytes = row.bytes;
      (void)runtime::take_row(layout_.rows, bytes, row_);  // has been read before
      if (Status status = writer.add(row_); !status.is_ok()) return status;
    }
    return writer.close();
  }

  std::string given_;
  WorkbookLayout layout_;
  WorkbookParts parts_;
  std::string path_;
  std::string base_folder_;
  runtime::Clock* clock_ = nullptr;
  AppendFile spool_;
  ShownLength shown_;
  std::vector<Value> row_;
  bool prepared_ = false;
  std::uint64_t prepared_length_ = 0;
  std::uint64_t committed_length_ = 0;
  std::int64_t next_write_ms_ = 0;
};

runtime::Descriptor descriptor() {
  runtime::Descriptor d;
  d.name = "workbook";
  d.kind = runtime::ComponentKind::kSink;
  d.summary = "Writes rejected rows to a workbook (.xlsx) to be mended and sent again.";
  d.description =
      "Rows are spooled beside the workbook, exactly once; the workbook is written when the input "
      "has ended, and while it goes on after commits, at most every `every`. It appears under its "
      "name when it is whole; what a process that died has not written is written at the next "
      "start. Each row has all that is wrong with it, by heading, and where it was read; offending "
      "cells are red and have a comment. All cells are text, so that codes keep their digits; a "
      "text too long for a cell (32,767 characters) is shortened with a mark, and what no workbook "
      "can hold is replaced.\n\nWorkbooks are named by the values of `split_by`, .xlsx at their "
      "end left out and / written as _; where two values would share a name, the later one has a "
      "hash behind it.";
  d.options = workbook_options();
  d.traits = {.transactional = true,
              .reason =
                  "rows are spooled to a file whose length is part of the commit; the "
                  "workbook is made of them"};
  d.example = "type: workbook\ninput: rejects\npath: out/returned-{}.xlsx\nsplit_by: _source\n";
  return d;
}

runtime::SinkType type() {
  runtime::SinkType t;
  t.descriptor = descriptor();
  t.declare = [](SinkDeclaration& declaration) {
    declaration.keep(parse_workbook_layout(declaration, declaration.diagnostics));
  };
  t.create_encoder = [](const SinkDeclaration& declaration, std::size_t input) {
    return std::make_unique<SpoolEncoder>(declaration.kept<WorkbookLayout>(),
                                          *declaration.inputs[input]);
  };
  t.create_epoch_sink = [](const SinkDeclaration& declaration) {
    return std::make_unique<WorkbookSink>(declaration.config["path"].as_string(),
                                          declaration.kept<WorkbookLayout>());
  };
  return t;
}

const runtime::Registration registration(type());

}  // namespace
}  // namespace huiliu::connectors
