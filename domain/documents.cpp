#include "domain/documents.h"

#include <algorithm>
#include <array>
#include <utility>

#include "domain/dates.h"

namespace huiliu::domain {
namespace {

constexpr std::array<std::uint32_t, 17> kIdWeights = {7, 9, 10, 5,  8, 4, 2, 1, 6,
                                                      3, 7, 9,  10, 5, 8, 4, 2};
// Bit n: n is the province part of a region code.
constexpr std::array<bool, 100> kProvinces = [] {
  std::array<bool, 100> known{};
  for (const unsigned n :
       {11u, 12u, 13u, 14u, 15u, 21u, 22u, 23u, 31u, 32u, 33u, 34u, 35u, 36u, 37u, 41u, 42u, 43u,
        44u, 45u, 46u, 50u, 51u, 52u, 53u, 54u, 61u, 62u, 63u, 64u, 65u, 71u, 81u, 82u, 83u}) {
    known[n] = true;
  }
  return known;
}();

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return c >= 'A' && c <= 'Z'; }
bool is_series_letter(char c) { return is_letter(c) && c != 'I' && c != 'O'; }
bool all_digits(std::string_view text) { return std::all_of(text.begin(), text.end(), is_digit); }

int number(std::string_view digits) {
  int value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  return value;
}

// Requires 17 leading digits.
char id_check_char(std::string_view code) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < kIdWeights.size(); ++i) {
    sum += static_cast<std::uint32_t>(code[i] - '0') * kIdWeights[i];
  }
  return "10X98765432"[sum % 11];
}

bool has_id_shape(std::string_view code) {
  return code.size() == 18 && all_digits(code.substr(0, 17)) &&
         (is_digit(code[17]) || code[17] == 'X');
}

bool has_birthdate(std::string_view code) {
  const int year = number(code.substr(6, 4));
  return year > 0 && is_calendar_day(year, number(code.substr(10, 2)), number(code.substr(12, 2)));
}

CodeError check_id18(std::string_view code, int today) {
  if (!has_id_shape(code)) return shape_error(code, 18);
  if (!kProvinces[static_cast<std::size_t>(number(code.substr(0, 2)))]) return CodeError::kProvince;
  if (!has_birthdate(code)) return CodeError::kBirthdate;
  const int birth = number(code.substr(6, 8));
  if (birth > today || birth < 18500101) return CodeError::kBirthdateRange;
  return id_check_char(code) == code[17] ? CodeError::kOk : CodeError::kCheck;
}

CodeError pattern(bool matches) { return matches ? CodeError::kOk : CodeError::kPattern; }

// One of `leads`, then eight digits.
bool lead_and_8_digits(std::string_view code, std::string_view leads) {
  return code.size() == 9 && leads.find(code[0]) != std::string_view::npos &&
         all_digits(code.substr(1));
}

}  // namespace

CodeError check_id_card(std::string_view code, int today) {
  if (code.size() != 15) return check_id18(code, today);
  char longer[18];
  if (!id15_to_id18(code, longer)) return shape_error(code, 15);
  return check_id18({longer, sizeof longer}, today);
}

bool id_card_check_digit_ok(std::string_view code) {
  return has_id_shape(code) && id_check_char(code) == code[17];
}

bool id15_to_id18(std::string_view code, char (&out)[18]) {
  if (code.size() != 15 || !all_digits(code)) return false;
  const std::string_view sequence = code.substr(12);
  const bool born_in_1800s = sequence >= "996";
  std::copy_n(code.data(), 6, out);
  out[6] = '1';
  out[7] = born_in_1800s ? '8' : '9';
  std::copy_n(code.data() + 6, 9, out + 8);
  out[17] = id_check_char({out, 17});
  return true;
}

CodeError check_residence_permit(std::string_view code, int today) {
  const std::string_view region = code.substr(0, 6);
  if (region != "810000" && region != "820000" && region != "830000") return CodeError::kPrefix;
  return check_id18(code, today);
}

CodeError check_foreign_resident_card(std::string_view code) {
  const bool old = !code.empty() && is_letter(code[0]);
  return old ? check_foreign_resident_card_old(code) : check_foreign_resident_card_2023(code);
}

CodeError check_foreign_resident_card_2023(std::string_view code) {
  if (!has_id_shape(code)) return shape_error(code, 18);
  if (code[0] != '9') return CodeError::kCharset;
  if (!has_birthdate(code)) return CodeError::kBirthdate;
  return id_check_char(code) == code[17] ? CodeError::kOk : CodeError::kCheck;
}

CodeError check_foreign_resident_card_old(std::string_view code) {
  if (code.size() != 15 || !std::all_of(code.begin(), code.begin() + 3, is_letter) ||
      !all_digits(code.substr(3))) {
    return CodeError::kPattern;
  }
  constexpr std::array<int, 3> kWeights = {7, 3, 1};  // ICAO 9303
  int sum = 0;
  for (std::size_t i = 0; i < 14; ++i) {
    sum += (is_letter(code[i]) ? code[i] - 'A' + 10 : code[i] - '0') * kWeights[i % 3];
  }
  return code[14] - '0' == sum % 10 ? CodeError::kOk : CodeError::kCheck;
}

CodeError check_passport_chinese(std::string_view code) {
  if (lead_and_8_digits(code, "GEDSP")) return CodeError::kOk;
  if (code.size() != 9 || !all_digits(code.substr(2))) return CodeError::kPattern;
  const bool official = (code[0] == 'D' || code[0] == 'S' || code[0] == 'P') && code[1] == 'E';
  return pattern(official || (code[0] == 'E' && is_series_letter(code[1])));
}

CodeError check_passport_foreign(std::string_view code) {
  return pattern(
      code.size() >= 5 && code.size() <= 20 &&
      std::all_of(code.begin(), code.end(), [](char c) { return is_digit(c) || is_letter(c); }));
}

CodeError check_hk_macau_permit(std::string_view code) {
  const bool issue_digits = code.size() == 11 && all_digits(code.substr(9));
  return pattern((code.size() == 9 || issue_digits) && lead_and_8_digits(code.substr(0, 9), "HM"));
}

CodeError check_taiwan_permit(std::string_view code) {
  if (code.size() == 11 && is_letter(code[10]))
    code.remove_suffix(1);
  else if (code.size() != 8 && code.size() != 10)
    return CodeError::kPattern;
  return pattern(all_digits(code));
}

CodeError check_travel_to_hk_macau(std::string_view code) {
  const bool lettered =
      code.size() == 9 && code[0] == 'C' && is_series_letter(code[1]) && all_digits(code.substr(2));
  return pattern(lettered || lead_and_8_digits(code, "CW"));
}

CodeError check_travel_to_taiwan(std::string_view code) {
  return pattern(lead_and_8_digits(code, "LT"));
}

DocumentType document_type(std::string_view type) {
  using Entry = std::pair<std::string_view, DocumentType>;
  static constexpr auto kTypes = std::to_array<Entry>({
      {"身份证", DocumentType::kIdCard},
      {"居民身份证", DocumentType::kIdCard},
      {"护照号", DocumentType::kPassport},
      {"护照", DocumentType::kPassport},
      {"港澳居民来往内地通行证", DocumentType::kHkMacauPermit},
      {"台湾居民来往大陆通行证", DocumentType::kTaiwanPermit},
      {"外国人永久居留身份证", DocumentType::kForeignResidentCard},
      {"港澳台居民居住证", DocumentType::kResidencePermit},
      {"往来港澳通行证", DocumentType::kTravelToHkMacau},
      {"往来台湾通行证", DocumentType::kTravelToTaiwan},
  });
  const auto found = std::find_if(kTypes.begin(), kTypes.end(),
                                  [&](const Entry& entry) { return entry.first == type; });
  if (found != kTypes.end()) return found->second;
  return type.starts_with("其他") ? DocumentType::kOther : DocumentType::kUnknown;
}

CodeError check_document(std::string_view type, std::string_view number_text, int today) {
  return check_document(document_type(type), number_text, today);
}

CodeError check_document(DocumentType type, std::string_view number_text, int today) {
  switch (type) {
    case DocumentType::kIdCard:
      return check_id_card(number_text, today);
    case DocumentType::kPassport:
      return check_passport_foreign(number_text);
    case DocumentType::kHkMacauPermit:
      return check_hk_macau_permit(number_text);
    case DocumentType::kTaiwanPermit:
      return check_taiwan_permit(number_text);
    case DocumentType::kForeignResidentCard:
      return check_foreign_resident_card(number_text);
    case DocumentType::kResidencePermit:
      return check_residence_permit(number_text, today);
    case DocumentType::kTravelToHkMacau:
      return check_travel_to_hk_macau(number_text);
    case DocumentType::kTravelToTaiwan:
      return check_travel_to_taiwan(number_text);
    case DocumentType::kOther:
      return number_text.empty() ? CodeError::kLength : CodeError::kOk;
    case DocumentType::kUnknown:
      break;
  }
  return CodeError::kDocumentType;
}

}  // namespace huiliu::domain
