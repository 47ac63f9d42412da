#include "formats/xlsx_styles.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>

namespace huiliu::formats {
namespace {

constexpr std::uint32_t kNoFormat = 0;  // "General"

std::uint32_t parse_format_id(std::string_view text) {
  std::uint32_t value = kNoFormat;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  return result.ec == std::errc() ? value : kNoFormat;
}

// Offset of the last byte of the literal that starts at code[at], so that a loop's ++ passes it.
std::size_t end_of_literal(std::string_view code, std::size_t at) {
  if (code[at] == '"' || code[at] == '[') {
    const std::size_t end = code.find(code[at] == '"' ? '"' : ']', at + 1);
    return end == std::string_view::npos ? code.size() : end;
  }
  const bool takes_next = code[at] == '\\' || code[at] == '_' || code[at] == '*';
  return takes_next ? at + 1 : at;
}

}  // namespace

bool is_builtin_date_format(std::uint32_t format_id) {
  return (format_id >= 14 && format_id <= 22) || (format_id >= 27 && format_id <= 36) ||
         (format_id >= 45 && format_id <= 47) || (format_id >= 50 && format_id <= 58);
}

bool is_date_format_code(std::string_view code) {
  for (std::size_t at = 0; at < code.size(); ++at) {
    const std::size_t literal_end = end_of_literal(code, at);
    if (literal_end != at || code[at] == '"' || code[at] == '[') {
      at = literal_end;
      continue;
    }
    const char c = code[at];
    if (c == ';') return false;
    if (c == 'y' || c == 'Y' || c == 'm' || c == 'M' || c == 'd' || c == 'D') return true;
  }
  return false;
}

bool append_iso_date(double serial, DateSystem system, std::string& output) {
  using std::chrono::days;
  using std::chrono::sys_days;
  using std::chrono::year;
  constexpr double kLastSerial = 2958465;  // 9999-12-31 in the 1900 system
  if (!(serial >= 0) || serial >= kLastSerial + 1) return false;
  const int day = static_cast<int>(std::floor(serial));
  sys_days base = sys_days(year{1904} / 1 / 1);
  if (system == DateSystem::k1900) {
    // Excel's 1900 has a 29 February, number 60, that never was.
    if (day < 1 || day == 60) return false;
    base = sys_days(year{1899} / 12 / (day < 60 ? 31 : 30));
  }
  const std::chrono::year_month_day date(base + days(day));
  if (date.year() > year{9999}) return false;
  std::array<char, 32> text{};
  const int length =
      std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(date.year()),
                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  output.append(text.data(), static_cast<std::size_t>(length));
  return true;
}

bool XlsxStyles::is_date(std::uint32_t style) const {
  if (style >= cell_formats_.size()) return false;
  const std::uint32_t format = cell_formats_[style];
  const auto own = is_date_by_format_.find(format);
  return own != is_date_by_format_.end() ? own->second : is_builtin_date_format(format);
}

void XlsxStyles::on_start(std::string_view name, const XmlAttributes& attributes) {
  if (name == "cellXfs") {
    in_cell_formats_ = true;
  } else if (name == "numFmts") {
    in_number_formats_ = true;
  } else if (name == "xf" && in_cell_formats_) {
    cell_formats_.push_back(parse_format_id(attributes.get("numFmtId")));
  } else if (name == "numFmt" && in_number_formats_) {
    is_date_by_format_[parse_format_id(attributes.get("numFmtId"))] =
        is_date_format_code(attributes.get("formatCode"));
  }
}

void XlsxStyles::on_end(std::string_view name) {
  if (name == "cellXfs") in_cell_formats_ = false;
  if (name == "numFmts") in_number_formats_ = false;
}

void XlsxStyles::on_text(std::string_view) {}

}  // namespace huiliu::formats
