#pragma once

#include <array>
#include <bitset>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace huiliu::tools {

// What a value means; how a department calls it is in its layout.
enum class Field : std::uint8_t {
  kName,
  kCategory,
  kUscc,
  kRegistrationNo,
  kOrganisationCode,
  kTaxNo,
  kInstitutionNo,
  kSocietyNo,
  kRepresentative,
  kRepresentativeDocumentType,
  kRepresentativeDocumentNo,
  kPersonDocumentType,
  kPersonDocumentNo,
  kDocumentTitle,
  kDocumentNo,
  kActCategory,
  kSecondActCategory,
  kCertificate,
  kCertificateNo,
  kOffence,
  kFacts,
  kBasis,
  kContent,
  kFine,
  kConfiscated,
  kSuspended,
  kDecidedOn,
  kValidFrom,
  kValidTo,
  kPublishedUntil,
  kAuthority,
  kAuthorityCode,
  kStatus,
  kWithdrawalReason,
  kSource,
  kSourceCode,
  kRegion,
  kPublicationTerm,
  kLevel,
  kYear,
  kRemovalReason,
  kRemovedOn,
  kRemovedBy,
  kRemark,
  kVersion,
  kStamp,
  kCount,
};

inline constexpr auto kFieldCount = static_cast<std::size_t>(Field::kCount);

enum class Subject { kOrganisation, kHousehold, kPerson };

// What happens to the written row after its values are laid out.
enum class Damage { kNone, kTruncated, kMissingColumn, kExtraColumn, kBadBytes };

struct Row {
  std::array<std::string, kFieldCount> values;
  std::bitset<kFieldCount> numeric;  // cells of a workbook written as numbers
  Subject subject = Subject::kOrganisation;
  Damage damage = Damage::kNone;
  std::size_t authority = 0;  // index of departments()
  unsigned version = 1;
  std::chrono::sys_days decided_on;

  std::string& operator[](Field field) { return values[static_cast<std::size_t>(field)]; }
  const std::string& operator[](Field field) const {
    return values[static_cast<std::size_t>(field)];
  }
  void mark_numeric(Field field) { numeric.set(static_cast<std::size_t>(field)); }
};

}  // namespace huiliu::tools
