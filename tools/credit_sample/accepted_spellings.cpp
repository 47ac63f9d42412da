#include <cstdio>

#include "tools/credit_sample/clean_rows.h"
#include "tools/credit_sample/faults.h"
#include "tools/credit_sample/spellings.h"
#include "tools/credit_sample/subjects.h"

namespace huiliu::tools {
namespace {

using enum Field;

bool everywhere(const FileSpec&) { return true; }
bool in_csv(const FileSpec& spec) { return spec.is_csv(); }
bool with_category(const FileSpec& spec) { return spec.has(kCategory); }
bool with_fine(const FileSpec& spec) { return spec.has(kFine); }
bool in_licences(const FileSpec& spec) { return spec.kind == RecordKind::kLicence; }

template <DateStyle kStyle>
void date_style(RandomNumbers&, Row& row, const FileSpec&) {
  respell_dates(row, kStyle);
}

template <DocumentStyle kStyle>
void document_style(RandomNumbers&, Row& row, const FileSpec&) {
  row[kDocumentNo] = respelled_document_no(row[kDocumentNo], kStyle);
}

void full_width_uscc(RandomNumbers&, Row& row, const FileSpec&) {
  row[kUscc] = full_width(row[kUscc]);
}

void blanks_in_uscc(RandomNumbers&, Row& row, const FileSpec&) {
  std::string& code = row[kUscc];
  code = " " + code.substr(0, 8) + " " + code.substr(8, 8) + "-" + code.substr(16) + "　";
}

void full_width_id_card(RandomNumbers&, Row& row, const FileSpec&) {
  row[kPersonDocumentNo] = full_width(row[kPersonDocumentNo]);
}

void id_card_of_15_digits(RandomNumbers&, Row& row, const FileSpec&) {
  row[kPersonDocumentNo].erase(17).erase(6, 2);
}

void organisation_code_with_hyphen(RandomNumbers&, Row& row, const FileSpec&) {
  row[kOrganisationCode] = row[kUscc].substr(8, 9).insert(8, "-");
}

void null_words_in_optional_codes(RandomNumbers&, Row& row, const FileSpec&) {
  row[kRegistrationNo] = "无";
  row[kTaxNo] = "000000000000000000";
  row[kOrganisationCode] = "/";
}

void ascii_brackets_in_name(RandomNumbers&, Row& row, const FileSpec&) {
  row[kName] = "龙岩市ＡＢＣ 贸易(集团)有限公司";
}

void category_synonym(RandomNumbers&, Row& row, const FileSpec&) {
  const bool organisation = row.subject == Subject::kOrganisation;
  if (organisation) row[kCategory] = "企业";
  if (row.subject == Subject::kHousehold) row[kCategory] = "个体户";
}

void long_term(RandomNumbers&, Row& row, const FileSpec&) { row[kValidTo] = "长期"; }

void amount_in_yuan(RandomNumbers&, Row& row, const FileSpec&) {
  set_fine(row, 2000);
  row[kFine] = "2000元";
}

void amount_with_commas(RandomNumbers&, Row& row, const FileSpec&) {
  set_fine(row, 23400);
  row[kFine] = fine_with_commas(23400);
}

void amount_in_capitals(RandomNumbers& random, Row& row, const FileSpec&) {
  const auto yuan = static_cast<unsigned>(100 * (1 + random.below(5000)));
  set_fine(row, yuan);
  row[kFine] = fine_in_capitals(yuan);
}

void amount_in_wan(RandomNumbers&, Row& row, const FileSpec&) {
  set_fine(row, 15000);
  row[kFine] = "¥1.5万元";
}

// 20,000 yuan in a column of ten thousands: suspicious, a warning, yet accepted.
void unit_suspect(RandomNumbers&, Row& row, const FileSpec&) {
  set_fine(row, 20000);
  row[kFine] = "20000";
}

void quoted_remark(RandomNumbers&, Row& row, const FileSpec&) {
  row[kRemark] = "补正材料，含逗号,引号\"及换行\n第二行";
}

constexpr Fault kSpellings[] = {
    {"date_slashes", "", Demand::kAny, everywhere, date_style<DateStyle::kSlashes>},
    {"date_short", "", Demand::kAny, everywhere, date_style<DateStyle::kShort>},
    {"date_digits", "", Demand::kAny, everywhere, date_style<DateStyle::kDigits>},
    {"date_chinese", "", Demand::kAny, everywhere, date_style<DateStyle::kChinese>},
    {"date_chinese_numerals", "", Demand::kAny, everywhere,
     date_style<DateStyle::kChineseNumerals>},
    {"date_serial", "", Demand::kAny, everywhere, date_style<DateStyle::kSerial>},
    {"date_epoch_ms", "", Demand::kAny, everywhere, date_style<DateStyle::kEpochMs>},
    {"date_timestamp", "", Demand::kAny, everywhere, date_style<DateStyle::kTimestamp>},
    {"date_offset", "", Demand::kAny, everywhere, date_style<DateStyle::kOffset>},
    {"date_full_width", "", Demand::kAny, everywhere, date_style<DateStyle::kFullWidth>},
    {"document_square", "", Demand::kAny, everywhere, document_style<DocumentStyle::kSquare>},
    {"document_padded", "", Demand::kAny, everywhere, document_style<DocumentStyle::kRoundPadded>},
    {"document_blanks", "", Demand::kAny, everywhere, document_style<DocumentStyle::kBlackBlanks>},
    {"document_full_width", "", Demand::kAny, everywhere,
     document_style<DocumentStyle::kFullWidth>},
    {"document_with_year", "", Demand::kAny, everywhere,
     document_style<DocumentStyle::kRoundWithYear>},
    {"uscc_full_width", "", Demand::kOrganisation, everywhere, full_width_uscc},
    {"uscc_blanks", "", Demand::kOrganisation, everywhere, blanks_in_uscc},
    {"id_card_full_width", "", Demand::kPersonWithIdCard, everywhere, full_width_id_card},
    {"id_card_15_digits", "", Demand::kPersonWithIdCard, everywhere, id_card_of_15_digits},
    {"organisation_code_hyphen", "", Demand::kOrganisation, everywhere,
     organisation_code_with_hyphen},
    {"null_words_optional", "", Demand::kOrganisation, everywhere, null_words_in_optional_codes},
    {"name_brackets", "", Demand::kOrganisation, everywhere, ascii_brackets_in_name},
    {"category_synonym", "", Demand::kOrganisation, with_category, category_synonym},
    {"category_synonym_household", "", Demand::kHousehold, with_category, category_synonym},
    {"long_term", "", Demand::kAny, in_licences, long_term},
    {"amount_yuan", "", Demand::kAny, with_fine, amount_in_yuan},
    {"amount_commas", "", Demand::kAny, with_fine, amount_with_commas},
    {"amount_capitals", "", Demand::kAny, with_fine, amount_in_capitals},
    {"amount_wan", "", Demand::kAny, with_fine, amount_in_wan},
    {"unit_suspect", "", Demand::kAny, with_fine, unit_suspect},
    {"quoted_remark", "", Demand::kAny, in_csv, quoted_remark},
};

}  // namespace

std::span<const Fault> accepted_spellings() { return kSpellings; }

}  // namespace huiliu::tools
