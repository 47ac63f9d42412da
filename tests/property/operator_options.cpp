#include "tests/property/operator_options.h"

#include <algorithm>
#include <functional>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace huiliu::property {
namespace {

using runtime::Schema;
using Text = std::optional<std::string>;

/// Draws fields of one stream.
class Fields {
 public:
  Fields(Random& drawing, const Schema& schema, const Schema& further)
      : random(drawing), second(further) {
    for (const runtime::Field& field : schema.fields()) {
      all.push_back(field.name);
      if (runtime::is_text(field.type)) texts.push_back(field.name);
      if (field.type == runtime::Type::kInt64) numbers.push_back(field.name);
    }
  }

  bool has(std::string_view name) const {
    return std::find(all.begin(), all.end(), name) != all.end();
  }
  std::string text() { return random.pick(texts); }
  /// Few values, so that keys meet again: those of the rows that have few, or any.
  std::string key() {
    std::vector<std::string> good;
    for (const char* name : {"dept", "kind", "id", "party_type", "outcome", "reject_code"}) {
      if (has(name)) good.emplace_back(name);
    }
    if (good.empty() || random.chance(15)) return random.pick(all);
    return random.pick(good);
  }
  std::string keys() {
    std::vector<std::string> keys = {key()};
    if (std::string more = key(); random.chance(50) && more != keys.front()) keys.push_back(more);
    return fmt::format("[{}]", fmt::join(keys, ", "));
  }
  /// A name that a later operator may know again, or a new one.
  std::string fresh() { return fmt::format("made{}", random.below(6)); }
  std::string condition();

  Random& random;
  const Schema& second;  ///< of operators with two inputs that differ
  std::vector<std::string> all, texts, numbers;
};

std::string Fields::condition() {
  if (has("kind") && random.chance(50)) return "{kind: [penalty, licence]}";
  if (!numbers.empty() && random.chance(30)) {
    return fmt::format("{{{}: {{more_than: {}}}}}", random.pick(numbers), random.below(300));
  }
  const std::string field = random.pick(all);
  return random.chance(50) ? fmt::format("{{present: [{}]}}", field)
                           : fmt::format("{{not: {{present: [{}]}}}}", field);
}

Text filter(Fields& fields) {
  const std::string otherwise = fields.random.chance(40) ? ", otherwise: reject" : "";
  if (fields.random.chance(20)) {
    return fmt::format("expression: \"{} ~= nil\"{}", fields.text(), otherwise);
  }
  return fmt::format("when: {}{}", fields.condition(), otherwise);
}

Text map(Fields& fields) {
  std::string options = fmt::format("set: {{{}: \"{{{}}}/{{{}}}\"}}", fields.fresh(), fields.key(),
                                    fields.random.pick(fields.all));
  if (!fields.numbers.empty() && fields.random.chance(40)) {
    const std::string number = fields.random.pick(fields.numbers);
    options += fmt::format(", derive: {{twice: {{expression: \"{} and {} * 2\", type: int64}}}}",
                           number, number);
  }
  if (fields.random.chance(20)) options += fmt::format(", drop: [{}]", fields.text());
  if (fields.random.chance(10)) {
    options += fmt::format(", rename: {{{}: {}}}", fields.text(), fields.fresh());
  }
  return options;
}

Text dedupe(Fields& fields) { return "key: " + fields.keys(); }

Text compare(Fields& fields) {
  Random& random = fields.random;
  std::string options = "key: " + fields.keys();
  if (random.chance(70)) {
    const bool number = !fields.numbers.empty() && random.chance(60);
    options += fmt::format(", version: [{}]",
                           number ? random.pick(fields.numbers) : random.pick(fields.all));
  }
  if (random.chance(50)) options += fmt::format(", source: {}", fields.text());
  if (fields.has("kind") && random.chance(50)) options += ", withdrawn: {kind: withdrawn}";
  if (fields.has("org_id") && fields.has("person_id") && random.chance(70)) {
    options += ", identity: [org_id, reg_id, person_id]";
    if (random.chance(50)) options += ", numbered: [person_id]";
  }
  for (const char* list : {"place", "changes", "keep", "first"}) {
    if (random.chance(25)) options += fmt::format(", {}: [{}]", list, fields.text());
  }
  if (fields.has("party_type") && fields.has("content") && random.chance(25)) {
    options += ", amend: {when: {party_type: other}, set: [content]}";
  }
  return options;
}

Text count(Fields& fields) {
  std::string options = "key: " + fields.keys();
  if (!fields.numbers.empty() && fields.random.chance(50)) {
    options += ", sum: " + fields.random.pick(fields.numbers);
  }
  if (fields.random.chance(25)) options += ", retract: " + fields.condition();
  if (fields.random.chance(30)) options += fmt::format(", where: {{some: {}}}", fields.condition());
  return options;
}

Text window_count(Fields& fields) {
  const std::vector<std::string> lengths = {"7ms", "20ms", "50ms", "300ms"};
  return fmt::format("key: {}, window: {}", fields.keys(), fields.random.pick(lengths));
}

Text normalise(Fields& fields) {
  Random& random = fields.random;
  const std::vector<std::string> kinds = {"text", "code",     "name",
                                          "date", "name_key", "date_simple"};
  std::string field = fields.text();
  if (fields.has("decided_at") && random.chance(40)) field = "decided_at";
  std::string one = fmt::format("field: {}, as: {}", field, random.pick(kinds));
  if (random.chance(30)) one += ", into: " + fields.fresh();
  if (random.chance(20)) one += ", synonyms: synonyms.csv, unknown: absent";
  return fmt::format("fields: [{{{}}}]{}", one, random.chance(30) ? ", on_failure: carry" : "");
}

Text validate(Fields& fields) {
  Random& random = fields.random;
  std::vector<std::string> rules = {
      fmt::format("{{id: there, check: required, field: {}, severity: {}}}", fields.text(),
                  random.chance(50) ? "warn" : "reject")};
  if (fields.has("uscc")) {
    rules.push_back("{id: uscc, check: uscc, field: uscc, when: {party_type: legal}}");
  }
  if (fields.has("kind")) {
    rules.push_back("{id: kind, check: table, field: kind, table: kinds.csv, severity: warn}");
  }
  rules.push_back(
      fmt::format("{{id: short, check: max_length, field: {}, length: 8}}", fields.text()));
  std::rotate(rules.begin(), rules.begin() + static_cast<long>(random.below(rules.size())),
              rules.end());
  rules.resize(1 + random.below(rules.size()));
  return fmt::format("version: 1, rules: [{}]", fmt::join(rules, ", "));
}

Text mask(Fields& fields) {
  return fmt::format("keep: [{}], whole: [{}]", fields.text(), fields.text());
}

Text origin(Fields& fields) { return fields.random.chance(50) ? "channels: channels.csv" : ""; }

Text script(Fields& fields) {
  const std::string seen = fields.random.pick(fields.all);
  return fmt::format(
      "sets: {{{0}: string}}, code: \"if {1} == nil then {2} end {0} = 'seen'\"", fields.fresh(),
      seen, fields.random.chance(50) ? "return false" : "reject('E900_NONE', 'none', '无', 'x')");
}

Text classify(Fields& fields) {
  const std::vector<std::string> unmatched = {"reject", "emit", "drop"};
  return fmt::format(
      "rules: [{{when: {}, set: {{class: \"{{{}}}\"}}, to: left}}, {{when: {}, to: main}}], "
      "unmatched: {}",
      fields.condition(), fields.key(), fields.condition(), fields.random.pick(unmatched));
}

Text decide(Fields& fields) {
  if (!fields.has("kind") || !fields.has("decided_at") || !fields.has("content")) return {};
  return "table: terms.csv, date: decided_at, match: {kind: kind, words: {contains: content}, "
         "least: {at_least: " +
         fields.text() +
         "}}, set: {class: class}, add_months: {ends: {to: decided_at, months: months}}";
}

Text identify(Fields& fields) {
  if (!fields.has("uscc") || !fields.has("id_no") || !fields.has("doc_name")) return {};
  return "uscc: uscc, document_type: doc_name, document_no: id_no";
}

Text working_days(Fields& fields) {
  if (!fields.has("updated_at") || !fields.has("decided_at")) return {};
  return "field: updated_at, after: decided_at, days: 7, table: workdays.csv";
}

Text refused(Fields& fields) {
  return fmt::format("key: {}, outcome: {}, code: {}, rule: {}", fields.keys(), fields.text(),
                     fields.text(), fields.text());
}

Text entry(Fields&) { return ""; }

Text join(Fields& fields) {
  Fields table(fields.random, fields.second, fields.second);
  if (table.texts.empty()) return {};
  std::string options = fmt::format("key: [{}], table_key: [{}], take: {{{}: {}}}", fields.key(),
                                    table.key(), fields.fresh(), fields.random.pick(table.all));
  if (fields.random.chance(30)) options += ", deleted: " + table.condition();
  return options;
}

}  // namespace

std::optional<std::string> draw_options(Random& random, const std::string& type,
                                        const Schema& input, const Schema& second, bool& known) {
  static const std::map<std::string, std::function<Text(Fields&)>> all = {
      {"filter", filter},       {"map", map},           {"dedupe", dedupe},
      {"compare", compare},     {"count", count},       {"window_count", window_count},
      {"normalise", normalise}, {"validate", validate}, {"mask", mask},
      {"origin", origin},       {"script", script},     {"classify", classify},
      {"decide", decide},       {"identify", identify}, {"working_days", working_days},
      {"refused", refused},     {"entry", entry},       {"join", join}};
  const auto found = all.find(type);
  known = found != all.end();
  Fields fields(random, input, second);
  if (!known || fields.texts.empty()) return std::nullopt;
  return found->second(fields);
}

}  // namespace huiliu::property
