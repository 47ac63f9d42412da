#pragma once

#include <string>
#include <string_view>

// Whom a row is about: one text for each of the codes and numbers that a body or a person may be
// known by. Input through normalise_code. `out` is cleared first; it stays empty when the code
// leads to nobody.
namespace huiliu::domain {

// "org:" and the organisation code, which is characters 9 to 17 of a credit code (GB 32100) and
// characters 7 to 15 of an old tax number; a tax number of 18 characters is a credit code.
void org_identity_of_uscc(std::string_view uscc, std::string& out);
void org_identity_of_org_code(std::string_view org_code, std::string& out);
void org_identity_of_tax_no(std::string_view tax_no, std::string& out);

// The organisation code in an old tax number, "" if there is none.
std::string_view org_code_of_tax_no(std::string_view tax_no);

// "TYPE:NUMBER" with the form of the number that does not change: 18 digits of a citizen's, a
// permit's without its issue number.
void person_identity(std::string_view document_type, std::string_view number, std::string& out);

// The identity for what was the key of a subject until 2026.1: a bare credit code, "org:CODE",
// "reg:NUMBER" or "TYPE:NUMBER".
void identity_of_subject_key(std::string_view key, std::string& out);

}  // namespace huiliu::domain
