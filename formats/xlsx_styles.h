#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "formats/xml_pull.h"

namespace huiliu::formats {

enum class DateSystem : std::uint8_t { k1900, k1904 };

// What a number format makes of a cell's number.
struct NumberFormat {
  enum class Kind : std::uint8_t {
    kGeneral,   // the number itself
    kDate,      // a day
    kDateTime,  // a day and a time
    kTime,      // a time of day
    kElapsed,   // hours and minutes that run on, [h]:mm
    kZeros      // digits in places, 00000 or 000-0000
  };
  Kind kind = Kind::kGeneral;
  std::string pattern;  // kZeros: the text shown, a NUL where a digit goes

  bool is_time() const { return kind != Kind::kGeneral && kind != Kind::kZeros; }
};

// The built-in formats (ECMA-376 part 1, 18.8.30, with the Chinese, Japanese and Korean ones).
NumberFormat::Kind builtin_format(std::uint32_t format_id);

// Reads the first section of a format code: that of positive numbers.
NumberFormat parse_format_code(std::string_view code);

// Appends yyyy-mm-dd, yyyy-mm-dd hh:mm:ss[.fff], hh:mm:ss or h:mm:ss for a serial day number, as
// `kind` says. False, and nothing appended, when the serial is no such moment: negative, past
// 9999-12-31, for days below 1 or the inexistent 1900-02-29 (60) of 1900.
bool append_serial(double serial, DateSystem system, NumberFormat::Kind kind, std::string& output);

// The digits of a whole number, in the places of a pattern of kZeros.
std::string fill_zeros(std::string_view pattern, std::string_view whole);

// How cells of each style show their numbers: from the styles part, or as the records of an old
// workbook say one by one.
class XlsxStyles : public XmlHandler {
 public:
  const NumberFormat& format(std::uint32_t style) const;

  // The next style shows numbers by that format.
  void add_style(std::uint32_t format_id) { cell_formats_.push_back(format_id); }
  void add_format(std::uint32_t format_id, std::string_view code) {
    own_[format_id] = parse_format_code(code);
  }

  void on_start(std::string_view name, const XmlAttributes& attributes) override;
  void on_end(std::string_view name) override;
  void on_text(std::string_view text) override;

 private:
  std::vector<std::uint32_t> cell_formats_;              // style index to number format id
  std::unordered_map<std::uint32_t, NumberFormat> own_;  // formats the file defines itself
  bool in_cell_formats_ = false;
  bool in_number_formats_ = false;
};

}  // namespace huiliu::formats
