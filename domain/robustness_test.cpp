// Arbitrary bytes through every function: nothing to expect but that the sanitizers stay silent.
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "domain/dates.h"
#include "domain/documents.h"
#include "domain/masking.h"
#include "domain/money.h"
#include "domain/names.h"
#include "domain/regions.h"
#include "domain/text.h"
#include "domain/utf8.h"
#include "domain/work_calendar.h"

namespace huiliu::domain {
namespace {

void feed_texts(std::string_view in) {
  std::string out;
  for (const auto function : {collapse_blanks, half_width_all, normalise_text, normalise_code,
                              normalise_name, name_key, normalise_docno, mask_id, mask_name}) {
    function(in, out);
    EXPECT_TRUE(is_valid_utf8(out) || !is_valid_utf8(in));
  }
  half_width_trim(in, out, true);
  half_width_trim(in, out, false);
  normalised_code(in, out);
  is_null_word(in);
}

void feed_parsers(std::string_view in) {
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

TEST(Robustness, RandomBytesAreSafe) {
  const std::string_view pieces[] = {
      "\xE3\x80\x80", "\xE3\x80", "\xEF\xBC", "\xF0\x9F", "２", "0",  "19",    "2019", "年", "月",
      "日",           "-",        "/",        ".",        "元", "亿", "万",    "十",   "贰", "〔",
      "〕",           "（",       "第",       "号",       " ",  "X",  "35080", ",",    "\n", "•",
      "龙",           "A",        "99999999"};
  std::mt19937 random(11);
  for (int round = 0; round < 20000; ++round) {
    std::string in;
    for (auto n = random() % 20; n > 0; --n) {
      if (random() % 4 == 0) {
        in.push_back(static_cast<char>(random() % 256));
      } else {
        in += pieces[random() % std::size(pieces)];
      }
    }
    const std::vector<char> exact(in.begin(), in.end());  // a read past the end is seen
    feed_texts({exact.data(), exact.size()});
    feed_parsers({exact.data(), exact.size()});
  }
}

}  // namespace
}  // namespace huiliu::domain
