#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/component/config.h"
#include "runtime/record/record.h"
#include "runtime/record/schema.h"

namespace re2 {
class RE2;
}

namespace huiliu::operators {

/// A test of one record's fields, written in YAML as a map whose entries must all hold:
///   field: value                 equal (absent is equal to nothing)
///   field: [value, value]        equal to one of them
///   field: {contains: word}      also not_contains, starts_with, matches (a regular expression for
///                                the whole text), not (value or list), less_than, more_than
///                                (numbers), present: true|false
///   present: field or [fields]   none of them is null or empty text
///   absent: field or [fields]    all of them are null or empty text
///   any: [conditions]            at least one holds
///   not: condition               does not hold
/// A list of conditions holds if all do. Evaluation neither allocates nor looks up names.
class Condition {
 public:
  /// A null node gives the condition that always holds. Mistakes are reported with their place.
  static Condition parse(const runtime::Config& node, const runtime::Schema& schema,
                         runtime::Diagnostics& diagnostics);

  bool holds(const runtime::Record& record) const;
  bool always() const { return tests_.empty() && groups_.empty(); }

  /// For the documentation of options that take a condition.
  static std::string_view doc();

 private:
  enum class Kind { kOneOf, kPresent, kContains, kStartsWith, kMatches, kLess, kMore };
  struct Test {
    std::size_t field = 0;
    Kind kind = Kind::kOneOf;
    bool negated = false;
    runtime::Type type = runtime::Type::kString;
    std::vector<std::string> words;
    std::vector<std::int64_t> integers;
    std::vector<double> reals;
    std::vector<std::shared_ptr<const re2::RE2>> patterns;
  };
  /// Alternatives, or one condition that must not hold.
  struct Group {
    std::vector<Condition> members;
    bool negated = false;
  };
  class Parser;

  static bool test_holds(const Test& test, const runtime::Value& value);
  static bool is_one_of(const Test& test, const runtime::Value& value);

  std::vector<Test> tests_;
  std::vector<Group> groups_;
};

/// Null, or text without a character.
inline bool is_blank(const runtime::Value& value, runtime::Type type) {
  return value.is_null() || (runtime::is_text(type) && value.text().empty());
}

}  // namespace huiliu::operators
