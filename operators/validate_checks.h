#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/component/config.h"
#include "runtime/record/record.h"
#include "runtime/record/schema.h"

namespace huiliu::operators {

/// What a check found wrong. All views are literals or live as long as the check.
struct Finding {
  std::string_view code;
  std::string_view message_en;
  std::string_view message_zh;
  std::size_t field = 0;                  ///< the field at fault
  std::optional<std::size_t> other = {};  ///< of two that do not go together, the other one
};

/// One test of a record. Belongs to one operator, allocates nothing while it runs.
class Check {
 public:
  virtual ~Check() = default;
  /// Null if the record passes; the finding lives until the next call.
  virtual const Finding* run(const runtime::Record& record, runtime::Clock* clock) = 0;
};

/// Keys that a rule may have for its check, besides those of every rule.
const std::vector<std::string>& check_keys_of_rules();
const std::vector<std::string>& check_names();
std::string checks_doc();

/// Makes the check that `rule["check"]` names; null after reporting what is wrong.
std::unique_ptr<Check> make_check(const runtime::Config& rule, const runtime::Schema& schema,
                                  runtime::Diagnostics& diagnostics);

}  // namespace huiliu::operators
