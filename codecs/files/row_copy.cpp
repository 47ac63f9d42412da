#include "codecs/files/row_copy.h"

#include <algorithm>
#include <cerrno>
#include <functional>
#include <memory>
#include <set>

#include <unistd.h>

#include "codecs/files/foreign_content.h"
#include "codecs/files/json_array.h"
#include "codecs/json_text.h"
#include "codecs/value_parsers.h"
#include "formats/encoding.h"
#include "formats/xml_rows.h"
#include "runtime/record/value_text.h"

namespace huiliu::codecs {
namespace {

using formats::Encoding;
using runtime::Type;

constexpr std::string_view kMarks = "\xEF\xBB\xBF";
constexpr char kNoText = '\xFF';  // never stands in UTF-8: makes whoever reads on refuse the place

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

/// The beginning as far as one can tell it before the encoding is known.
std::string plain_head(std::string_view head) {
  constexpr std::size_t kEnough = 4096;
  std::string plain;
  if (const char utf16 = formats::utf16_mark(head); utf16 != '\0') {
    std::string rest;
    formats::append_utf16(head.substr(2, kEnough), utf16 == 'B', rest, plain);
  } else {
    plain = head.substr(0, kEnough);
  }
  const std::size_t first = plain.find_first_not_of(std::string(" \t\r\n").append(kMarks));
  plain.erase(0, std::min(first, plain.size()));
  return plain;
}

/// Whether an XML declaration names GB2312, GBK or GB18030.
bool declares_gb(std::string_view plain) {
  std::string declaration(plain.substr(0, plain.find('>')));
  std::transform(declaration.begin(), declaration.end(), declaration.begin(), lower);
  const std::size_t at = declaration.find("encoding");
  return declaration.starts_with("<?xml") && at != std::string::npos &&
         declaration.find("gb", at) != std::string::npos;
}

/// A file of any encoding as UTF-8, piece by piece.
class Utf8Pieces {
 public:
  Utf8Pieces(std::string_view head, const FileOptions& options)
      : utf16_(formats::utf16_mark(head)) {
    if (head.starts_with(kMarks)) return;
    const Encoding found = formats::detect_encoding(head);
    gb_ = options.encoding.value_or(found) == Encoding::kGb18030;
    // A few characters may be either; then the file knows best.
    if (!options.encoding && declares_gb(plain_head(head))) gb_ = !formats::is_surely_utf8(head);
  }

  /// Bytes of the mark, which is no text.
  std::size_t skipped() const { return utf16_ == '\0' ? 0 : 2; }

  void append(std::string_view bytes, std::string& text) {
    if (utf16_ != '\0') return formats::append_utf16(bytes, utf16_ == 'B', rest_, text);
    if (!gb_) {
      text.append(bytes);
      return;
    }
    rest_.append(bytes);
    std::string_view left = rest_;
    for (;;) {
      const formats::Conversion converted = converter_.append_utf8(left, text);
      if (converted.ok()) {
        rest_.clear();
        return;
      }
      left.remove_prefix(converted.bad_offset);
      if (converted.error == formats::ConversionError::kTruncated) break;
      text.push_back(kNoText);
      left.remove_prefix(1);
    }
    rest_ = std::string(left);
  }
  void finish(std::string& text) {
    if (!rest_.empty()) text.push_back(kNoText);
    rest_.clear();
  }

 private:
  char utf16_;
  bool gb_ = false;
  std::string rest_;
  formats::Gb18030Converter converter_;
};

/// Makes lines of a file's rows.
class RowLines {
 public:
  virtual ~RowLines() = default;
  /// False when nothing further is read.
  virtual bool feed(std::string_view text, std::string& out) = 0;
  virtual void finish(std::string& out) = 0;
  virtual void result(RowCopy& copy) const = 0;
  virtual void find_line_of(std::uint64_t row) = 0;
  virtual std::uint64_t found_line() const = 0;
};

class ArrayLines final : public RowLines {
 public:
  explicit ArrayLines(const FileOptions& options) : lines_(options.max_row_bytes) {}
  bool feed(std::string_view text, std::string& out) override { return lines_.feed(text, out); }
  void finish(std::string&) override { lines_.finish(); }
  void result(RowCopy& copy) const override {
    copy.problem = lines_.problem();
    copy.any_rows = true;
  }
  void find_line_of(std::uint64_t row) override { lines_.find_line_of(row); }
  std::uint64_t found_line() const override { return lines_.found_line(); }

 private:
  JsonArrayLines lines_;
};

class XmlLines final : public RowLines {
 public:
  XmlLines(const FileOptions& options, const FileLayout& layout)
      : options_(options),
        layout_(layout),
        missing_(layout.required.begin(), layout.required.end()),
        rows_({options.max_row_bytes, static_cast<std::uint32_t>(options.max_depth)},
              [this](const formats::XmlRow& row) { take(row); }) {}

  bool feed(std::string_view text, std::string& out) override {
    const bool good = rows_.feed(text);
    out.append(lines_);
    lines_.clear();
    return good;
  }
  void finish(std::string&) override { rows_.finish(); }
  void result(RowCopy& copy) const override {
    const formats::Outcome& outcome = rows_.outcome();
    if (!outcome.ok()) copy.problem = FileProblem{outcome.message, outcome.zh};
    copy.any_rows = rows_.found();
    copy.names = names_;
  }
  void find_line_of(std::uint64_t row) override { wanted_row_ = row; }
  std::uint64_t found_line() const override { return found_line_; }

 private:
  void take(const formats::XmlRow& row) {
    if (++row_ == wanted_row_) found_line_ = row.line;
    take_names(row, names_.empty());
    const std::size_t before = lines_.size();
    for (const auto& [name, value] : row.fields) {
      if (value.empty()) continue;
      lines_.push_back(lines_.size() == before ? '{' : ',');
      codecs::append_json_string(key_of(name), lines_);
      lines_.push_back(':');
      append_value(name, value);
    }
    if (lines_.size() > before) lines_.push_back('}');
    // The line's reader refuses it for its length.
    if (row.too_long) lines_.append(options_.max_row_bytes + 1, ' ').push_back('x');
    lines_.push_back('\n');
  }

  /// Of later rows only the required ones that no row had so far: names may be many.
  void take_names(const formats::XmlRow& row, bool first) {
    if (!first && missing_.empty()) return;
    for (const auto& [name, value] : row.fields) {
      const int field = layout_.field_of(name);
      const bool was_missing = field >= 0 && missing_.erase(static_cast<std::size_t>(field)) > 0;
      if (first || was_missing) names_.push_back(name);
    }
  }

  /// A text that is a number or a truth value for its field becomes one; else the line's reader
  /// shows what it is.
  void append_value(const std::string& name, const std::string& value) {
    const int field = layout_.field_of(name);
    const Type type =
        field < 0 ? Type::kString : options_.fields[static_cast<std::size_t>(field)].type;
    const bool literal = type == Type::kInt64 || type == Type::kFloat64 || type == Type::kBool;
    const auto parsed = literal ? codecs::parse_cell(type, value) : std::nullopt;
    if (!parsed) return codecs::append_json_string(value, lines_);
    std::string scratch;
    lines_.append(runtime::value_text(type, *parsed, scratch));
  }

  /// The key that stands for a heading in rows of JSON, which are not compared as headings are.
  std::string key_of(const std::string& name) const {
    const int field = layout_.keys.find(name) >= 0 ? -1 : layout_.field_of(name);
    for (std::size_t i = 0; field >= 0 && i < layout_.keys.size(); ++i) {
      const int key = static_cast<int>(i);
      const std::string known(layout_.keys.name(key));
      if (layout_.keys.field(key) == field && layout_.keys.find(known) == key) return known;
    }
    return name;
  }

  const FileOptions& options_;
  const FileLayout& layout_;
  std::string lines_;  // of the text fed last
  std::vector<std::string> names_;
  std::set<std::size_t> missing_;  // required fields that no row had so far
  std::uint64_t row_ = 0;
  std::uint64_t wanted_row_ = 0;
  std::uint64_t found_line_ = 0;
  formats::XmlRows rows_;
};

std::unique_ptr<RowLines> make_lines(RowForm form, const FileOptions& options,
                                     const FileLayout& layout) {
  if (form == RowForm::kXml) return std::make_unique<XmlLines>(options, layout);
  return std::make_unique<ArrayLines>(options);
}

/// Hands lines over as they are made, until `take` has enough. False if the file cannot be read.
bool read_rows(int from, Utf8Pieces pieces, RowLines& lines,
               const std::function<bool(std::string_view)>& take) {
  std::string block(1 << 20, '\0'), text, out;
  for (off_t at = static_cast<off_t>(pieces.skipped());;) {
    const ssize_t got = ::pread(from, block.data(), block.size(), at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    at += got;
    text.clear();
    out.clear();
    pieces.append({block.data(), static_cast<std::size_t>(got)}, text);
    if (got == 0) pieces.finish(text);
    const bool more = lines.feed(text, out) && got > 0;
    if (!more) lines.finish(out);
    if (!out.empty() && !take(out)) return false;
    if (!more) return true;
  }
}

}  // namespace

RowForm row_form_of(std::string_view head, FileFormat format) {
  const std::string plain = plain_head(head);
  const auto starts = [&plain](std::string_view small) {
    return plain.size() >= small.size() &&
           std::equal(small.begin(), small.end(), plain.begin(),
                      [](char want, char c) { return want == lower(c); });
  };
  if (is_web_page(plain)) return RowForm::kNone;
  if (starts("<?xml") || starts("<rowdata") || (format != FileFormat::kCsv && starts("<"))) {
    return RowForm::kXml;
  }
  if (!starts("[")) return RowForm::kNone;
  // A heading may be in brackets.
  const std::size_t second = plain.find_first_not_of(" \t\r\n", 1);
  const bool array = second == std::string::npos || plain[second] == '{' || plain[second] == ']';
  return array || format == FileFormat::kNdjson ? RowForm::kJsonArray : RowForm::kNone;
}

RowCopy copy_rows(int from, RowForm form, std::string_view head, const FileOptions& options,
                  const FileLayout& layout) {
  RowCopy made;
  made.copy.fd = open_temporary();
  const auto lines = make_lines(form, options, layout);
  const auto write = [&made](std::string_view text) {
    made.copy.size += text.size();
    return write_all(made.copy.fd, text);
  };
  if (made.copy.fd < 0 || !read_rows(from, Utf8Pieces(head, options), *lines, write)) {
    made.copy.error = errno;
    if (made.copy.fd >= 0) ::close(made.copy.fd);
    made.copy.fd = -1;
  }
  lines->result(made);
  return made;
}

std::uint64_t line_of_row(int from, RowForm form, std::string_view head, const FileOptions& options,
                          const FileLayout& layout, std::uint64_t row) {
  const auto lines = make_lines(form, options, layout);
  lines->find_line_of(row);
  read_rows(from, Utf8Pieces(head, options), *lines,
            [&lines](std::string_view) { return lines->found_line() == 0; });
  return lines->found_line();
}

}  // namespace huiliu::codecs
