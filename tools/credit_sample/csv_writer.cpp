#include <fstream>
#include <stdexcept>
#include <string_view>

#include <iconv.h>

#include "tools/credit_sample/row_writer.h"

namespace huiliu::tools {
namespace {

class Gb18030Encoder {
 public:
  Gb18030Encoder() : converter_(::iconv_open("GB18030", "UTF-8")) {
    if (converter_ == reinterpret_cast<iconv_t>(-1)) {
      throw std::runtime_error("iconv knows no GB18030");
    }
  }
  Gb18030Encoder(const Gb18030Encoder&) = delete;
  Gb18030Encoder& operator=(const Gb18030Encoder&) = delete;
  ~Gb18030Encoder() { ::iconv_close(converter_); }

  void encode(std::string& text) {
    encoded_.resize(text.size() * 2);
    char* from = text.data();
    char* to = encoded_.data();
    std::size_t from_left = text.size();
    std::size_t to_left = encoded_.size();
    if (::iconv(converter_, &from, &from_left, &to, &to_left) == static_cast<std::size_t>(-1)) {
      throw std::runtime_error("not representable in GB18030: " + text);
    }
    text.assign(encoded_, 0, encoded_.size() - to_left);
  }

 private:
  iconv_t converter_;
  std::string encoded_;
};

void append_field(std::string& out, std::string_view value) {
  if (value.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += value;
    return;
  }
  out += '"';
  for (const char c : value) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

class CsvWriter final : public RowWriter {
 public:
  CsvWriter(const FileSpec& spec, const std::string& path)
      : spec_(spec), path_(path), file_(path, std::ios::binary) {
    if (spec_.format == Format::kCsvWithBom) file_ << "\xEF\xBB\xBF";
    for (const Column& column : spec_.columns) append(column.heading);
    end_line(Damage::kNone);
  }

  void write(const Row& row) override {
    for (const Column& column : spec_.columns) append(row[column.field]);
    end_line(row.damage);
  }

  void finish() override {
    file_.close();
    if (!file_) throw std::runtime_error("cannot write " + path_);
  }

 private:
  void append(std::string_view value) {
    if (!line_.empty()) line_ += ',';
    append_field(line_, value);
    // An empty first field must not look like an empty line.
    if (line_.empty()) line_ = "\"\"";
  }

  // Spoils the row, encodes it, and ends it as the department's machine does.
  void end_line(Damage damage) {
    if (damage == Damage::kMissingColumn) line_.resize(line_.rfind(','));
    if (damage == Damage::kExtraColumn) line_ += ",多余";
    const bool gb18030 = spec_.format == Format::kCsvGb18030;
    if (gb18030) encoder_.encode(line_);
    // 0xFF begins no character in either encoding, so the next comma stays a comma.
    if (damage == Damage::kBadBytes) line_.insert(line_.find(','), "\xFF");
    line_ += gb18030 ? "\r\n" : "\n";
    file_ << line_;
    line_.clear();
  }

  const FileSpec& spec_;
  std::string path_;
  std::ofstream file_;
  std::string line_;
  Gb18030Encoder encoder_;
};

}  // namespace

std::unique_ptr<RowWriter> make_csv_writer(const FileSpec& spec, const std::string& path) {
  return std::make_unique<CsvWriter>(spec, path);
}

}  // namespace huiliu::tools
