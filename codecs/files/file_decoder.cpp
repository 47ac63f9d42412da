#include "codecs/files/file_decoder.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>
#include <simdjson.h>

#include "codecs/value_parsers.h"
#include "formats/csv.h"
#include "formats/xlsx_reader.h"

namespace huiliu::codecs {
namespace {

using runtime::Outputs;
using runtime::Record;
using runtime::Reject;
using runtime::Slice;
using runtime::Type;
using runtime::Value;

constexpr Reject kBadJson{"E801_BAD_JSON",
                          "",
                          "",
                          "file",
                          "The line is not a complete JSON object. Write one object a line.",
                          "该行不是完整的JSON对象，请每行写一个完整对象。"};
constexpr Reject kTooDeep{"E801_BAD_JSON",     "", "", "file", "The JSON is nested too deeply.",
                          "JSON嵌套层数过多。"};
constexpr Reject kBadCsv{"E802_BAD_CSV",
                         "",
                         "",
                         "file",
                         "The row has a quote within a cell. Put the cell in quotes and double the "
                         "quotes within.",
                         "该行单元格中有引号，请将整个单元格加引号，并把其中的引号写成两个。"};
constexpr Reject kOpenQuote{"E802_BAD_CSV",
                            "",
                            "",
                            "file",
                            "A quote is opened in this row and not closed. Close it or remove it.",
                            "该行有未闭合的引号，请补上或删除。"};
constexpr Reject kBadEncoding{
    "E803_BAD_ENCODING",
    "",
    "",
    "file",
    "The row holds bytes that are no characters in the file's encoding. Save the file as UTF-8.",
    "该行含有与文件编码不符的字节，请将文件另存为UTF-8编码。"};
constexpr Reject kNul{"E803_BAD_ENCODING",
                      "",
                      "",
                      "file",
                      "The row holds a NUL byte (code 0). Remove it and send the row again.",
                      "该行含有空字节（编码0），请删除后重新报送。"};
constexpr Reject kTooLong{"E804_TOO_LONG",
                          "",
                          "",
                          "file",
                          "The row is longer than max_row_bytes. Shorten it.",
                          "该行超过允许的最大长度，请缩短内容。"};
constexpr Reject kProblem{"E805_BAD_FILE",
                          "",
                          "",
                          "file",
                          "The file, or the rest of it, cannot be read.",
                          "文件（或其余部分）无法读取。"};
constexpr Reject kFormat{
    "E201_FORMAT",       "", "", "file", "The value does not fit the field's type.",
    "值与字段类型不符。"};
constexpr Reject kNoValue{
    "E201_FORMAT",
    "",
    "",
    "file",
    "The cell holds a formula whose result is not in the file. Open the file in Excel or WPS, save "
    "it and send it again.",
    "单元格为公式，但文件中没有计算结果，请用Excel或WPS打开并保存后重新报送。"};
constexpr Reject kCodeAsNumber{
    "E207_CODE_AS_NUMBER",
    "",
    "",
    "file",
    "A code was entered as a number; digits may be lost. Format the "
    "column as text and enter it again.",
    "代码以数值格式录入，可能丢失数字，请将该列设为文本格式后重新录入。"};

constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";

/// A row of a template that tells people how to fill it in.
bool is_explanation(std::string_view first_cell) {
  constexpr std::string_view kWords[] = {"填写说明", "填表说明", "填报说明", "填表须知",
                                         "填写须知", "填写要求", "填报要求"};
  if (!first_cell.starts_with("\xE5\xA1\xAB")) return false;  // 填
  return std::any_of(std::begin(kWords), std::end(kWords),
                     [&](auto word) { return first_cell.starts_with(word); });
}

constexpr std::size_t kMaxColumns = 4096;

/// Whether a quote stands where a cell starts: it was opened, not put within.
bool opens_quote(std::string_view row, char delimiter) {
  const char opening[] = {delimiter, '"'};
  return row.starts_with('"') || row.find({opening, 2}) != std::string_view::npos;
}

class FileDecoder final : public runtime::Decoder {
 public:
  FileDecoder(FileOptions options, const runtime::DecoderContext& context)
      : options_(std::move(options)),
        schema_(options_.schema()),
        event_time_(context.event_time_field),
        json_(types(), options_.max_depth),
        delimiter_(options_.delimiter),
        csv_(kMaxColumns, formats::CsvDialect{delimiter_, '"'}),
        row_(std::max(context.row_slots, schema_.width() + runtime::kRejectFieldCount)),
        blank_(schema_.width()) {
    for (std::size_t i = 0; i < schema_.width(); ++i) {
      const auto& absent = options_.fields[i].absent;
      if (absent) defaults_.emplace_back(i, *codecs::parse_cell(schema_[i].type, *absent));
    }
  }

  void decode(const Slice& slice, Outputs& out) override {
    slice_ = &slice;
    out_ = &out;
    offset_ = slice.first_offset;
    use(static_cast<const FileLayout*>(slice.detail.get()));
    switch (static_cast<SliceFormat>(slice.format)) {
      case SliceFormat::kNdjson:
        return decode_json();
      case SliceFormat::kCsv:
        return decode_csv();
      case SliceFormat::kCells:
        return decode_cells();
      case SliceFormat::kOpenQuote:
        return refuse(kOpenQuote, slice.bytes);
      case SliceFormat::kTooLong:
        return refuse(kTooLong, slice.bytes);
      case SliceFormat::kProblem: {
        // See problem_bytes().
        Reject reject = kProblem;
        const std::string_view all = out.arena().copy(slice.bytes);
        const std::size_t code_size = all.find('\0'), en_size = all.find('\0', code_size + 1);
        reject.code = all.substr(0, code_size);
        reject.value = all.substr(code_size + 1, en_size - code_size - 1);
        if (en_size + 1 < all.size()) {
          reject.message_en = reject.value;
          reject.message_zh = all.substr(en_size + 1);
        }
        begin_row();
        return finish(reject);
      }
    }
  }

 private:
  std::vector<Type> types() const {
    std::vector<Type> result;
    for (const runtime::Field& field : schema_.fields()) result.push_back(field.type);
    return result;
  }

  void use(const FileLayout* layout) {
    // The slot may be reused by another file's layout, so the address says nothing.
    layout_ = layout;
    constants_.clear();
    if (layout == nullptr) return;
    json_.new_keys();
    if (layout->delimiter != delimiter_) {
      delimiter_ = layout->delimiter;
      csv_ = formats::CsvRowParser(kMaxColumns, formats::CsvDialect{delimiter_, '"'});
    }
    for (const auto& [field, text] : layout->set) {
      constants_.emplace_back(field, *codecs::parse_cell(schema_[field].type, text));
    }
  }

  void begin_row() { std::copy(blank_.begin(), blank_.end(), row_.begin()); }

  Record record() {
    Record made;
    made.values = row_.data();
    made.width = static_cast<std::uint32_t>(schema_.width());
    made.origin = {slice_->partition, offset_};
    made.id = runtime::record_id(slice_->partition_hash, offset_);
    return made;
  }

  void fill() {
    for (const auto& [field, value] : constants_) row_[field] = value;
    for (const auto& [field, value] : defaults_) {
      if (row_[field].is_null()) row_[field] = value;
    }
  }

  void accept() {
    fill();
    Record made = record();
    if (event_time_ >= 0) {
      const Value& time = row_[static_cast<std::size_t>(event_time_)];
      if (!time.is_null()) made.event_time = time.integer();
    }
    out_->emit(made);
  }

  /// Refuses the row with what was decoded of it.
  void finish(Reject reject) {
    for (const auto& [code, name] : options_.codes) {
      if (reject.code == code) reject.code = name;
    }
    for (const auto& [field, value] : constants_) row_[field] = value;
    Record made = record();
    out_->reject(made, reject);
  }

  /// What can be converted of a row that is not all GB18030, with ? for the rest.
  std::string_view readable(std::string_view gb18030);
  /// Refuses a row of which nothing was decoded.
  void refuse(Reject reject, std::string_view raw) {
    begin_row();
    reject.value = out_->arena().copy(codecs::excerpt(raw));
    finish(reject);
  }

  void refuse_field(Reject reject, std::size_t field, std::string_view text) {
    reject.field = schema_[field].name;
    reject.value = out_->arena().copy(codecs::excerpt_of(schema_[field].type, text));
    finish(reject);
  }

  void decode_json();
  void json_line(const char* from, const char*& next, bool utf8_checked);
  void json_fault(codecs::JsonFault fault, std::string_view line);
  void gb_line(std::string_view line);
  bool read_encoding(std::string_view raw, std::string_view& text);
  void decode_csv();
  bool is_left_out(const std::vector<std::string_view>& cells) const;
  void csv_row(std::string_view row);
  void decode_cells();
  void cell_row(const char* at, std::uint32_t cells);
  const Reject* read_cell(const CellHead& cell, std::string_view text, std::size_t field);

  FileOptions options_;
  runtime::Schema schema_;
  int event_time_;
  codecs::JsonRow json_;
  char delimiter_;  // of csv_
  formats::CsvRowParser csv_;
  formats::Gb18030Converter gb_;
  std::vector<Value> row_;
  std::vector<Value> blank_;
  std::vector<std::string_view> cells_;
  std::vector<std::pair<std::size_t, Value>> defaults_;
  std::vector<std::pair<std::size_t, Value>> constants_;
  std::string converted_;
  bool has_nul_ = false;  // the slice
  const Slice* slice_ = nullptr;
  const FileLayout* layout_ = nullptr;
  Outputs* out_ = nullptr;
  std::uint64_t offset_ = 0;
};

std::string_view line_at(const char* from, const char* end) {
  const auto* found =
      static_cast<const char*>(std::memchr(from, '\n', static_cast<std::size_t>(end - from)));
  return {from, static_cast<std::size_t>((found != nullptr ? found : end) - from)};
}

/// 0x1A is what DOS programs put behind the end of a file.
bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r\x1A") == std::string_view::npos;
}

bool has_nul(std::string_view bytes) { return bytes.find('\0') != std::string_view::npos; }

void FileDecoder::decode_json() {
  const char* at = slice_->bytes.data();
  const char* const end = at + slice_->bytes.size();
  const bool gb = layout_->encoding == formats::Encoding::kGb18030;
  const bool valid = gb || simdjson::validate_utf8(at, slice_->bytes.size());
  for (; at < end; ++offset_) {
    if (gb) {
      const std::string_view line = line_at(at, end);
      if (layout_->mixed && formats::is_surely_utf8(line)) {
        json_line(at, at, true);
        continue;
      }
      if (!is_blank(line)) gb_line(line);
      at = line.data() + line.size() + 1;
      continue;
    }
    json_line(at, at, valid);
  }
}

void FileDecoder::json_line(const char* from, const char*& next, bool utf8_checked) {
  const char* const end = slice_->bytes.data() + slice_->bytes.size();
  // A file that was joined from several has a mark in front of each part.
  while (*from == kUtf8Mark[0] && std::string_view(from, end).starts_with(kUtf8Mark)) {
    from += kUtf8Mark.size();
  }
  if (!utf8_checked) {
    const std::string_view line = line_at(from, end);
    if (!formats::is_valid_utf8(line)) {
      next = line.data() + line.size() + 1;
      const bool gb =
          layout_->mixed && formats::detect_encoding(line) == formats::Encoding::kGb18030;
      return gb ? gb_line(line) : refuse(kBadEncoding, line);
    }
  }
  begin_row();
  const char* stop = nullptr;
  const codecs::JsonFault fault =
      json_.parse(from, layout_->keys, row_.data(), out_->arena(), stop);
  const bool whole = stop != nullptr && (stop == end || *stop == '\n');
  if (fault == codecs::JsonFault::kNone && whole &&
      static_cast<std::size_t>(stop - from) <= options_.max_row_bytes) [[likely]] {
    next = stop + 1;
    if (!json_.unknown_key().empty()) {
      layout_->warn_unknown(std::string(json_.unknown_key()), options_);
      json_.forget_unknown_key();
    }
    return accept();
  }
  const std::string_view line = line_at(from, end);
  next = line.data() + line.size() + 1;
  if (is_blank(line)) return;
  if (line.size() > options_.max_row_bytes) return refuse(kTooLong, line);
  if (has_nul(line)) return refuse(kNul, line);
  json_fault(fault == codecs::JsonFault::kNone || !whole
                 ? (fault == codecs::JsonFault::kTooDeep ? fault : codecs::JsonFault::kBadJson)
                 : fault,
             line);
}

void FileDecoder::json_fault(codecs::JsonFault fault, std::string_view line) {
  if (fault == codecs::JsonFault::kTooDeep) return refuse(kTooDeep, line);
  if (fault == codecs::JsonFault::kWrongType) {
    return refuse_field(kFormat, static_cast<std::size_t>(json_.field()), json_.value());
  }
  refuse(kBadJson, line);
}

std::string_view FileDecoder::readable(std::string_view gb18030) {
  converted_.clear();
  while (!gb18030.empty()) {
    const formats::Conversion done = gb_.append_utf8(gb18030, converted_);
    if (done.ok()) break;
    converted_ += '?';
    gb18030.remove_prefix(std::min(done.bad_offset + 1, gb18030.size()));
  }
  return converted_;
}

void FileDecoder::gb_line(std::string_view line) {
  converted_.clear();
  if (!gb_.append_utf8(line, converted_).ok()) return refuse(kBadEncoding, readable(line));
  constexpr std::size_t kReadable = 64;
  char* text = out_->arena().allocate(converted_.size() + kReadable);
  std::memcpy(text, converted_.data(), converted_.size());
  std::memset(text + converted_.size(), 0, kReadable);
  begin_row();
  const char* stop = nullptr;
  const codecs::JsonFault fault =
      json_.parse(text, layout_->keys, row_.data(), out_->arena(), stop);
  if (line.size() > options_.max_row_bytes) return refuse(kTooLong, line);
  if (fault == codecs::JsonFault::kNone && stop == text + converted_.size()) return accept();
  if (has_nul(line)) return refuse(kNul, line);
  json_fault(fault == codecs::JsonFault::kNone ? codecs::JsonFault::kBadJson : fault, converted_);
}

void FileDecoder::decode_csv() {
  const std::string_view bytes = slice_->bytes;
  const formats::CsvDialect dialect{layout_->delimiter, '"'};
  has_nul_ = has_nul(bytes);
  for (std::size_t at = 0; at < bytes.size(); ++offset_) {
    const std::size_t end = std::min(formats::csv_row_end(bytes, at, dialect), bytes.size());
    csv_row(bytes.substr(at, end - at));
    at = end;
  }
}

/// The row as UTF-8; false if it is not all characters. Where nobody has said the encoding, a row
/// that is plainly in another than the file's beginning is read in that.
bool FileDecoder::read_encoding(std::string_view raw, std::string_view& text) {
  text = raw;
  const bool gb_file = layout_->encoding == formats::Encoding::kGb18030;
  if (!gb_file || layout_->mixed) {
    const bool utf8 = gb_file ? formats::is_surely_utf8(raw) : formats::is_valid_utf8(raw);
    if (utf8) return true;
    if (!gb_file &&
        (!layout_->mixed || formats::detect_encoding(raw) != formats::Encoding::kGb18030)) {
      return false;
    }
  }
  converted_.clear();
  if (!gb_.append_utf8(raw, converted_).ok()) return false;
  text = converted_;
  return true;
}

/// Rows that are no data: empty cells only, the headings once more, or what a template explains.
bool FileDecoder::is_left_out(const std::vector<std::string_view>& cells) const {
  const auto first =
      std::find_if(cells.begin(), cells.end(), [](auto cell) { return !cell.empty(); });
  if (first == cells.end()) return cells.size() > 1;
  return is_explanation(*first) || layout_->is_heading_row(cells);
}

void FileDecoder::csv_row(std::string_view raw) {
  while (raw.starts_with(kUtf8Mark)) raw.remove_prefix(kUtf8Mark.size());
  std::string_view row;
  if (!read_encoding(raw, row)) {
    return refuse(kBadEncoding,
                  layout_->encoding == formats::Encoding::kGb18030 ? readable(raw) : raw);
  }
  const formats::CsvError error = csv_.parse(row);
  if (error == formats::CsvError::kNone && (csv_.is_blank() || is_left_out(csv_.cells()))) return;
  if (is_blank(row)) return;
  if (has_nul_ && has_nul(row)) return refuse(kNul, row);
  if (error == formats::CsvError::kUnterminatedQuote) return refuse(kOpenQuote, row);
  if (error == formats::CsvError::kStrayQuote && opens_quote(row, layout_->delimiter)) {
    return refuse(kOpenQuote, row);
  }
  const auto& cells = csv_.cells();
  if (error != formats::CsvError::kNone || cells.size() != layout_->columns.size()) {
    Reject reject = kBadCsv;
    if (error == formats::CsvError::kNone) {
      reject.message_en = out_->arena().copy(fmt::format(
          "The row has {} cells, the header {}. Put cells that hold the delimiter in quotes.",
          cells.size(), layout_->columns.size()));
      reject.message_zh =
          out_->arena().copy(fmt::format("该行有{}列，表头有{}列，内容含分隔符的单元格请加引号。",
                                         cells.size(), layout_->columns.size()));
    }
    return refuse(reject, row);
  }
  begin_row();
  int bad = -1;
  std::string_view bad_text;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const int field = layout_->columns[i];
    if (field < 0 || cells[i].empty()) continue;
    const Type type = schema_[static_cast<std::size_t>(field)].type;
    auto value = codecs::parse_cell(type, cells[i]);
    if (value && runtime::is_text(type)) value = Value::of_text(out_->arena().copy(cells[i]));
    if (value) {
      row_[static_cast<std::size_t>(field)] = *value;
    } else if (bad < 0) {
      bad = field;
      bad_text = cells[i];
    }
  }
  if (bad >= 0) return refuse_field(kFormat, static_cast<std::size_t>(bad), bad_text);
  accept();
}

void FileDecoder::decode_cells() {
  const char* at = slice_->bytes.data();
  const char* const end = at + slice_->bytes.size();
  while (at < end) {
    CellRowHead head;
    std::memcpy(&head, at, sizeof head);
    at += sizeof head;
    offset_ = head.row;
    cell_row(at, head.cells);
    for (std::uint32_t i = 0; i < head.cells; ++i) {
      CellHead cell;
      std::memcpy(&cell, at, sizeof cell);
      at += sizeof cell + cell.size;
    }
  }
}

/// Null, or why the cell is refused.
const Reject* FileDecoder::read_cell(const CellHead& cell, std::string_view text,
                                     std::size_t field) {
  using formats::CellKind;
  const auto kind = static_cast<CellKind>(cell.kind);
  const Type type = schema_[field].type;
  if (kind == CellKind::kNoValue) return &kNoValue;
  if (kind == CellKind::kError) return &kFormat;
  if (kind == CellKind::kNumber && runtime::is_text(type) && type != Type::kJson) {
    // A workbook keeps 15 digits of a number: what is longer was more once.
    row_[field] = Value::of_text(text);
    if (options_.fields[field].text_only) return &kCodeAsNumber;
    if (codecs::is_short_number(text)) return nullptr;
    const auto shown = codecs::shown_digits(text);
    if (!shown) return &kCodeAsNumber;
    row_[field] = Value::of_text(out_->arena().copy(*shown));
    return nullptr;
  }
  const auto value = codecs::parse_cell(type, text);
  if (!value) return &kFormat;
  row_[field] = *value;
  return nullptr;
}

void FileDecoder::cell_row(const char* at, std::uint32_t cells) {
  begin_row();
  const Reject* reject = nullptr;
  std::size_t bad = 0;
  std::string_view bad_text;
  cells_.clear();
  for (std::uint32_t i = 0; i < cells; ++i) {
    CellHead cell;
    std::memcpy(&cell, at, sizeof cell);
    const std::string_view text(at + sizeof cell, cell.size);
    at += sizeof cell + cell.size;
    if (i == 0 && is_explanation(text)) return;
    if (cell.column >= cells_.size()) cells_.resize(cell.column + std::size_t{1});
    cells_[cell.column] = text;
    const int index = cell.column < layout_->columns.size() ? layout_->columns[cell.column] : -1;
    if (index < 0 || text.empty()) continue;
    const auto field = static_cast<std::size_t>(index);
    const Reject* const why = read_cell(cell, text, field);
    if (why != nullptr && reject == nullptr) {
      reject = why;
      bad = field;
      bad_text = text;
    }
  }
  if (layout_->is_heading_row(cells_)) return;
  if (reject != nullptr) return refuse_field(*reject, bad, bad_text);
  accept();
}

}  // namespace

std::unique_ptr<runtime::Decoder> make_file_decoder(FileOptions options,
                                                    const runtime::DecoderContext& context) {
  return std::make_unique<FileDecoder>(std::move(options), context);
}

}  // namespace huiliu::codecs
