#pragma once

#include <string>
#include <string_view>

#include "domain/dates.h"
#include "domain/documents.h"
#include "domain/identifiers.h"
#include "domain/masking.h"
#include "domain/money.h"
#include "domain/names.h"
#include "domain/regions.h"
#include "domain/text.h"
#include "domain/utf8.h"
#include "domain/work_calendar.h"

// Arbitrary bytes through every function of the folder, for the robustness test and the fuzzer.
namespace huiliu::domain {

/// False if valid UTF-8 became invalid.
inline bool feed_texts(std::string_view in) {
  std::string out;
  bool valid = true;
  for (const auto function : {collapse_blanks, half_width_all, normalise_text, normalise_code,
                              normalise_name, name_key, normalise_docno, mask_id, mask_name}) {
    function(in, out);
    valid = valid && (is_valid_utf8(out) || !is_valid_utf8(in));
  }
  half_width_trim(in, out, true);
  half_width_trim(in, out, false);
  normalised_code(in, out);
  is_null_word(in);
  return valid;
}

inline void feed_parsers(std::string_view in) {
  Date date;
  char longer[18];
  parse_date_simple(in, date);
  parse_date(in);
  parse_wan(in);
  check_uscc(in);
  uscc_warning(in);
  check_org_code(in);
  check_registration_number(in);
  id15_to_id18(in, longer);
  id_card_check_digit_ok(in);
  for (int type = 0; type <= static_cast<int>(DocumentType::kOther); ++type) {
    check_document(static_cast<DocumentType>(type), in, 20260101);
  }
  check_passport_chinese(in);
  std::string error;
  RegionTable().load(in, error);
  WorkCalendar().load(in, error);
}

}  // namespace huiliu::domain
