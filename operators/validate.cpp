#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "domain/masking.h"
#include "operators/code_table.h"
#include "operators/condition.h"
#include "operators/faults.h"
#include "operators/field_names.h"
#include "operators/validate_checks.h"
#include "runtime/component/registry.h"

namespace huiliu::operators {
namespace {

using runtime::Config;
using runtime::Declaration;
using runtime::Diagnostics;
using runtime::OptionType;
using runtime::Outputs;
using runtime::Record;
using runtime::Schema;
using runtime::Type;
using runtime::Value;

/// What rules of severity `warn` say: codes, then texts.
constexpr std::string_view kWarningFields[] = {"warnings", "warnings_en", "warnings_zh"};

struct Rule {
  std::string name;  // id@version
  Condition when;
  std::unique_ptr<Check> check;
  std::string code, message_en, message_zh;  // empty: the check's own
  bool warns = false;
  bool personal = false;
  bool clears = false;            ///< a warning also empties the field
  std::optional<std::size_t> at;  ///< the field at fault, if it is not the check's own
};

struct Rules {
  std::vector<Rule> rules;
  bool warn = false;
};

void parse_rule(const Config& node, const std::string& version, const Schema& input, Rules& into,
                Diagnostics& diagnostics) {
  if (!node.is_map()) {
    diagnostics.error(node.place(), "expected a rule: a map with id, check, field");
    return;
  }
  std::vector<std::string> keys = {"id",         "check",      "when",     "code",
                                   "message_en", "message_zh", "severity", "personal",
                                   "clear",      "at",         "basis",    "since"};
  keys.insert(keys.end(), check_keys_of_rules().begin(), check_keys_of_rules().end());
  check_keys(node, keys, diagnostics);
  Rule rule;
  if (!node["id"].is_scalar()) diagnostics.error(node.place(), "a rule needs an `id`");
  rule.name = fmt::format("{}@{}", node["id"].text(), version);
  for (const Rule& other : into.rules) {
    if (other.name == rule.name) {
      diagnostics.error(node["id"].place(), fmt::format("the rule '{}' is there twice", rule.name));
    }
  }
  rule.when = Condition::parse(node["when"], input, diagnostics);
  rule.check = make_check(node, input, diagnostics);
  rule.code = node.string_or("code", "");
  rule.message_en = node.string_or("message_en", "");
  rule.message_zh = node.string_or("message_zh", "");
  rule.personal = node.bool_or("personal", false);
  if (node.has("severity")) {
    rule.warns = find_word(node["severity"], "severity", {"reject", "warn"}, diagnostics) == 1;
  }
  rule.clears = node.bool_or("clear", false);
  if (node.has("at")) rule.at = find_field(node["at"], input, diagnostics);
  if (rule.clears && !rule.warns) {
    diagnostics.error(node["clear"].place(), "`clear: true` goes with `severity: warn`");
  }
  into.warn = into.warn || rule.warns;
  into.rules.push_back(std::move(rule));
}

Rules parse(const Config& config, const Schema& input, Diagnostics& diagnostics) {
  Rules result;
  // A list of rules, one file of them, or a list of files (maps with version and rules).
  std::vector<std::pair<const Config*, std::string>> found;
  const std::string version = config.string_or("version", "1");
  for (const Config* node : items_of(config["rules"])) {
    if (!node->is_map() || !node->has("rules")) {
      found.emplace_back(node, version);
      continue;
    }
    check_keys(*node, {"version", "rules", "description", "basis", "since"}, diagnostics);
    for (const Config* rule : items_of((*node)["rules"])) {
      found.emplace_back(rule, node->string_or("version", version));
    }
  }
  for (const auto& [node, rule_version] : found) {
    parse_rule(*node, rule_version, input, result, diagnostics);
  }
  if (found.empty()) diagnostics.error(config["rules"].place(), "expected at least one rule");
  return result;
}

/// Where the names of columns stand, as departments know them.
struct Headings {
  SynonymTable table;
  std::optional<std::size_t> by;  ///< field that chooses among several names
};

std::optional<Headings> parse_headings(const Config& config, const Schema& input,
                                       Diagnostics& diagnostics) {
  const Config& node = config["headings"];
  if (!node.is_map()) return {};
  Headings headings;
  headings.table = SynonymTable::load(node["table"], diagnostics);
  if (node.has("by")) headings.by = find_text_field(node["by"], input, diagnostics);
  return headings;
}

class Validate final : public runtime::Operator {
 public:
  Validate(Rules rules, std::optional<Headings> headings, Schema input)
      : rules_(std::move(rules)), headings_(std::move(headings)), input_(std::move(input)) {
    carried_ = input_.index_of(kWarningFields[0]).has_value();
    Schema output = input_;
    if (rules_.warn) {
      for (std::size_t i = 0; i < std::size(kWarningFields); ++i) {
        fields_[i] = output.add(kWarningFields[i], Type::kString);
      }
    } else if (carried_) {
      fields_[0] = *input_.index_of(kWarningFields[0]);
    }
    width_ = output.width();
  }

  runtime::Status open(runtime::OperatorContext& context) override {
    clock_ = &context.clock();
    return runtime::Status::ok();
  }

  void process(std::size_t /*input*/, Record& record, Outputs& out) override {
    std::string_view before;
    if (carried_) before = record[fields_[0]].text();
    bool warned = false;
    if (before.starts_with('[')) [[unlikely]] {
      warned = take_carried(before);
      before = {};
    }
    for (const Rule& rule : rules_.rules) {
      if (!rule.when.holds(record)) continue;
      const Finding* const found = rule.check->run(record, clock_);
      if (found == nullptr) continue;
      Finding finding = *found;
      if (rule.at) finding.field = *rule.at;
      if (!rule.warns) {
        note(rule, finding, record);
        continue;
      }
      // What is said of a field that is at fault anyhow would only confuse.
      if (has_fault(faults_, input_[finding.field].name)) continue;
      if (!warned) warnings_.clear();
      warned = true;
      if (has_fault(warnings_, input_[finding.field].name)) continue;
      warnings_.push_back(fault_of(rule, finding, record));
      if (rule.clears) record[finding.field] = Value();
    }
    if (!faults_.empty()) return refuse(record, out);
    if (rules_.warn || carried_) write_warnings(before, warned, record, out);
    out.emit(record);
  }

 private:
  static std::string_view chosen(const std::string& configured, std::string_view own) {
    return configured.empty() ? own : std::string_view(configured);
  }

  /// What a step before handed on; true if there are warnings among it.
  bool take_carried(std::string_view json) {
    warnings_.clear();
    for (Fault& fault : faults_from_json(json)) {
      (fault.warns ? warnings_ : faults_).push_back(std::move(fault));
    }
    return !warnings_.empty();
  }

  Fault fault_of(const Rule& rule, const Finding& finding, const Record& record) {
    const std::string& field = input_[finding.field].name;
    std::string value = text_of(record[finding.field], input_[finding.field].type);
    if (rule.personal) {
      domain::mask_id(value, masked_);
      value = masked_;
    }
    return {.field = field,
            .heading = {},
            .code = std::string(chosen(rule.code, finding.code)),
            .value = std::move(value),
            .rule = rule.name,
            .message_en = std::string(chosen(rule.message_en, finding.message_en)),
            .message_zh = std::string(chosen(rule.message_zh, finding.message_zh))};
  }

  void note(const Rule& rule, const Finding& finding, const Record& record) {
    if (has_fault(faults_, input_[finding.field].name)) return;
    // A field that does not go together with two others is the one that is wrong: said once.
    if (finding.other && std::count(others_.begin(), others_.end(), *finding.other) > 0) return;
    if (finding.other) others_.push_back(*finding.other);
    faults_.push_back(fault_of(rule, finding, record));
  }

  void add_headings(const Record& record, Faults& faults) const {
    if (!headings_) return;
    const std::string_view kind =
        headings_->by ? record[*headings_->by].text() : std::string_view{};
    for (Fault& fault : faults) {
      if (const std::string* heading = headings_->table.find(fault.field, kind)) {
        fault.heading = *heading;
      }
    }
  }

  void refuse(Record& record, Outputs& out) {
    add_headings(record, faults_);
    if (carried_) record[fields_[0]] = Value();
    const auto lasting = [&out](const std::string& text) { return out.arena().copy(text); };
    const Fault& first = faults_.front();
    const runtime::Reject reject = {.code = lasting(first.code),
                                    .field = lasting(first.field),
                                    .value = lasting(first.value),
                                    .rule = lasting(first.rule),
                                    .message_en = lasting(faults_text(faults_, false)),
                                    .message_zh = lasting(faults_text(faults_, true)),
                                    .faults = lasting(faults_to_json(faults_))};
    faults_.clear();
    others_.clear();
    out.reject(record, reject);
  }

  // Codes, and what they mean in English and in Chinese.
  void write_warnings(std::string_view before, bool warned, Record& record, Outputs& out) {
    for (std::size_t i = input_.width(); i < width_; ++i) record[i] = Value();
    record.width = static_cast<std::uint32_t>(width_);
    if (carried_) record[fields_[0]] = before.empty() ? Value() : Value::of_text(before);
    if (!warned) return;
    add_headings(record, warnings_);
    codes_.assign(before);
    for (const Fault& warning : warnings_) {
      if (!codes_.empty()) codes_ += ';';
      codes_ += warning_code(warning.code);
    }
    record[fields_[0]] = Value::of_text(out.arena().copy(codes_));
    join(record[fields_[1]], "; ", faults_text(warnings_, false), out);
    join(record[fields_[2]], "；", faults_text(warnings_, true), out);
  }

  static void join(Value& into, std::string_view between, std::string text, Outputs& out) {
    if (!into.text().empty()) text = std::string(into.text()).append(between).append(text);
    into = Value::of_text(out.arena().copy(text));
  }

  static std::string text_of(const Value& value, Type type) {
    if (value.is_null()) return {};
    if (runtime::is_text(type)) return std::string(value.text());
    if (type == Type::kBool) return value.boolean() ? "true" : "false";
    return type == Type::kFloat64 ? fmt::format("{}", value.real())
                                  : fmt::format("{}", value.integer());
  }

  Rules rules_;
  std::optional<Headings> headings_;
  Schema input_;
  std::size_t fields_[std::size(kWarningFields)] = {};
  std::size_t width_ = 0;  ///< of the output
  bool carried_ = false;   ///< the input has warnings, or faults that an operator handed on
  runtime::Clock* clock_ = nullptr;
  Faults faults_, warnings_;
  std::vector<std::size_t> others_;  ///< the other fields of faults of two
  std::string codes_, masked_;
};

void declare(Declaration& declaration) {
  const Rules rules = parse(declaration.config, declaration.input(), declaration.diagnostics);
  parse_headings(declaration.config, declaration.input(), declaration.diagnostics);
  declaration.output = declaration.input();
  if (!rules.warn) return;
  for (const std::string_view name : kWarningFields) {
    const std::size_t field = declaration.output.add(name, Type::kString);
    if (runtime::is_text(declaration.output[field].type)) continue;
    declaration.diagnostics.error(
        declaration.config.place(),
        fmt::format("the field '{}' must be text to take warnings", name));
  }
}

std::unique_ptr<runtime::Operator> create(const Declaration& declaration) {
  const Config& config = declaration.config;
  return std::make_unique<Validate>(
      parse(config, declaration.input(), declaration.diagnostics),
      parse_headings(config, declaration.input(), declaration.diagnostics), declaration.input());
}

const runtime::Registration registration(runtime::OperatorType{
    .descriptor =
        {.name = "validate",
         .summary = "Judges records by an ordered list of rules.",
         .description =
             "A record that breaks rules of severity `reject` is refused with all its faults at "
             "once: `reject_code`, `reject_field`, `reject_value` and `reject_rule` (the rule's id "
             "and version) are those of the first, the messages in both languages name every "
             "fault by the heading of its column and say what to do, and `reject_faults` lists "
             "them as JSON. A field has one fault, the first: what else is wrong follows from it. "
             "Rules of severity `warn` add their code, with W in place of E, to the field "
             "`warnings` "
             "(`;`-separated) and what they mean to `warnings_en` and `warnings_zh`. A rule "
             "applies if its `when` "
             "holds. Checks skip empty fields unless `blank: true` (codes) or said otherwise:\n\n" +
             checks_doc() +
             "\n`code`, `message_en` and `message_zh` replace the check's own. `personal: true` "
             "masks the value in the reject (the first 6 and last 4 characters of a number of 15 "
             "or "
             "more stay). `clear: true` empties the field that a warning is about: an optional "
             "field that is wrong does not refuse the record, and is not taken over either. `at` "
             "names "
             "the field at fault where it is another than the check's first. `basis` (the law or "
             "the standard that a rule follows) and `since` (the ISO day since when it holds) are "
             "for people: `huiliu rules` shows them; those of the file stand for its rules that "
             "have no `basis`.",
         .options =
             {{.name = "rules",
               .type = OptionType::kAny,
               .doc =
                   "List of {id, check, field or fields, when, severity: reject|warn, "
                   "code, message_en, message_zh, personal, clear, at, basis, since, ...}, usually "
                   "`!include`d from a file with `version`, `rules`, `basis` and `since`.",
               .required = true},
              {.name = "headings",
               .type = OptionType::kObject,
               .doc = "What departments call the fields.",
               .members = {{.name = "table",
                            .type = OptionType::kString,
                            .doc = "CSV table: from (field), to (heading), department.",
                            .required = true},
                           {.name = "by",
                            .type = OptionType::kField,
                            .doc = "Field with the `department` that chooses among several "
                                   "headings of one field."}}},
              {.name = "version",
               .doc = "Version of rules that stand in the topology itself.",
               .default_text = "1"}},
         .changes = runtime::Changes::kPassedOn,
         .rejects = true,
         .example = "type: validate\n"
                    "version: 2018.1\n"
                    "rules:\n"
                    "  - {id: party-type, check: one_of, field: party_type, values: [legal, "
                    "natural]}\n"
                    "  - {id: uscc, check: uscc, field: uscc, when: {party_type: legal}, blank: "
                    "true}\n"
                    "  - {id: id-no, check: id_card, field: id_no, when: {party_type: natural}, "
                    "personal: true}\n"},
    .declare = declare,
    .create = create});

}  // namespace
}  // namespace huiliu::operators
