#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

// Codes of organisations. Every function expects its input through normalise_code (domain/text.h)
// and never allocates. Codes of persons: domain/documents.h.
namespace huiliu::domain {

enum class CodeError : std::uint8_t {
  kOk,
  kLength,
  kCharset,
  kCheck,             // wrong check digit
  kHead,              // unknown department or body type of a credit code: a warning
  kInnerCheck,        // the organisation code within a credit code is wrong: a warning
  kRegionNotNumeric,  // digits 3 to 8 of a credit code
  kBirthdate,         // no such day
  kBirthdateRange,    // after `today` or before 1850
  kProvince,
  kPrefix,
  kPattern,       // named "FORMAT"
  kNull,          // all zeros: passes the sum, means "none"
  kDocumentType,  // not in the list of document types
};

// Stable name for receipts, such as "CHECK".
std::string_view name(CodeError error);

// kLength or kCharset, whichever text that is not `characters` ASCII bytes deserves.
CodeError shape_error(std::string_view code, std::size_t characters);

// Unified social credit code, GB 32100-2015. An unknown head is no error here, see uscc_warning;
// nor is a retired region, for the code stays when the region goes.
CodeError check_uscc(std::string_view code);
// Length, alphabet and check digit alone; fit for a first pass over bulk data.
bool uscc_check_digit_ok(std::string_view code);
// Registering department and body type (characters 1 and 2) are in the standard's list.
bool uscc_head_known(std::string_view code);
// kOk, kHead or kInnerCheck for a code that check_uscc accepts.
CodeError uscc_warning(std::string_view code);
// The organisation code in a credit code: characters 9 to 17. Empty when the length is not 18.
std::string_view org_code_of_uscc(std::string_view code);

// Organisation code, GB 11714-1997, 9 characters without hyphen.
CodeError check_org_code(std::string_view code);

// Business registration number: 15 digits with ISO 7064 MOD 11,10, or 13 digits (before 2007,
// without check digit).
CodeError check_registration_number(std::string_view code);
bool is_legacy_registration_number(std::string_view code);

}  // namespace huiliu::domain
