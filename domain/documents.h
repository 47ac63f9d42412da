#pragma once

#include <cstdint>
#include <string_view>

#include "domain/identifiers.h"

// Numbers of personal documents, input through normalise_code. `today` is yyyymmdd and bounds
// birth dates.
namespace huiliu::domain {

// Citizen identification number, GB 11643-1999; the 15-digit form is judged by its 18-digit form.
// The region is not looked up: it is where the number was issued, at best a warning.
CodeError check_id_card(std::string_view code, int today);
// Length, digits and check digit of the 18-digit form alone.
bool id_card_check_digit_ok(std::string_view code);
// Sequence 996 to 999 marks a birth in the 1800s. False, and `out` unspecified, unless `code` is 15
// digits.
bool id15_to_id18(std::string_view code, char (&out)[18]);

// 港澳台居民居住证: shape of the ID card, region 810000, 820000 or 830000.
CodeError check_residence_permit(std::string_view code, int today);
// 外国人永久居留身份证: of 2023 (18 characters, leading 9), or old (3 letters, 12 digits).
CodeError check_foreign_resident_card(std::string_view code);
CodeError check_foreign_resident_card_2023(std::string_view code);
CodeError check_foreign_resident_card_old(std::string_view code);

// The rest are patterns without check digit: kOk or kPattern.
CodeError check_passport_chinese(std::string_view code);
CodeError check_passport_foreign(std::string_view code);    // any state's; the Chinese ones too
CodeError check_hk_macau_permit(std::string_view code);     // 港澳居民来往内地通行证
CodeError check_taiwan_permit(std::string_view code);       // 台湾居民来往大陆通行证
CodeError check_travel_to_hk_macau(std::string_view code);  // 往来港澳通行证
CodeError check_travel_to_taiwan(std::string_view code);    // 往来台湾通行证

enum class DocumentType : std::uint8_t {
  kUnknown,
  kIdCard,
  kPassport,
  kHkMacauPermit,
  kTaiwanPermit,
  kForeignResidentCard,
  kResidencePermit,
  kTravelToHkMacau,
  kTravelToTaiwan,
  kOther  // 其他-…, any number
};

// By the names of the national 证件类型 list and the usual variants of them.
DocumentType document_type(std::string_view type);
// kDocumentType when the type is not in the list. 护照号 may be any state's passport.
CodeError check_document(std::string_view type, std::string_view number, int today);
CodeError check_document(DocumentType type, std::string_view number, int today);

}  // namespace huiliu::domain
