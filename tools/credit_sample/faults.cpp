#include "tools/credit_sample/faults.h"

#include "tools/credit_sample/clean_rows.h"
#include "tools/credit_sample/subjects.h"

namespace huiliu::tools {

const char* outcome_name(Outcome outcome) {
  switch (outcome) {
    case Outcome::kAccepted:
      return "ACCEPTED";
    case Outcome::kRejected:
      return "REJECTED";
    case Outcome::kDuplicate:
      return "DUPLICATE";
    case Outcome::kUpdated:
      return "UPDATED";
    case Outcome::kStale:
      return "STALE";
    case Outcome::kConflict:
      return "CONFLICT";
    case Outcome::kWithdrawn:
      return "WITHDRAWN";
    case Outcome::kReactivated:
      return "REACTIVATED";
  }
  return "";
}

std::vector<const Fault*> faults_for(const FileSpec& spec) {
  std::vector<const Fault*> applicable;
  if (spec.follow_up != FollowUp::kNone) return applicable;
  for (const auto group :
       {identifier_faults(), value_faults(), rule_faults(), file_faults(), accepted_spellings()}) {
    for (const Fault& fault : group) {
      if (fault.applies(spec)) applicable.push_back(&fault);
    }
  }
  return applicable;
}

Row draw_faulty_row(RandomNumbers& random, const FileSpec& spec, std::size_t serial,
                    const Fault& fault) {
  Subject subject = draw_subject_kind(random);
  if (fault.demand == Demand::kOrganisation) subject = Subject::kOrganisation;
  if (fault.demand == Demand::kHousehold) subject = Subject::kHousehold;
  if (fault.demand == Demand::kPersonWithIdCard) subject = Subject::kPerson;
  Row row = draw_clean_row(random, spec, serial, subject);
  if (fault.demand == Demand::kPersonWithIdCard) {
    row[Field::kPersonDocumentType] = "身份证";
    row[Field::kPersonDocumentNo] = draw_id_card(random);
  }
  fault.apply(random, row, spec);
  return row;
}

}  // namespace huiliu::tools
