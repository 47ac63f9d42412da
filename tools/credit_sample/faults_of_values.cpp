#include "tools/credit_sample/clean_rows.h"
#include "tools/credit_sample/faults.h"

namespace huiliu::tools {
namespace {

using enum Field;

bool everywhere(const FileSpec&) { return true; }
bool with_category(const FileSpec& spec) { return spec.has(kCategory); }
bool with_region(const FileSpec& spec) { return spec.has(kRegion); }
bool with_fine(const FileSpec& spec) { return spec.has(kFine); }
bool with_documents(const FileSpec& spec) { return spec.has(kPersonDocumentType); }
bool with_act_table(const FileSpec& spec) { return !spec.is_list(); }
bool in_red_lists(const FileSpec& spec) { return spec.kind == RecordKind::kRedList; }

void no_content(RandomNumbers&, Row& row, const FileSpec&) { row[kContent].clear(); }
void no_document_no(RandomNumbers&, Row& row, const FileSpec&) { row[kDocumentNo].clear(); }
void no_authority(RandomNumbers&, Row& row, const FileSpec&) { row[kAuthority].clear(); }

void null_word_name(RandomNumbers& random, Row& row, const FileSpec&) {
  constexpr const char* kWords[] = {"无", "暂无", "N/A", "-", "ＮＵＬＬ", "不详"};
  row[kName] = random.pick(kWords);
}

void impossible_date(RandomNumbers& random, Row& row, const FileSpec&) {
  constexpr const char* kDates[] = {"2019-02-29", "2019年13月1日", "2019/04/31", "0000-00-00"};
  row[kDecidedOn] = random.pick(kDates);
}

void two_digit_year(RandomNumbers& random, Row& row, const FileSpec&) {
  constexpr const char* kDates[] = {"19-3-5", "19/03/05", "19年3月5日"};
  row[kDecidedOn] = random.pick(kDates);
}

void no_date(RandomNumbers& random, Row& row, const FileSpec&) {
  constexpr const char* kDates[] = {"2019年三季度", "见附件"};
  row[kDecidedOn] = random.pick(kDates);
}

void bad_amount(RandomNumbers&, Row& row, const FileSpec&) {
  set_fine(row, 2000);
  row[kFine] = "约两千元";
}

void unknown_subject_category(RandomNumbers&, Row& row, const FileSpec&) {
  row[kCategory] = "其他组织类型";
}

void unknown_act_category(RandomNumbers&, Row& row, const FileSpec& spec) {
  if (spec.kind == RecordKind::kPenalty) set_fine(row, 2000);
  row[kActCategory] = spec.kind == RecordKind::kPenalty ? "口头教育" : "备案通过";
}

void unknown_level(RandomNumbers&, Row& row, const FileSpec&) { row[kLevel] = "村级"; }
void unknown_region(RandomNumbers&, Row& row, const FileSpec&) { row[kRegion] = "350899"; }
void unknown_status(RandomNumbers&, Row& row, const FileSpec&) { row[kStatus] = "9"; }

void unknown_document_type(RandomNumbers&, Row& row, const FileSpec&) {
  row[kPersonDocumentType] = "学生证";
}

constexpr Fault kFaults[] = {
    {"missing_content", "E101_MISSING", Demand::kAny, everywhere, no_content},
    {"missing_document_no", "E101_MISSING", Demand::kAny, everywhere, no_document_no},
    {"missing_authority", "E101_MISSING", Demand::kAny, everywhere, no_authority},
    {"null_word_name", "E101_MISSING", Demand::kAny, everywhere, null_word_name},
    {"impossible_date", "E205_DATE_IMPOSSIBLE", Demand::kAny, everywhere, impossible_date},
    {"two_digit_year", "E206_DATE_AMBIGUOUS_YEAR", Demand::kAny, everywhere, two_digit_year},
    {"no_date", "E201_FORMAT", Demand::kAny, everywhere, no_date},
    {"bad_amount", "E208_AMOUNT_FORMAT", Demand::kAny, with_fine, bad_amount},
    {"unknown_subject_category", "E301_NOT_IN_TABLE", Demand::kAny, with_category,
     unknown_subject_category},
    {"unknown_act_category", "E301_NOT_IN_TABLE", Demand::kAny, with_act_table,
     unknown_act_category},
    {"unknown_level", "E301_NOT_IN_TABLE", Demand::kAny, in_red_lists, unknown_level},
    {"unknown_region", "E301_NOT_IN_TABLE", Demand::kAny, with_region, unknown_region},
    {"unknown_status", "E301_NOT_IN_TABLE", Demand::kAny, everywhere, unknown_status},
    {"unknown_document_type", "E301_NOT_IN_TABLE", Demand::kPersonWithIdCard, with_documents,
     unknown_document_type},
};

}  // namespace

std::span<const Fault> value_faults() { return kFaults; }

}  // namespace huiliu::tools
