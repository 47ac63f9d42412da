#include <algorithm>
#include <string>

#include "tools/credit_sample/check_digits.h"
#include "tools/credit_sample/faults.h"
#include "tools/credit_sample/subjects.h"

namespace huiliu::tools {
namespace {

using enum Field;

bool everywhere(const FileSpec&) { return true; }
bool in_edition_2018(const FileSpec& spec) { return spec.edition == Edition::k2018; }
bool in_workbooks(const FileSpec& spec) { return spec.format == Format::kXlsx; }

// Another character of `alphabet` in place of the last one.
void spoil_check(RandomNumbers& random, std::string& code, std::string_view alphabet) {
  const std::size_t right = alphabet.find(code.back());
  code.back() = alphabet[(right + 1 + random.below(alphabet.size() - 1)) % alphabet.size()];
}

void spoil_uscc(RandomNumbers& random, Row& row, const FileSpec&) {
  spoil_check(random, row[kUscc], kUsccAlphabet);
}

// The old code inside the valid credit code stays right: only the column of its own is wrong.
void spoil_organisation_code(RandomNumbers& random, Row& row, const FileSpec&) {
  row[kOrganisationCode] = row[kUscc].substr(8, 9);
  spoil_check(random, row[kOrganisationCode], "0123456789X");
}

void spoil_registration_no(RandomNumbers& random, Row& row, const FileSpec&) {
  row[kRegistrationNo] = "35080010000001";
  row[kRegistrationNo] += registration_check(row[kRegistrationNo]);
  spoil_check(random, row[kRegistrationNo], "0123456789");
}

void spoil_id_card(RandomNumbers& random, Row& row, const FileSpec&) {
  spoil_check(random, row[kPersonDocumentNo], "0123456789X");
}

void impossible_birth(RandomNumbers& random, Row& row, const FileSpec&) {
  constexpr const char* kBirths[] = {"19050230", "19071301", "19010431"};
  row[kPersonDocumentNo] = id_card("350802", random.pick(kBirths), 11);
}

void short_uscc(RandomNumbers&, Row& row, const FileSpec&) { row[kUscc].pop_back(); }

void long_uscc(RandomNumbers&, Row& row, const FileSpec&) { row[kUscc] += '3'; }

// The region digits always hold a zero.
void letter_in_uscc(RandomNumbers& random, Row& row, const FileSpec&) {
  const char letter = random.below(2) != 0 ? 'O' : 'Z';
  row[kUscc][row[kUscc].find('0')] = letter;
}

void bad_passport(RandomNumbers&, Row& row, const FileSpec&) {
  row[kPersonDocumentType] = "护照号";
  row[kPersonDocumentNo] = "EI1234567";
}

// A spreadsheet keeps 15 digits of such a number; the rest of the code is lost.
void uscc_as_number(RandomNumbers& random, Row& row, const FileSpec&) {
  const auto has_letter = [&] {
    return std::ranges::any_of(row[kUscc], [](char c) { return c > '9'; });
  };
  do {
    std::string organisation = "4" + std::to_string(9'000'000 + random.below(1'000'000));
    organisation += organisation_check(organisation);
    row[kUscc] = "91350800" + organisation;
    if (!has_letter()) row[kUscc] += uscc_check(row[kUscc]);
  } while (has_letter());
  row.mark_numeric(kUscc);
}

void id_card_as_number(RandomNumbers& random, Row& row, const FileSpec&) {
  while (row[kPersonDocumentNo].back() == 'X') row[kPersonDocumentNo] = draw_id_card(random);
  row.mark_numeric(kPersonDocumentNo);
}

// Without a code: accepted with a warning. The codes beside the credit code are optional, and a
// passport that no Chinese one is may be another state's.
constexpr Fault kFaults[] = {
    {"uscc_check", "E202_CHECK_DIGIT", Demand::kOrganisation, everywhere, spoil_uscc},
    {"organisation_code_check", "", Demand::kOrganisation, everywhere, spoil_organisation_code},
    {"registration_no_check", "", Demand::kOrganisation, everywhere, spoil_registration_no},
    {"id_card_check", "E202_CHECK_DIGIT", Demand::kPersonWithIdCard, everywhere, spoil_id_card},
    {"id_card_birthdate", "E209_BIRTHDATE", Demand::kPersonWithIdCard, everywhere,
     impossible_birth},
    {"uscc_too_short", "E203_LENGTH", Demand::kOrganisation, everywhere, short_uscc},
    {"uscc_too_long", "E203_LENGTH", Demand::kOrganisation, everywhere, long_uscc},
    {"uscc_letter", "E204_CHARSET", Demand::kOrganisation, everywhere, letter_in_uscc},
    {"passport_foreign", "", Demand::kPersonWithIdCard, in_edition_2018, bad_passport},
    {"uscc_as_number", "E207_CODE_AS_NUMBER", Demand::kOrganisation, in_workbooks, uscc_as_number},
    {"id_card_as_number", "E207_CODE_AS_NUMBER", Demand::kPersonWithIdCard, in_workbooks,
     id_card_as_number},
};

}  // namespace

std::span<const Fault> identifier_faults() { return kFaults; }

}  // namespace huiliu::tools
