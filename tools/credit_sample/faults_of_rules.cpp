#include <chrono>

#include "tools/credit_sample/clean_rows.h"
#include "tools/credit_sample/departments.h"
#include "tools/credit_sample/faults.h"
#include "tools/credit_sample/spellings.h"
#include "tools/credit_sample/subjects.h"

namespace huiliu::tools {
namespace {

using enum Field;

bool everywhere(const FileSpec&) { return true; }
bool in_edition_2018(const FileSpec& spec) { return spec.edition == Edition::k2018; }
bool with_fine(const FileSpec& spec) { return spec.has(kFine); }
bool with_source(const FileSpec& spec) { return spec.has(kSourceCode); }

std::string days_after_decision(const Row& row, int days) {
  return date_text(row.decided_on + std::chrono::days(days), DateStyle::kSlashes);
}

void end_before_start(RandomNumbers&, Row& row, const FileSpec& spec) {
  switch (spec.kind) {
    case RecordKind::kLicence:
    case RecordKind::kRedList:
    case RecordKind::kPenalty:
      row[kValidTo] = days_after_decision(row, -100);
      break;
    case RecordKind::kBlackList:
      row[kStatus] = status_text(spec, true);
      row[kRemovalReason] = "已履行义务";
      row[kRemovedBy] = row[kAuthority];
      row[kRemovedOn] = days_after_decision(row, -100);
      break;
  }
}

// All dates move along, so that only their being in the future is wrong.
void decided_in_future(RandomNumbers&, Row& row, const FileSpec&) {
  row[kDecidedOn] = "2098/01/02";
  row[kValidFrom] = "2098/01/02";
  row[kValidTo] = "2099/12/31";
  if (!row[kPublishedUntil].empty()) row[kPublishedUntil] = "2099/01/02";
}

void person_without_document(RandomNumbers&, Row& row, const FileSpec&) {
  row[kPersonDocumentType].clear();
  row[kPersonDocumentNo].clear();
}

void person_with_uscc(RandomNumbers& random, Row& row, const FileSpec&) {
  row[kUscc] = draw_uscc(random, "91");
}

void household_as_organisation(RandomNumbers&, Row& row, const FileSpec&) {
  row[kCategory] = "法人及非法人组织";
}

void organisation_as_household(RandomNumbers& random, Row& row, const FileSpec&) {
  row[kUscc] = draw_uscc(random, "91");
  row[kOrganisationCode].clear();
  row[kTaxNo].clear();
  row[kCategory] = "个体工商户";
}

void fine_without_amount(RandomNumbers&, Row& row, const FileSpec&) {
  set_fine(row, 2000);
  row[kFine].clear();
}

void fine_of_zero(RandomNumbers&, Row& row, const FileSpec&) {
  set_fine(row, 2000);
  row[kContent] = "依法处以罚款";
  row[kFine] = "0.0";
}

void confiscation_without_amount(RandomNumbers&, Row& row, const FileSpec&) {
  set_fine(row, 2000);
  row[kActCategory] = "罚款;没收违法所得、没收非法财物";
}

// 通报批评 came with the law of 2021-07-15; a record is judged by the table of its decision day.
void category_before_its_law(RandomNumbers&, Row& row, const FileSpec& spec) {
  using namespace std::chrono;
  set_fine(row, 2000);
  row[kFine].clear();
  row[kContent] = row[kActCategory] = "通报批评";
  row.decided_on = sys_days(2020y / 3 / 5);
  row[kDecidedOn] = days_after_decision(row, 0);
  row[kValidTo] = days_after_decision(row, 365 * 3);
  row[kPublishedUntil].clear();
  set_version(row, spec, 1);
}

void not_registered_for_authority(RandomNumbers&, Row& row, const FileSpec& spec) {
  set_authority(row, spec.department == kLabour ? kHousing : kLabour);
}

constexpr Fault kFaults[] = {
    {"end_before_start", "E401_DATE_ORDER", Demand::kAny, in_edition_2018, end_before_start},
    {"decided_in_future", "E402_DATE_IN_FUTURE", Demand::kAny, everywhere, decided_in_future},
    {"person_without_document", "E403_PARTY_FIELDS", Demand::kPersonWithIdCard, in_edition_2018,
     person_without_document},
    {"person_with_uscc", "E403_PARTY_FIELDS", Demand::kPersonWithIdCard, in_edition_2018,
     person_with_uscc},
    {"household_as_organisation", "E405_USCC_CATEGORY", Demand::kHousehold, in_edition_2018,
     household_as_organisation},
    {"organisation_as_household", "E405_USCC_CATEGORY", Demand::kOrganisation, in_edition_2018,
     organisation_as_household},
    {"fine_without_amount", "E404_AMOUNT_REQUIRED", Demand::kAny, with_fine, fine_without_amount},
    {"fine_of_zero", "E404_AMOUNT_REQUIRED", Demand::kAny, with_fine, fine_of_zero},
    {"confiscation_without_amount", "E404_AMOUNT_REQUIRED", Demand::kAny, with_fine,
     confiscation_without_amount},
    {"category_before_its_law", "E301_NOT_IN_TABLE", Demand::kAny, with_fine,
     category_before_its_law},
    {"not_registered_for_authority", "E701_NOT_PERMITTED", Demand::kAny, with_source,
     not_registered_for_authority},
};

}  // namespace

std::span<const Fault> rule_faults() { return kFaults; }

}  // namespace huiliu::tools
