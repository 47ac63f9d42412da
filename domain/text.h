#pragma once

#include <string>
#include <string_view>

// Cleansing of cell text. All input is UTF-8; malformed bytes pass through unchanged. Functions
// with `out` clear it first and must not be given a view of it; those with `scratch` return a view
// of `in` when nothing has to change, else of `scratch`. A blank is ' ', tab, CR, LF or U+3000.
namespace huiliu::domain {

// Without the blanks at both ends.
std::string_view trim(std::string_view in);

// Each run of blanks becomes one ' '; none is left at the ends.
void collapse_blanks(std::string_view in, std::string& out);

// Full-width ASCII (U+FF01 to U+FF5E) to ASCII and U+3000 to ' '; nothing else changes.
void half_width_all(std::string_view in, std::string& out);

// half_width_all and trim, with `collapse` also collapse_blanks. The hot path of the cleansing
// operators: text that needs no change is scanned eight bytes a step and never copied.
std::string_view half_width_trim(std::string_view in, std::string& scratch, bool collapse);
// True when half_width_trim would return `in` less its outer blanks.
bool is_half_width(std::string_view in, bool collapse);

// Free text: zero-width characters go, no-break and ideographic blanks become ' ', full-width
// letters and digits (no punctuation: that is Chinese) become ASCII, blanks collapse.
void normalise_text(std::string_view in, std::string& out);

// Codes: all full-width ASCII becomes ASCII, letters upper-case; white space, zero-width
// characters, hyphens and dashes, '_', '.' and U+00B7 go.
void normalise_code(std::string_view in, std::string& out);
// As normalise_code, without a copy when the code is digits and upper-case letters already.
std::string_view normalised_code(std::string_view in, std::string& scratch);

// Words clerks type for "no value": 无, 不详, N/A, NULL, -, 0, five or more 0 or X, ... The empty
// and the blank text count. Such a word must never become a match key.
bool is_null_word(std::string_view in);

}  // namespace huiliu::domain
