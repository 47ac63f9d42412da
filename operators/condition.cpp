#include "operators/condition.h"

#include <charconv>

#include <fmt/format.h>
#include <re2/re2.h>

#include "operators/field_names.h"

namespace huiliu::operators {

using runtime::Config;
using runtime::Diagnostics;
using runtime::Record;
using runtime::Schema;
using runtime::Type;
using runtime::Value;

std::string_view Condition::doc() {
  return "A condition: a map whose entries must all hold. `field: value`, `field: [values]`, "
         "`field: {contains|not_contains|starts_with|matches|not|less_than|more_than|present: "
         "...}` (`matches` is a regular expression of RE2 for the whole text), "
         "`present: [fields]`, `absent: [fields]`, `any: [conditions]`, `not: condition`.";
}

class Condition::Parser {
 public:
  Parser(const Schema& schema, Diagnostics& diagnostics)
      : schema_(schema), diagnostics_(diagnostics) {}

  void parse(const Config& node, Condition& into) {
    if (node.is_null()) return;
    if (node.is_list()) {
      for (const Config& item : node.items()) parse(item, into);
      return;
    }
    if (!node.is_map()) {
      diagnostics_.error(node.place(), "expected a condition: a map of fields and values",
                         "for example {kind: penalty}");
      return;
    }
    for (const auto& [key, value] : node.entries()) {
      parse_entry(node.key_place(key), key, value, into);
    }
  }

 private:
  void parse_entry(const runtime::Place& place, const std::string& key, const Config& value,
                   Condition& into) {
    const bool is_field = schema_.index_of(key).has_value();
    if (!is_field && (key == "present" || key == "absent")) {
      for (std::size_t field : find_fields(value, schema_, diagnostics_)) {
        add(into, field, Kind::kPresent, key == "absent");
      }
    } else if (!is_field && key == "any") {
      Group& group = into.groups_.emplace_back();
      for (const Config* item : items_of(value)) parse(*item, group.members.emplace_back());
    } else if (!is_field && key == "not") {
      Group& group = into.groups_.emplace_back();
      group.negated = true;
      parse(value, group.members.emplace_back());
    } else {
      const std::size_t field = find_field(Config::scalar(key, place), schema_, diagnostics_);
      if (schema_.width() > 0) parse_field(field, value, into);
    }
  }

  void parse_field(std::size_t field, const Config& value, Condition& into) {
    if (!value.is_map()) {
      Test& test = add(into, field, Kind::kOneOf, false);
      for (const Config* item : items_of(value)) add_value(test, *item);
      if (value.is_null()) diagnostics_.error(value.place(), "expected a value to compare with");
      return;
    }
    for (const auto& [word, operand] : value.entries()) {
      parse_comparison(field, value.key_place(word), word, operand, into);
    }
  }

  void parse_comparison(std::size_t field, const runtime::Place& place, const std::string& word,
                        const Config& operand, Condition& into) {
    static const std::vector<std::string> words = {"contains",  "not_contains", "starts_with",
                                                   "matches",   "not",          "less_than",
                                                   "more_than", "present"};
    const std::size_t index =
        find_word(Config::scalar(word, place), "comparison", words, diagnostics_);
    if (index == words.size()) return;
    if (word == "present") {
      if (operand.is_scalar() && (operand.text() == "true" || operand.text() == "false")) {
        add(into, field, Kind::kPresent, operand.text() == "false");
      } else {
        diagnostics_.error(operand.place(), "expected true or false");
      }
      return;
    }
    static constexpr Kind kinds[] = {Kind::kContains, Kind::kContains, Kind::kStartsWith,
                                     Kind::kMatches,  Kind::kOneOf,    Kind::kLess,
                                     Kind::kMore};
    constexpr std::size_t kTextWords = 4;
    Test& test = add(into, field, kinds[index], word == "not" || word == "not_contains");
    if (index < kTextWords && !runtime::is_text(test.type)) {
      diagnostics_.error(place, fmt::format("'{}' needs a field of text, '{}' is {}", word,
                                            schema_[field].name, runtime::type_name(test.type)));
    }
    for (const Config* item : items_of(operand)) {
      test.kind == Kind::kMatches ? add_pattern(test, *item) : add_value(test, *item);
    }
    if (operand.is_null()) diagnostics_.error(place, "expected a value to compare with");
  }

  void add_pattern(Test& test, const Config& node) {
    RE2::Options options(RE2::Quiet);
    auto pattern = std::make_shared<const RE2>(node.is_scalar() ? node.text() : "", options);
    if (!node.is_scalar() || !pattern->ok()) {
      diagnostics_.error(node.place(), "expected a regular expression of RE2", pattern->error());
    }
    test.patterns.push_back(std::move(pattern));
  }

  Test& add(Condition& into, std::size_t field, Kind kind, bool negated) {
    Test& test = into.tests_.emplace_back();
    test.field = field;
    test.kind = kind;
    test.negated = negated;
    test.type = schema_.width() > 0 ? schema_[field].type : Type::kString;
    return test;
  }

  void add_value(Test& test, const Config& node) {
    if (!node.is_scalar()) {
      diagnostics_.error(node.place(), "expected a value to compare with");
      return;
    }
    const std::string& text = node.text();
    if (runtime::is_text(test.type)) {
      test.words.push_back(text);
    } else if (test.type == Type::kBool && (text == "true" || text == "false")) {
      test.integers.push_back(text == "true" ? 1 : 0);
    } else if (test.type == Type::kFloat64) {
      add_number(test.reals, node, test.type);
    } else {
      add_number(test.integers, node, test.type);
    }
  }

  template <class Number>
  void add_number(std::vector<Number>& into, const Config& node, Type type) {
    const std::string& text = node.text();
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || type == Type::kBool) {
      diagnostics_.error(node.place(), fmt::format("'{}' cannot equal a field of type {}", text,
                                                   runtime::type_name(type)));
    }
    into.push_back(number);
  }

  const Schema& schema_;
  Diagnostics& diagnostics_;
};

Condition Condition::parse(const Config& node, const Schema& schema, Diagnostics& diagnostics) {
  Condition condition;
  Parser(schema, diagnostics).parse(node, condition);
  return condition;
}

bool Condition::is_one_of(const Test& test, const Value& value) {
  if (runtime::is_text(test.type)) {
    const std::string_view text = value.text();
    for (const std::string& word : test.words) {
      if (text == word) return true;
    }
    return false;
  }
  for (std::int64_t integer : test.integers) {
    if (value.integer() == integer) return true;
  }
  for (double real : test.reals) {
    if (value.real() == real) return true;
  }
  return false;
}

bool Condition::test_holds(const Test& test, const Value& value) {
  if (test.kind == Kind::kPresent) return !is_blank(value, test.type) != test.negated;
  if (value.is_null()) return test.negated;
  bool found = false;
  switch (test.kind) {
    case Kind::kOneOf:
      found = is_one_of(test, value);
      break;
    case Kind::kContains:
      for (const std::string& word : test.words) {
        found = found || value.text().find(word) != std::string_view::npos;
      }
      break;
    case Kind::kStartsWith:
      for (const std::string& word : test.words) found = found || value.text().starts_with(word);
      break;
    case Kind::kMatches:
      for (const auto& pattern : test.patterns) {
        const std::string_view text = value.text();
        found = found || RE2::FullMatch(re2::StringPiece(text.data(), text.size()), *pattern);
      }
      break;
    case Kind::kLess:
      for (std::int64_t bound : test.integers) found = found || value.integer() < bound;
      for (double bound : test.reals) found = found || value.real() < bound;
      for (const std::string& bound : test.words) found = found || value.text() < bound;
      break;
    case Kind::kMore:
      for (std::int64_t bound : test.integers) found = found || value.integer() > bound;
      for (double bound : test.reals) found = found || value.real() > bound;
      for (const std::string& bound : test.words) found = found || value.text() > bound;
      break;
    case Kind::kPresent:
      break;
  }
  return found != test.negated;
}

bool Condition::holds(const Record& record) const {
  for (const Test& test : tests_) {
    if (!test_holds(test, record[test.field])) return false;
  }
  for (const Group& group : groups_) {
    bool any = false;
    for (const Condition& member : group.members) any = any || member.holds(record);
    if (any == group.negated) return false;
  }
  return true;
}

}  // namespace huiliu::operators
