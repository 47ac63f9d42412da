#include "domain/identifiers.h"

#include <algorithm>
#include <array>

#include "domain/utf8.h"

namespace huiliu::domain {
namespace {

constexpr std::uint8_t kNotUscc = 0x80;
// A value plus the carry has the bit exactly when it is no digit, that is 10 to 30.
constexpr std::uint32_t kLetterCarry = 22;
constexpr std::uint32_t kLetterBit = 32;
constexpr std::string_view kUsccAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY";
constexpr std::array<std::uint8_t, 256> kUsccValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNotUscc);
  std::uint8_t value = 0;
  for (const char c : kUsccAlphabet) values[static_cast<std::uint8_t>(c)] = value++;
  return values;
}();
constexpr std::size_t kUsccSize = 18;
constexpr std::array<std::uint32_t, kUsccSize> kUsccWeights = {1,  3,  9,  27, 19, 26, 16, 17, 20,
                                                               29, 25, 13, 8,  24, 10, 30, 28, 1};
constexpr std::array<std::uint32_t, 8> kOrgWeights = {3, 7, 9, 10, 5, 8, 4, 2};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool all_digits(std::string_view text) { return std::all_of(text.begin(), text.end(), is_digit); }
bool all_zeros(std::string_view text) {
  return text.find_first_not_of('0') == std::string_view::npos;
}

struct UsccSum {
  std::uint32_t sum = 0;      // divisible by 31 in a right code: the check digit counts once
  std::uint32_t charset = 0;  // kNotUscc set when a character is not in the alphabet
  bool region_numeric = false;
};

UsccSum sum_uscc(std::string_view code) {
  UsccSum result;
  std::uint32_t letters = 0;
#pragma GCC unroll 18
  for (std::size_t i = 0; i < kUsccSize; ++i) {
    const std::uint32_t value = kUsccValues[static_cast<std::uint8_t>(code[i])];
    result.sum += value * kUsccWeights[i];
    result.charset |= value;
    if (i >= 2 && i < 8) letters |= value + kLetterCarry;
  }
  result.charset &= kNotUscc;
  result.region_numeric = (letters & kLetterBit) == 0;
  return result;
}

std::string_view uscc_body_types(char department) {
  switch (department) {
    case '1':
    case 'N':
      return "1239";
    case '3':
    case '5':
      return "123459";
    case '6':
    case '7':
      return "129";
    case '2':
    case '4':
    case '8':
    case 'A':
      return "19";
    case '9':
      return "123";
    case 'Y':
      return "1";
    default:
      return "";
  }
}

}  // namespace

std::string_view name(CodeError error) {
  switch (error) {
    case CodeError::kOk:
      return "OK";
    case CodeError::kLength:
      return "LENGTH";
    case CodeError::kCharset:
      return "CHARSET";
    case CodeError::kCheck:
      return "CHECK";
    case CodeError::kHead:
      return "HEAD";
    case CodeError::kInnerCheck:
      return "INNER_CHECK";
    case CodeError::kRegionNotNumeric:
      return "REGION_NOT_NUMERIC";
    case CodeError::kBirthdate:
      return "BIRTHDATE";
    case CodeError::kBirthdateRange:
      return "BIRTHDATE_RANGE";
    case CodeError::kProvince:
      return "PROVINCE";
    case CodeError::kPrefix:
      return "PREFIX";
    case CodeError::kPattern:
      return "FORMAT";
    case CodeError::kNull:
      return "NULL";
    case CodeError::kDocumentType:
      return "DOCUMENT_TYPE";
  }
  return "UNKNOWN";
}

CodeError shape_error(std::string_view code, std::size_t characters) {
  return count_characters(code) == characters ? CodeError::kCharset : CodeError::kLength;
}

CodeError check_uscc(std::string_view code) {
  if (code.size() != kUsccSize) return shape_error(code, kUsccSize);
  const UsccSum result = sum_uscc(code);
  if (result.charset != 0) return shape_error(code, kUsccSize);
  if (!result.region_numeric) return CodeError::kRegionNotNumeric;
  if (result.sum % 31 != 0) return CodeError::kCheck;
  return result.sum == 0 ? CodeError::kNull : CodeError::kOk;
}

bool uscc_check_digit_ok(std::string_view code) {
  if (code.size() != kUsccSize) return false;
  const UsccSum result = sum_uscc(code);
  return result.charset == 0 && result.sum % 31 == 0;
}

bool uscc_head_known(std::string_view code) {
  return code.size() >= 2 && uscc_body_types(code[0]).find(code[1]) != std::string_view::npos;
}

CodeError uscc_warning(std::string_view code) {
  if (!uscc_head_known(code)) return CodeError::kHead;
  const bool inner_ok = check_org_code(org_code_of_uscc(code)) == CodeError::kOk;
  return inner_ok ? CodeError::kOk : CodeError::kInnerCheck;
}

std::string_view org_code_of_uscc(std::string_view code) {
  return code.size() == kUsccSize ? code.substr(8, 9) : std::string_view();
}

CodeError check_org_code(std::string_view code) {
  if (code.size() != 9) return shape_error(code, 9);
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    const bool letter = code[i] >= 'A' && code[i] <= 'Z';
    if (!letter && !is_digit(code[i])) return shape_error(code, 9);
    sum += static_cast<std::uint32_t>(code[i] - (letter ? 'A' - 10 : '0')) * kOrgWeights[i];
  }
  if (!is_digit(code[8]) && code[8] != 'X') return shape_error(code, 9);
  if (code[8] != "0X987654321"[sum % 11]) return CodeError::kCheck;
  return all_zeros(code) ? CodeError::kNull : CodeError::kOk;
}

CodeError check_registration_number(std::string_view code) {
  if (code.empty()) return CodeError::kLength;
  if (!all_digits(code)) return CodeError::kCharset;
  if (code.size() != 15 && code.size() != 13) return CodeError::kLength;
  if (all_zeros(code)) return CodeError::kNull;
  if (code.size() == 13) return CodeError::kOk;
  unsigned product = 10;
  for (const char c : code.substr(0, 14)) {
    const unsigned sum = (product + static_cast<unsigned>(c - '0')) % 10;
    product = (sum == 0 ? 10 : sum) * 2 % 11;
  }
  const unsigned check = (11 - product) % 10;
  return static_cast<unsigned>(code[14] - '0') == check ? CodeError::kOk : CodeError::kCheck;
}

bool is_legacy_registration_number(std::string_view code) {
  return code.size() == 13 && all_digits(code);
}

}  // namespace huiliu::domain
