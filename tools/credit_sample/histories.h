#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tools/credit_sample/faults.h"
#include "tools/credit_sample/file_spec.h"
#include "tools/credit_sample/random_numbers.h"
#include "tools/credit_sample/row.h"

namespace huiliu::tools {

// A row to be written, and what must come of it.
struct ExpectedRow {
  Row row;
  Outcome outcome = Outcome::kAccepted;
  std::string code;
  std::string fault = "none";
};

// Rows of one natural key: each relies on those before it.
using Sequence = std::vector<ExpectedRow>;

enum class Change { kNone, kRespelled, kContent, kWithdrawn, kListLeft };

struct Step {
  unsigned version;
  Change change;
  Outcome outcome;
};

// A life of one record within one file (domain page, §2.3).
struct History {
  const char* name;
  bool (*applies)(const FileSpec& spec);
  std::vector<Step> steps;
};

std::vector<const History*> histories_for(const FileSpec& spec);

Sequence play_history(RandomNumbers& random, const FileSpec& spec, std::size_t serial,
                      const History& history);

// What a file with spec.follow_up says about a canonical, accepted row of an earlier file.
Sequence follow_up(RandomNumbers& random, const FileSpec& spec, const Row& earlier);

}  // namespace huiliu::tools
