#include "connectors/file/original_rows.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include <fcntl.h>
#include <fmt/format.h>
#include <simdjson.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codecs/files/file_cursor.h"
#include "codecs/files/file_decoder.h"
#include "codecs/value_parsers.h"
#include "connectors/file/row_place.h"
#include "formats/csv.h"
#include "formats/xlsx_reader.h"
#include "runtime/record/record.h"

namespace huiliu::connectors {
namespace {

using runtime::Slice;

constexpr std::string_view kMark = "\xEF\xBB\xBF";
constexpr std::size_t kSliceBytes = 1 << 20;

/// Whether the ids are those of rows of the file with this key.
bool are_of(const std::string& key, const std::vector<RowIdentity>& rows) {
  const std::uint64_t hash = codecs::hash_of_name(key);
  return std::any_of(rows.begin(), rows.end(), [hash](const RowIdentity& row) {
    return runtime::record_id(hash, row.row) == row.id;
  });
}

/// The durable key of the open file, by which its rows are known. Of contents that are alike at
/// both ends the newest is taken for the one that lies there.
std::optional<std::string> key_of(int fd, std::uint64_t size,
                                  const std::vector<RowIdentity>& rows) {
  constexpr int kMostAlike = 16;
  const auto quick = codecs::quick_hash(fd, size);
  if (!quick) return std::nullopt;
  for (int copy = kMostAlike; copy > 1; --copy) {
    std::string key = fmt::format("file:{}.{}", *quick, copy);
    if (are_of(key, rows)) return key;
  }
  std::string key = "file:" + *quick;
  return are_of(key, rows) ? std::optional(key) : std::nullopt;
}

/// Goes through the slices of a file and picks rows out of them.
class Picker {
 public:
  Picker(const codecs::FileOptions& options, std::vector<RowIdentity> rows,
         const std::function<void(const OriginalRow&)>& use)
      : dialect_{options.delimiter, '"'}, csv_(4096, dialect_), rows_(std::move(rows)), use_(use) {}

  void read(codecs::FileCursor& cursor) {
    Slice slice;
    while (next_ < rows_.size() && cursor.read(slice, kSliceBytes)) {
      if (cursor.position().rows < rows_[next_].row) continue;
      layout_ = static_cast<const codecs::FileLayout*>(slice.detail.get());
      switch (static_cast<codecs::SliceFormat>(slice.format)) {
        case codecs::SliceFormat::kCsv:
          csv_rows(slice);
          break;
        case codecs::SliceFormat::kCells:
          sheet_rows(slice);
          break;
        case codecs::SliceFormat::kOpenQuote:
        case codecs::SliceFormat::kTooLong:
          if (wants(slice.first_offset)) csv_row(slice.bytes);
          break;
        case codecs::SliceFormat::kNdjson:
          json_rows(slice);
          break;
        case codecs::SliceFormat::kProblem:
          break;
      }
    }
    give_objects();
  }

 private:
  /// Whether rows_[next_] is this row. Rows are asked in ascending order.
  bool wants(std::uint64_t row) {
    while (next_ < rows_.size() && rows_[next_].row < row) ++next_;
    return next_ < rows_.size() && rows_[next_].row == row;
  }

  void csv_rows(const Slice& slice) {
    const std::string_view bytes = slice.bytes;
    std::uint64_t row = slice.first_offset;
    for (std::size_t at = 0; at < bytes.size(); ++row) {
      const std::size_t end = std::min(formats::csv_row_end(bytes, at, dialect_), bytes.size());
      if (wants(row)) csv_row(bytes.substr(at, end - at));
      at = end;
    }
  }

  /// As UTF-8, with ? for what is no character.
  std::string_view text_of(std::string_view raw) {
    while (raw.starts_with(kMark)) raw.remove_prefix(kMark.size());
    const bool gb_file = layout_->encoding == formats::Encoding::kGb18030;
    if (gb_file ? layout_->mixed && formats::is_surely_utf8(raw) : formats::is_valid_utf8(raw)) {
      return raw;
    }
    if (!gb_file && formats::detect_encoding(raw) != formats::Encoding::kGb18030) return raw;
    converted_.clear();
    while (!raw.empty()) {
      const formats::Conversion done = gb_.append_utf8(raw, converted_);
      if (done.ok()) break;
      converted_ += '?';
      raw.remove_prefix(std::min(done.bad_offset + 1, raw.size()));
    }
    return converted_;
  }

  void csv_row(std::string_view raw) {
    const std::string_view text = text_of(raw);
    if (csv_.parse(text) == formats::CsvError::kNone) {
      cells_.assign(csv_.cells().begin(), csv_.cells().end());
    } else {
      cut_plainly(text);
    }
    // What is too much stands in the last cell, so that it moves no other column.
    const std::size_t columns = layout_->headings.size();
    if (columns > 0 && cells_.size() > columns) {
      surplus_ = fmt::format("{}", cells_[columns - 1]);
      for (std::size_t i = columns; i < cells_.size(); ++i) {
        surplus_ += dialect_.delimiter;
        surplus_ += cells_[i];
      }
      cells_.resize(columns);
      cells_.back() = surplus_;
    }
    use_({rows_[next_], layout_->headings, layout_->columns, cells_});
  }

  /// A row whose quotes are spoilt: at each delimiter.
  void cut_plainly(std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
    cells_.clear();
    for (;;) {
      const std::size_t end = text.find(dialect_.delimiter);
      cells_.push_back(text.substr(0, end));
      if (end == std::string_view::npos) return;
      text.remove_prefix(end + 1);
    }
  }

  void sheet_rows(const Slice& slice) {
    const char* at = slice.bytes.data();
    const char* const end = at + slice.bytes.size();
    while (at < end) {
      codecs::CellRowHead head;
      std::memcpy(&head, at, sizeof head);
      at += sizeof head;
      const bool wanted = wants(head.row);
      cells_.clear();
      shown_.clear();
      shown_.reserve(head.cells);
      for (std::uint32_t i = 0; i < head.cells; ++i) {
        codecs::CellHead cell;
        std::memcpy(&cell, at, sizeof cell);
        if (wanted) sheet_cell(cell, {at + sizeof cell, cell.size});
        at += sizeof cell + cell.size;
      }
      if (wanted) use_({rows_[next_], layout_->headings, layout_->columns, cells_});
    }
  }

  void sheet_cell(const codecs::CellHead& cell, std::string_view text) {
    if (cell.column >= cells_.size()) cells_.resize(cell.column + std::size_t{1});
    if (static_cast<formats::CellKind>(cell.kind) == formats::CellKind::kNumber) {
      // The digits that a person sees.
      if (auto shown = codecs::shown_digits(text)) text = shown_.emplace_back(std::move(*shown));
    }
    cells_[cell.column] = text;
  }

  void json_rows(const Slice& slice) {
    const std::string_view bytes = slice.bytes;
    std::uint64_t row = slice.first_offset;
    for (std::size_t at = 0; at < bytes.size(); ++row) {
      const std::size_t end = std::min(bytes.find('\n', at), bytes.size());
      if (wants(row)) json_row(bytes.substr(at, end - at));
      at = end + 1;
    }
  }

  /// Objects are kept until their keys are known: what one leaves out another has.
  void json_row(std::string_view raw) {
    constexpr std::size_t kMostKept = 64 << 20;
    const std::string_view text = text_of(raw);
    Object& object = objects_.emplace_back(Object{rows_[next_], {}});
    simdjson::dom::object members;
    if (json_.parse(text.data(), text.size()).get(members) != simdjson::SUCCESS) {
      // No cells to be had: the line stands in the first one.
      set(object, 0, std::string(text));
    } else {
      for (const auto& [key, value] : members) set(object, column_of(key), shown(value));
    }
    kept_ += raw.size();
    if (kept_ > kMostKept) give_objects();
  }

  static std::string shown(const simdjson::dom::element& value) {
    std::string_view text;
    if (value.get(text) == simdjson::SUCCESS) return std::string(text);
    return value.is_null() ? std::string() : simdjson::minify(value);
  }

  std::size_t column_of(std::string_view key) {
    const auto known = std::find(headings_.begin(), headings_.end(), key);
    if (known != headings_.end()) return static_cast<std::size_t>(known - headings_.begin());
    headings_.emplace_back(key);
    columns_.push_back(layout_->field_of(key));
    return headings_.size() - 1;
  }

  struct Object {
    RowIdentity of;
    std::vector<std::string> cells;
  };
  static void set(Object& object, std::size_t column, std::string text) {
    if (column >= object.cells.size()) object.cells.resize(column + 1);
    object.cells[column] = std::move(text);
  }

  void give_objects() {
    if (headings_.empty()) objects_.clear();  // no line could be read
    for (const Object& object : objects_) {
      cells_.assign(object.cells.begin(), object.cells.end());
      use_({object.of, headings_, columns_, cells_});
    }
    objects_.clear();
    kept_ = 0;
  }

  formats::CsvDialect dialect_;
  formats::CsvRowParser csv_;
  formats::Gb18030Converter gb_;
  std::vector<RowIdentity> rows_;
  const std::function<void(const OriginalRow&)>& use_;
  std::size_t next_ = 0;
  const codecs::FileLayout* layout_ = nullptr;
  std::vector<std::string_view> cells_;
  std::vector<std::string> shown_;
  std::string converted_, surplus_;
  simdjson::dom::parser json_;
  std::vector<Object> objects_;  // of NDJSON
  std::size_t kept_ = 0;
  std::vector<std::string> headings_;
  std::vector<int> columns_;
};

}  // namespace

void read_original_rows(const codecs::FileOptions& options, const std::string& base_folder,
                        const std::string& name, const std::vector<RowIdentity>& rows,
                        const std::function<void(const OriginalRow&)>& use) {
  const std::string path = path_of_partition(options, base_folder, name);
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  struct stat info {};
  const bool known = ::fstat(fd, &info) == 0;
  const auto size = static_cast<std::uint64_t>(known ? info.st_size : 0);
  const auto key = known ? key_of(fd, size, rows) : std::nullopt;
  if (!key) {
    ::close(fd);
    return;
  }
  const std::uint64_t hash = codecs::hash_of_name(*key);
  std::vector<RowIdentity> wanted;
  for (const RowIdentity& row : rows) {
    if (runtime::record_id(hash, row.row) == row.id) wanted.push_back(row);
  }
  codecs::FilePosition position;
  position.size = size;
  codecs::FileCursor cursor(options, {fd, path, name, *key}, position);
  if (!cursor.open()) return;
  Picker(options, std::move(wanted), use).read(cursor);
}

}  // namespace huiliu::connectors
