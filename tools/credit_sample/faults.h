#pragma once

#include <span>
#include <vector>

#include "tools/credit_sample/file_spec.h"
#include "tools/credit_sample/random_numbers.h"
#include "tools/credit_sample/row.h"

namespace huiliu::tools {

enum class Outcome {
  kAccepted,
  kRejected,
  kDuplicate,
  kUpdated,
  kStale,
  kConflict,
  kWithdrawn,
  kReactivated,
};

const char* outcome_name(Outcome outcome);

// Subject a clean row must have before the fault is put in.
enum class Demand { kAny, kOrganisation, kHousehold, kPersonWithIdCard };

// One deviation from a clean row, and what must come of it. `code` is empty when it is accepted.
struct Fault {
  const char* name;
  const char* code;
  Demand demand;
  bool (*applies)(const FileSpec& spec);
  void (*apply)(RandomNumbers& random, Row& row, const FileSpec& spec);

  Outcome outcome() const { return *code == '\0' ? Outcome::kAccepted : Outcome::kRejected; }
};

std::span<const Fault> identifier_faults();
std::span<const Fault> value_faults();
std::span<const Fault> rule_faults();
std::span<const Fault> file_faults();
std::span<const Fault> accepted_spellings();

// Those of all groups which can happen in `spec`.
std::vector<const Fault*> faults_for(const FileSpec& spec);

Row draw_faulty_row(RandomNumbers& random, const FileSpec& spec, std::size_t serial,
                    const Fault& fault);

}  // namespace huiliu::tools
