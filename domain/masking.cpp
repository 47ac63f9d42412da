#include "domain/masking.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "domain/documents.h"
#include "domain/identifiers.h"
#include "domain/utf8.h"

namespace huiliu::domain {
namespace {

constexpr std::size_t kLong = 18, kShort = 15;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

int number(std::string_view digits) {
  int value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  return value;
}

bool is_province(std::string_view code) {
  const int province = number(code.substr(0, 2));
  return province >= 11 && province <= 83;
}

bool is_month_and_day(std::string_view digits) {
  const int month = number(digits.substr(0, 2)), day = number(digits.substr(2, 2));
  return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/// `code` begins with 17 digits and one more character at least.
bool is_long_number(std::string_view code, Certainty certainty) {
  const char last = code[17] == 'x' ? 'X' : code[17];
  if (!is_digit(last) && last != 'X') return false;
  const int year = number(code.substr(6, 4));
  if (!is_province(code) || year < 1850 || year >= 2100) return false;
  if (!is_month_and_day(code.substr(10, 4))) return false;
  std::array<char, kLong> upper{};
  std::copy_n(code.data(), kLong, upper.data());
  upper[17] = last;
  const std::string_view whole(upper.data(), kLong);
  if (check_uscc(whole) == CodeError::kOk) return false;
  return certainty == Certainty::kLikely || id_card_check_digit_ok(whole);
}

bool is_short_number(std::string_view code) {
  return is_province(code) && is_month_and_day(code.substr(8, 4)) &&
         check_registration_number(code) != CodeError::kOk;
}

/// A digit at `at`, in either width, and how many bytes it has; 0 if there is none.
std::size_t digit_at(std::string_view text, std::size_t at, char& digit) {
  if (is_digit(text[at])) {
    digit = text[at];
    return 1;
  }
  // U+FF10 to U+FF19.
  if (text.size() - at < 3 || text[at] != '\xEF' || text[at + 1] != '\xBC') return 0;
  const auto low = static_cast<unsigned char>(text[at + 2]);
  if (low < 0x90 || low > 0x99) return 0;
  digit = static_cast<char>('0' + low - 0x90);
  return 3;
}

/// The x or X of a check digit, in either width.
std::size_t letter_x_at(std::string_view text, std::size_t at) {
  if (at >= text.size()) return 0;
  if (text[at] == 'X' || text[at] == 'x') return 1;
  const std::string_view wide = text.substr(at, 3);
  return wide == "Ｘ" || wide == "ｘ" ? 3 : 0;
}

/// A run of digits of either width, and where each begins in the text.
struct Run {
  std::string digits;
  std::vector<std::size_t> begins;  // one more: the end
  std::size_t end = 0;
};

bool read_run(std::string_view text, std::size_t from, Run& run) {
  run.digits.clear();
  run.begins.clear();
  std::size_t at = from;
  while (at < text.size()) {
    char digit = 0;
    const std::size_t size = digit_at(text, at, digit);
    if (size == 0) break;
    run.digits += digit;
    run.begins.push_back(at);
    at += size;
  }
  run.end = at;
  if (const std::size_t size = letter_x_at(text, at); size != 0 && run.digits.size() >= kLong - 1) {
    run.digits += 'X';
    run.begins.push_back(at);
    run.end = at + size;
  }
  run.begins.push_back(run.end);
  return run.digits.size() >= kShort;
}

/// Writes the run with what is a citizen's number in it masked; false if nothing is.
bool mask_run(const Run& run, std::string_view text, bool beside_word, Certainty certainty,
              std::string& out) {
  const std::string_view digits = run.digits;
  std::string masked;
  bool found = false;
  std::size_t done = 0;
  const auto keep = [&](std::size_t until) {
    out.append(text.substr(run.begins[done], run.begins[until] - run.begins[done]));
    done = until;
  };
  const auto mask = [&](std::size_t at, std::size_t size) {
    keep(at);
    mask_id(digits.substr(at, size), masked);
    out += masked;
    done = at + size;
    found = true;
  };
  for (std::size_t at = 0; at + kLong <= digits.size();) {
    const std::string_view code = digits.substr(at, kLong);
    const bool all = std::all_of(code.begin(), code.end() - 1, is_digit);
    if (all && is_long_number(code, certainty)) {
      mask(at, kLong);
      at += kLong;
    } else {
      ++at;
    }
  }
  const bool short_ones = certainty == Certainty::kLikely || beside_word;
  if (!found && short_ones && digits.size() == kShort && is_short_number(digits)) mask(0, kShort);
  if (found) keep(digits.size());
  return found;
}

bool has_long_run(std::string_view text) {
  // A run of 15 digits has one at every place that is a multiple of 15.
  for (std::size_t at = kShort - 1; at < text.size(); at += kShort) {
    if (is_digit(text[at])) {
      std::size_t from = at, to = at + 1;
      while (from > 0 && is_digit(text[from - 1])) --from;
      while (to < text.size() && is_digit(text[to])) ++to;
      if (to - from >= kShort) return true;
    }
  }
  // Full-width digits are three bytes each, the first of them this one.
  return text.size() >= 3 * kShort && text.find("\xEF\xBC") != std::string_view::npos;
}

}  // namespace

std::string_view mask_citizen_numbers(std::string_view in, Certainty certainty, std::string& out) {
  if (in.size() < kShort || !has_long_run(in)) return in;
  out.clear();
  Run run;
  bool found = false;
  const bool beside_word = in.find("身份证") != std::string_view::npos;
  for (std::size_t at = 0; at < in.size();) {
    // A digit of either width; \xEF also begins other characters, which are no run.
    const std::size_t next = std::min(in.find_first_of("0123456789\xEF", at), in.size());
    out.append(in.substr(at, next - at));
    at = next;
    if (at == in.size()) break;
    if (read_run(in, at, run) && mask_run(run, in, beside_word, certainty, out)) {
      found = true;
    } else {
      if (run.end == at) run.end = at + 1;
      out.append(in.substr(at, run.end - at));
    }
    at = run.end;
  }
  return found ? std::string_view(out) : in;
}

void mask_id(std::string_view in, std::string& out) {
  out.clear();
  const bool ascii = std::none_of(in.begin(), in.end(),
                                  [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  if (in.size() < 15 || !ascii) {  // no cut through a character
    out.assign(count_characters(in), '*');
    return;
  }
  out.append(in, 0, 6).append(in.size() - 10, '*').append(in.substr(in.size() - 4));
}

void mask_name(std::string_view in, std::string& out) {
  out.clear();
  if (in.empty()) return;
  const std::size_t first = decode_utf8(in, 0).size;
  out.append(in, 0, first).append(count_characters(in.substr(first)), '*');
}

}  // namespace huiliu::domain
