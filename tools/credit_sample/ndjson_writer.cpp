#include <fstream>
#include <stdexcept>
#include <string_view>

#include "tools/credit_sample/row_writer.h"

namespace huiliu::tools {
namespace {

void append_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  out += '"';
}

// The middle of `line`, moved back to a character's first byte.
std::size_t middle_of(const std::string& line) {
  std::size_t at = line.size() / 2;
  while ((static_cast<unsigned char>(line[at]) & 0xC0) == 0x80) --at;
  return at;
}

class NdjsonWriter final : public RowWriter {
 public:
  NdjsonWriter(const FileSpec& spec, const std::string& path)
      : spec_(spec), path_(path), file_(path, std::ios::binary) {}

  // Empty values are left out; amounts and versions are JSON numbers.
  void write(const Row& row) override {
    line_.assign(1, '{');
    for (const Column& column : spec_.columns) {
      const std::string& value = row[column.field];
      if (value.empty()) continue;
      if (line_.size() > 1) line_ += ',';
      append_string(line_, column.heading);
      line_ += ':';
      const bool number = column.field == Field::kFine || column.field == Field::kConfiscated ||
                          column.field == Field::kVersion;
      if (number && is_plain_number(value)) {
        line_ += value;
      } else {
        append_string(line_, value);
      }
    }
    line_ += '}';
    if (row.damage == Damage::kTruncated) line_.resize(middle_of(line_));
    line_ += '\n';
    file_ << line_;
  }

  void finish() override {
    file_.close();
    if (!file_) throw std::runtime_error("cannot write " + path_);
  }

 private:
  const FileSpec& spec_;
  std::string path_;
  std::ofstream file_;
  std::string line_;
};

}  // namespace

std::unique_ptr<RowWriter> make_ndjson_writer(const FileSpec& spec, const std::string& path) {
  return std::make_unique<NdjsonWriter>(spec, path);
}

}  // namespace huiliu::tools
