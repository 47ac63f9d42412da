#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <functional>
#include <map>
#include <set>

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "connectors/file/append_file.h"
#include "connectors/file/row_encoder.h"
#include "connectors/workbook/workbook_writer.h"
#include "runtime/outputs.h"
#include "runtime/registry.h"
#include "runtime/row_codec.h"
#include "runtime/value_text.h"

namespace huiliu::connectors {
namespace {

using runtime::Config;
using runtime::OptionType;
using runtime::Schema;
using runtime::SinkContext;
using runtime::SinkDeclaration;
using runtime::Status;
using runtime::Value;

constexpr std::string_view kLength = "length";
constexpr std::string_view kRows = "rows";  ///< fields of the spooled rows
constexpr std::string_view kOrigin = "_source";

bool is_reject_field(std::string_view name) {
  return std::find(std::begin(runtime::kRejectFields), std::end(runtime::kRejectFields), name) !=
         std::end(runtime::kRejectFields);
}

/// All fields of all inputs are spooled as text of their type, so that columns may change.
void add_fields(WorkbookLayout& layout, const std::vector<const Schema*>& inputs) {
  for (const Schema* input : inputs) {
    for (const runtime::Field& field : input->fields()) {
      if (layout.rows.index_of(field.name)) continue;
      layout.rows.add(field.name, field.type);
      layout.fields.push_back(field.name);
    }
  }
  layout.rows.add(kOrigin, runtime::Type::kString);
}

std::optional<std::size_t> known(const Config& at, const std::string& name,
                                 const WorkbookLayout& layout, runtime::Diagnostics& diagnostics) {
  const auto index = layout.rows.index_of(name);
  if (!index) {
    diagnostics.error(at.place(), "no input has a field '" + name + "'",
                      runtime::nearest_hint(name, layout.fields));
  }
  return index;
}

void parse_column(const Config& item, WorkbookLayout& layout, runtime::Diagnostics& diagnostics) {
  const bool good = item.is_scalar() || (item.is_map() && item["field"].is_scalar());
  if (!good) {
    diagnostics.error(item.place(), "expected a field's name, or a map of field, heading, width");
    return;
  }
  const std::string field = item.is_scalar() ? item.text() : item["field"].text();
  const auto index = known(item, field, layout, diagnostics);
  if (!index) return;
  WorkbookColumn column{field, *index, 0};
  if (item.is_map()) {
    column.heading = item.string_or("heading", field);
    if (item.has("width")) column.width = item["width"].as_float();
    for (const auto& [key, value] : item.entries()) {
      if (key == "field" || key == "heading" || key == "width") continue;
      diagnostics.error(item.key_place(key), "unknown key '" + key + "'",
                        "known are field, heading, width");
    }
  }
  layout.columns.push_back(std::move(column));
}

WorkbookLayout parse_layout(const Config& config, const std::vector<const Schema*>& inputs,
                            runtime::Diagnostics& diagnostics) {
  WorkbookLayout layout;
  add_fields(layout, inputs);
  layout.sheet = config.string_or("sheet", "退回数据");
  layout.reason_heading = config.string_or("reason", "退回原因");
  layout.source_heading = config.string_or("source", "来源");
  layout.chinese = config.string_or("language", "zh") == "zh";
  if (!layout.rows.index_of("reject_code")) layout.reason_heading.clear();
  const Config& columns = config["columns"];
  if (columns.is_list()) {
    for (const Config& item : columns.items()) parse_column(item, layout, diagnostics);
  } else if (!columns.is_null()) {
    parse_column(columns, layout, diagnostics);
  } else {
    for (std::size_t i = 0; i + 1 < layout.rows.width(); ++i) {
      const std::string& name = layout.rows[i].name;
      if (!is_reject_field(name)) layout.columns.push_back({name, i, 0});
    }
  }
  if (config.has("split_by")) {
    const std::string field = config["split_by"].text();
    layout.split_by = known(config["split_by"], field, layout, diagnostics);
    if (config["path"].text().find("{}") == std::string::npos) {
      diagnostics.error(config["path"].place(),
                        "with `split_by` the path needs {} where the value goes");
    }
  }
  if (config.has("key")) {
    for (const std::string& field : config["key"].as_strings()) {
      if (const auto index = known(config["key"], field, layout, diagnostics)) {
        layout.key.push_back(*index);
      }
    }
  }
  layout.delete_when = DeleteWhen::parse(config["delete_when"], layout.rows, diagnostics);
  if (!layout.delete_when.empty() && layout.key.empty()) {
    diagnostics.error(config["delete_when"].place(), "`delete_when` needs a `key`");
  }
  return layout;
}

class SpoolEncoder final : public runtime::SinkEncoder {
 public:
  SpoolEncoder(const WorkbookLayout& layout, const Schema& input)
      : encoder_(layout.rows), row_(layout.rows.width()) {
    for (const std::string& field : layout.fields) {
      const auto index = input.index_of(field);
      sources_.push_back(index ? static_cast<int>(*index) : -1);
    }
  }
  const runtime::Reject* encode(const runtime::Record& record, std::string& out) override {
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      row_[i] = sources_[i] < 0 ? Value() : record[static_cast<std::size_t>(sources_[i])];
    }
    row_.back() = Value();
    if (record.origin.partition != nullptr) {
      source_ = fmt::format("{}:{}", *record.origin.partition, record.origin.offset);
      row_.back() = Value::of_text(source_);
    }
    encoder_.append(row_.data(), out);
    return nullptr;
  }

 private:
  runtime::RowEncoder encoder_;
  std::vector<int> sources_;
  std::vector<Value> row_;
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

class WorkbookSink final : public runtime::FileLikeSink {
 public:
  WorkbookSink(std::string path, WorkbookLayout layout)
      : given_(std::move(path)), layout_(std::move(layout)) {}

  std::string spool_path(const SinkContext& context) const {
    const std::filesystem::path path = resolve_path(context.base_folder, given_);
    return (path.parent_path() / ("." + context.node_name + ".rows")).string();
  }

  Status open(const SinkContext& context) override {
    path_ = resolve_path(context.base_folder, given_);
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
    positions.emplace_back(kLength, std::to_string(spool_.length()));
    positions.emplace_back(kRows, layout_.rows.to_string());
    prepared_ = true;
    return Status::ok();
  }

  Status finish() override {
    spool_.committed();
    if (Status status = spool_.close(); !status.is_ok()) return status;
    const Mapped rows(spool_.path());
    if (Status status = find_newest(rows.bytes()); !status.is_ok()) return status;
    if (!layout_.split_by) {
      WorkbookWriter writer(layout_, path_);
      Status status = each(rows.bytes(), [&](const auto& row) { return writer.add(row); });
      return status.is_ok() ? writer.close() : status;
    }
    return finish_split(rows.bytes());
  }

 private:
  static std::optional<std::uint64_t> known_length(const SinkContext& context) {
    for (const auto& [key, value] : context.positions) {
      if (key == kLength) return std::stoull(value);
    }
    return {};
  }
  bool same_rows(const SinkContext& context) const {
    return std::any_of(context.positions.begin(), context.positions.end(), [&](const auto& one) {
      return one.first == kRows && one.second == layout_.rows.to_string();
    });
  }

  using Use = std::function<Status(const std::vector<Value>&)>;

  Status each_spooled(std::string_view bytes, const Use& use) {
    while (!bytes.empty()) {
      if (!runtime::take_row(layout_.rows, bytes, row_)) {
        return Status::corrupt(spool_.path() + ": a row cannot be read");
      }
      if (Status status = use(row_); !status.is_ok()) return status;
    }
    return Status::ok();
  }

  /// With a key, the newest row of each that is no deletion; in the order of the spool.
  Status each(std::string_view bytes, const Use& use) {
    if (layout_.key.empty()) return each_spooled(bytes, use);
    std::uint64_t number = 0;
    return each_spooled(bytes, [&](const std::vector<Value>& row) {
      if (newest_.at(key_of(row)) != ++number || is_deletion(row)) return Status::ok();
      return use(row);
    });
  }

  Status find_newest(std::string_view bytes) {
    newest_.clear();
    if (layout_.key.empty()) return Status::ok();
    std::uint64_t number = 0;
    return each_spooled(bytes, [&](const std::vector<Value>& row) {
      newest_[key_of(row)] = ++number;
      return Status::ok();
    });
  }

  std::string key_of(const std::vector<Value>& row) {
    std::string key;
    for (const std::size_t field : layout_.key) {
      const std::string_view text = value_text(layout_.rows[field].type, row[field], scratch_);
      key += std::to_string(text.size()) + ":";
      key += text;
    }
    return key;
  }

  bool is_deletion(const std::vector<Value>& row) const {
    return layout_.delete_when.holds(row.data());
  }

  std::string part_of(const std::vector<Value>& row) {
    const std::size_t field = *layout_.split_by;
    std::string part(value_text(layout_.rows[field].type, row[field], scratch_));
    if (layout_.rows[field].name == kOrigin) part = part.substr(0, part.rfind(':'));
    for (char& c : part) {
      if (c == '/' || c == '\\' || static_cast<unsigned char>(c) < 0x20) c = '_';
    }
    constexpr std::size_t kNameBytes = 150;
    if (part.size() > kNameBytes) part.resize(kNameBytes);
    return part.empty() || part.front() == '.' ? "_" + part : part;
  }

  std::string path_of(const std::string& part) const {
    std::string path = path_;
    return path.replace(path.find("{}"), 2, part);
  }

  /// Workbooks of an earlier finish() in which no row is left.
  Status remove_empty(std::string_view bytes, const std::set<std::string>& parts) {
    if (layout_.key.empty()) return Status::ok();
    return each_spooled(bytes, [&](const std::vector<Value>& row) {
      const std::string part = part_of(row);
      std::error_code error;
      if (!parts.contains(part)) std::filesystem::remove(path_of(part), error);
      return error ? io_failure("cannot remove", path_of(part), error.value()) : Status::ok();
    });
  }

  /// A few workbooks at a time, so that open files stay bounded.
  Status finish_split(std::string_view bytes) {
    std::set<std::string> parts;
    Status status = each(bytes, [&](const auto& row) {
      parts.insert(part_of(row));
      return Status::ok();
    });
    if (status.is_ok()) status = remove_empty(bytes, parts);
    constexpr std::size_t kAtOnce = 32;
    for (auto next = parts.begin(); status.is_ok() && next != parts.end();) {
      std::map<std::string, std::unique_ptr<WorkbookWriter>> writers;
      for (; next != parts.end() && writers.size() < kAtOnce; ++next) {
        writers[*next] = std::make_unique<WorkbookWriter>(layout_, path_of(*next));
      }
      status = each(bytes, [&](const auto& row) {
        const auto writer = writers.find(part_of(row));
        return writer == writers.end() ? Status::ok() : writer->second->add(row);
      });
      for (auto& [part, writer] : writers) {
        if (status.is_ok()) status = writer->close();
      }
    }
    return status;
  }

  std::string given_;
  WorkbookLayout layout_;
  std::string path_;
  AppendFile spool_;
  std::vector<Value> row_;
  std::string scratch_;
  std::map<std::string, std::uint64_t> newest_;  // key → number of its last row in the spool
  bool prepared_ = false;
};

runtime::Descriptor descriptor() {
  runtime::Descriptor d;
  d.name = "workbook";
  d.kind = runtime::ComponentKind::kSink;
  d.summary = "Writes rejected rows to a workbook (.xlsx) to be mended and sent again.";
  d.description =
      "Rows are spooled beside the workbook, exactly once; the workbook is written when the input "
      "has ended. Each row has its reason and where it was read; the offending cell is red. All "
      "cells are text, so that codes keep their digits.";
  d.options = {
      {.name = "path",
       .type = OptionType::kPath,
       .doc = "Workbook to write; with `split_by` it has {} where the value goes.",
       .required = true},
      {.name = "columns",
       .type = OptionType::kAny,
       .doc =
           "Field names, or maps of `field`, `heading` and `width` (in characters). Default: all "
           "fields but those of the reject."},
      {.name = "split_by",
       .type = OptionType::kString,
       .doc = "One workbook for each value of this field; `_source` for each file."},
      {.name = "key",
       .type = OptionType::kList,
       .doc =
           "Fields of a key: of rows with the same key the newest is written. Default: all rows.",
       .members = {{.name = "field", .type = OptionType::kString}}},
      DeleteWhen::option(),
      {.name = "sheet",
       .type = OptionType::kString,
       .doc = "Name of the sheet.",
       .default_text = "退回数据"},
      {.name = "reason",
       .type = OptionType::kString,
       .doc = "Heading of the reason.",
       .default_text = "退回原因"},
      {.name = "source",
       .type = OptionType::kString,
       .doc = "Heading of the place (file:row) that a row comes from.",
       .default_text = "来源"},
      {.name = "language",
       .type = OptionType::kEnum,
       .doc = "Of the reasons.",
       .default_text = "zh",
       .choices = {"zh", "en"}}};
  d.traits = {.transactional = true,
              .reason =
                  "rows are spooled to a file whose length is part of the commit; the "
                  "workbook is made of them at the end"};
  d.example = "type: workbook\ninput: rejects\npath: out/returned-{}.xlsx\nsplit_by: _source\n";
  return d;
}

runtime::SinkType type() {
  runtime::SinkType t;
  t.descriptor = descriptor();
  t.declare = [](SinkDeclaration& declaration) {
    parse_layout(declaration.config, declaration.inputs, declaration.diagnostics);
  };
  const auto layout_of = [](const SinkDeclaration& declaration) {
    runtime::Diagnostics ignored;  // declare() has reported them
    return parse_layout(declaration.config, declaration.inputs, ignored);
  };
  t.create_encoder = [layout_of](const SinkDeclaration& declaration, std::size_t input) {
    return std::make_unique<SpoolEncoder>(layout_of(declaration), *declaration.inputs[input]);
  };
  t.create_file = [layout_of](const SinkDeclaration& declaration) {
    return std::make_unique<WorkbookSink>(declaration.config["path"].as_string(),
                                          layout_of(declaration));
  };
  return t;
}

const runtime::Registration registration(type());

}  // namespace
}  // namespace huiliu::connectors
