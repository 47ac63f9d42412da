#include <string>

#include "connectors/files/json_decoder.h"
#include "formats/csv.h"
#include "formats/encoding.h"

namespace huiliu::connectors::files {

struct CsvDecoder::Impl {
  const FileSourceOptions& options;
  RowBuilder& rows;
  formats::CsvDialect dialect;
  formats::CsvRowParser parser;
  formats::Gb18030Converter converter;
  std::string converted;

  Impl(const FileSourceOptions& o, RowBuilder& r)
      : options(o), rows(r), dialect{o.delimiter, '"'}, parser(4096, dialect) {}

  void decode_row(const FileInfo& file, std::string_view row, runtime::Outputs& out);
  bool utf8(const FileInfo& file, std::string_view& cell, runtime::Arena& arena);
  bool set_cell(const FileInfo& file, std::size_t column, std::string_view cell,
                std::string_view row, runtime::Outputs& out);
};

bool CsvDecoder::Impl::utf8(const FileInfo& file, std::string_view& cell, runtime::Arena& arena) {
  if (file.encoding != formats::Encoding::kGb18030) {
    if (!formats::is_valid_utf8(cell)) return false;
    // Unescaped cells live in the parser's memory, which the next row overwrites.
    cell = arena.copy(cell);
    return true;
  }
  converted.clear();
  if (!converter.append_utf8(cell, converted).ok()) return false;
  cell = arena.copy(converted);
  return true;
}

// False if the row was rejected.
bool CsvDecoder::Impl::set_cell(const FileInfo& file, std::size_t column, std::string_view cell,
                                std::string_view row, runtime::Outputs& out) {
  const auto field = static_cast<std::size_t>(file.columns[column]);
  const InputField& description = rows.field(field);
  if (file.format == FileFormat::kXlsx && !cell.empty() && cell.front() == kNumberMark) {
    cell.remove_prefix(1);
    if (description.text_only) {
      rows.reject(out, "E207_CODE_AS_NUMBER", description.name, cell,
                  "a code was typed as a number: its digits may be lost; format the cell as text",
                  "代码被录入为数字，可能已丢失位数，请将单元格设为文本格式");
      return false;
    }
  }
  if (!utf8(file, cell, out.arena())) {
    rows.reject(out, "E803_BAD_ENCODING", description.name, "",
                "the text is not in the file's encoding", "文本与文件编码不符");
    return false;
  }
  if (cell.empty()) return true;
  if (rows.set(field, cell)) return true;
  rows.reject(out, "E201_FORMAT", description.name, row, "the value does not have the field's type",
              "字段值的类型不符");
  return false;
}

void CsvDecoder::Impl::decode_row(const FileInfo& file, std::string_view row,
                                  runtime::Outputs& out) {
  const formats::CsvError error = parser.parse(row);
  if (error != formats::CsvError::kNone || parser.cells().size() != file.columns.size()) {
    const std::string_view shown = formats::is_valid_utf8(row) ? row : std::string_view();
    rows.reject(out, "E802_BAD_CSV", "", shown,
                "the row's quotes or number of cells do not fit the heading",
                "该行的引号或列数与表头不符");
    return;
  }
  for (std::size_t column = 0; column < file.columns.size(); ++column) {
    if (file.columns[column] < 0) continue;
    if (!set_cell(file, column, parser.cells()[column], row, out)) return;
  }
  rows.emit(out);
}

CsvDecoder::CsvDecoder(const FileSourceOptions& options, RowBuilder& rows)
    : impl_(std::make_unique<Impl>(options, rows)) {}
CsvDecoder::~CsvDecoder() = default;

void CsvDecoder::decode(const runtime::Slice& slice, const FileInfo& file, runtime::Outputs& out) {
  const std::string_view bytes = slice.bytes;
  std::uint64_t offset = slice.first_offset;
  const formats::CsvDialect dialect =
      file.format == FileFormat::kXlsx ? formats::CsvDialect{} : impl_->dialect;
  for (std::size_t at = 0; at < bytes.size();) {
    std::size_t end = formats::csv_row_end(bytes, at, dialect);
    if (end == std::string_view::npos) end = bytes.size();
    std::string_view row = bytes.substr(at, end - at);
    at = end;
    while (!row.empty() && (row.back() == '\n' || row.back() == '\r')) row.remove_suffix(1);
    const std::uint64_t number = offset++;
    if (row.empty()) continue;
    impl_->rows.start(slice, *file.mapping, number);
    if (row.size() > impl_->options.max_row_bytes) {
      impl_->rows.reject(out, "E804_TOO_LONG", "", "", "the row is longer than max_row_bytes",
                         "该行超过最大长度");
      continue;
    }
    impl_->decode_row(file, row, out);
  }
}

namespace {

class FileDecoder final : public runtime::Decoder {
 public:
  FileDecoder(const FileSourceOptions& options, const runtime::DecoderContext& context)
      : options_(options),
        rows_(options_, context),
        json_(options_, rows_),
        csv_(options_, rows_) {}

  void decode(const runtime::Slice& slice, runtime::Outputs& out) override {
    const auto& file = *static_cast<const FileInfo*>(slice.detail.get());
    if (file.format == FileFormat::kNdjson) {
      json_.decode(slice, file, out);
    } else {
      csv_.decode(slice, file, out);
    }
  }

 private:
  FileSourceOptions options_;
  RowBuilder rows_;
  JsonDecoder json_;
  CsvDecoder csv_;
};

}  // namespace

std::unique_ptr<runtime::Decoder> make_file_decoder(const FileSourceOptions& options,
                                                    const runtime::DecoderContext& context) {
  return std::make_unique<FileDecoder>(options, context);
}

}  // namespace huiliu::connectors::files
