#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "formats/xml_pull.h"

namespace huiliu::formats {

enum class DateSystem : std::uint8_t { k1900, k1904 };

// True for the built-in number formats that show a date or a time (ECMA-376 part 1, 18.8.30, with
// the Chinese, Japanese and Korean ones).
bool is_builtin_date_format(std::uint32_t format_id);

// True when the first section of a format code holds y, m or d outside quotes, brackets, escapes.
bool is_date_format_code(std::string_view code);

// Appends yyyy-mm-dd for a serial day number. False, and nothing appended, when the serial is no
// calendar day: negative, past 9999-12-31, below 1 or the inexistent 1900-02-29 (60) of 1900.
bool append_iso_date(double serial, DateSystem system, std::string& output);

// Reads the styles part: which cell styles show dates.
class XlsxStyles : public XmlHandler {
 public:
  bool is_date(std::uint32_t style) const;

  void on_start(std::string_view name, const XmlAttributes& attributes) override;
  void on_end(std::string_view name) override;
  void on_text(std::string_view text) override;

 private:
  std::vector<std::uint32_t> cell_formats_;                    // style index to number format id
  std::unordered_map<std::uint32_t, bool> is_date_by_format_;  // formats the file defines itself
  bool in_cell_formats_ = false;
  bool in_number_formats_ = false;
};

}  // namespace huiliu::formats
