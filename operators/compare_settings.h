#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "operators/cleansing_steps.h"
#include "operators/condition.h"
#include "operators/version_state.h"
#include "runtime/component/operator.h"
#include "runtime/record/schema.h"

namespace huiliu::operators {

/// Fields that amendments (repairs, objections) set, and which rows are amendments.
struct AmendSettings {
  Condition when;                   ///< rows that amend a record instead of being a version of it
  std::vector<std::size_t> fields;  ///< set by amendments, for this version and all later ones
  Condition of;                     ///< records whose row is kept so that it can be sent again
};

/// What the config of a `compare` says, resolved against its input.
struct CompareSettings {
  runtime::Schema input, output;
  std::vector<std::string> key, content, content_before;  ///< as the config has them
  std::vector<bool> may_be_absent;                        ///< per key field
  std::vector<std::size_t> identity;  ///< fields; empty: the key alone names the record
  std::optional<std::size_t> name;    ///< output field that the record's identity goes to
  std::vector<bool> is_numbered;      ///< per identity: outputs have a number in its place
  CleansingStep identity_before = nullptr;
  std::vector<std::size_t> version;
  std::optional<std::size_t> source, owner;
  SourcePriority priority;
  Condition withdrawn;
  bool can_withdraw = false;
  // Fields whose values of the last version are remembered, each with what it is for.
  std::vector<std::size_t> remembered;
  std::vector<bool> is_place, is_counted, is_kept, is_first;  ///< per remembered field
  std::optional<AmendSettings> amend;
  std::size_t outcome = 0;        ///< output field
  runtime::Schema changes, left;  ///< schemas of these outputs

  StateShape shape() const;
  /// What the bytes of the table mean, for the state's layout.
  std::string layout() const;
  /// Whether a state with that layout is read rightly: the same but for the content, which is none
  /// that was said, or `content_before`.
  bool accepts(std::string_view layout) const;
  /// The same of its last part, " content=(...)".
  bool knows_content(std::string_view part) const;
  /// The number of a list of compared fields, whatever their order.
  std::uint8_t content_list(const std::vector<std::string>& fields) const;

  static CompareSettings parse(const runtime::Declaration& declaration);

 private:
  std::string described(std::vector<std::string> fields) const;
  std::string layout_but_content() const;
};

/// Options of the descriptor.
std::vector<runtime::Option> compare_options();

inline constexpr const char* kOutcomeField = "outcome";
using runtime::kChangeField;

}  // namespace huiliu::operators
