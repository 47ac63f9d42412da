#include "domain/subjects.h"

#include <algorithm>

#include "domain/documents.h"
#include "domain/identifiers.h"

namespace huiliu::domain {
namespace {

constexpr std::size_t kUsccSize = 18, kOrgSize = 9, kRegionSize = 6;

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

void put_org(std::string_view org_code, std::string& out) { out.assign("org:").append(org_code); }

std::string_view lasting_number(DocumentType type, std::string_view number, char (&longer)[18]) {
  switch (type) {
    case DocumentType::kIdCard:
      return id15_to_id18(number, longer) ? std::string_view(longer, sizeof longer) : number;
    case DocumentType::kHkMacauPermit:
      // One letter and eight digits are the holder's for life; two digits count the issues.
      return number.substr(0, 9);
    case DocumentType::kTaiwanPermit:
      return number.size() > 8 && all_digits(number.substr(0, 8)) ? number.substr(0, 8) : number;
    default:
      return number;
  }
}

}  // namespace

void org_identity_of_uscc(std::string_view uscc, std::string& out) {
  out.clear();
  if (uscc.size() == kUsccSize) put_org(org_code_of_uscc(uscc), out);
}

void org_identity_of_org_code(std::string_view org_code, std::string& out) {
  out.clear();
  if (org_code.size() == kOrgSize) put_org(org_code, out);
}

std::string_view org_code_of_tax_no(std::string_view tax_no) {
  if (tax_no.size() == kUsccSize && uscc_check_digit_ok(tax_no)) return org_code_of_uscc(tax_no);
  if (tax_no.size() != kRegionSize + kOrgSize || !all_digits(tax_no.substr(0, kRegionSize))) {
    return {};
  }
  const std::string_view org_code = tax_no.substr(kRegionSize);
  // A household's number of 15 digits is its owner's old identity number.
  return check_org_code(org_code) == CodeError::kOk ? org_code : std::string_view();
}

void org_identity_of_tax_no(std::string_view tax_no, std::string& out) {
  out.clear();
  const std::string_view org_code = org_code_of_tax_no(tax_no);
  if (!org_code.empty()) put_org(org_code, out);
}

void person_identity(std::string_view document_type_name, std::string_view number,
                     std::string& out) {
  out.clear();
  if (number.empty() || document_type_name.empty()) return;
  const DocumentType type = document_type(document_type_name);
  char longer[18];
  out.append(type == DocumentType::kIdCard ? std::string_view("身份证") : document_type_name);
  out.push_back(':');
  out.append(lasting_number(type, number, longer));
}

void identity_of_subject_key(std::string_view key, std::string& out) {
  if (key.starts_with("org:") || key.starts_with("reg:")) {
    out.assign(key);
    return;
  }
  const std::size_t colon = key.find(':');
  if (colon != std::string_view::npos) {
    return person_identity(key.substr(0, colon), key.substr(colon + 1), out);
  }
  org_identity_of_uscc(key, out);
  if (out.empty()) out.assign(key);
}

}  // namespace huiliu::domain
