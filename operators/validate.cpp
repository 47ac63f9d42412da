#include <fmt/format.h>

#include "domain/masking.h"
#include "operators/condition.h"
#include "operators/field_names.h"
#include "operators/validate_checks.h"
#include "runtime/registry.h"

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

constexpr const char* kWarningsField = "warnings";

struct Rule {
  std::string name;  // id@version
  Condition when;
  std::unique_ptr<Check> check;
  std::string code, message_en, message_zh;  // empty: the check's own
  bool warns = false;
  bool personal = false;
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
                                   "message_en", "message_zh", "severity", "personal"};
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
    check_keys(*node, {"version", "rules", "description"}, diagnostics);
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

class Validate final : public runtime::Operator {
 public:
  Validate(Rules rules, Schema input) : rules_(std::move(rules)), input_(std::move(input)) {
    const auto existing = input_.index_of(kWarningsField);
    warnings_field_ = existing.value_or(input_.width());
    appends_ = rules_.warn && !existing;
  }

  void open(runtime::OperatorContext& context) override { clock_ = &context.clock(); }

  void process(Record& record, Outputs& out) override {
    bool warned = false;
    for (const Rule& rule : rules_.rules) {
      if (!rule.when.holds(record)) continue;
      const Finding* finding = rule.check->run(record, clock_);
      if (finding == nullptr) continue;
      if (!rule.warns) return refuse(rule, *finding, record, out);
      if (!warned) start_warnings(record);
      warned = true;
      warnings_ += warnings_.empty() ? "" : ";";
      warnings_ += chosen(rule.code, finding->code);
    }
    if (appends_) {
      record[warnings_field_] = Value();
      record.width = static_cast<std::uint32_t>(warnings_field_ + 1);
    }
    if (warned) record[warnings_field_] = Value::of_text(out.arena().copy(warnings_));
    out.emit(record);
  }

 private:
  static std::string_view chosen(const std::string& configured, std::string_view own) {
    return configured.empty() ? own : std::string_view(configured);
  }

  void start_warnings(const Record& record) {
    warnings_.clear();
    if (!appends_) warnings_ = record[warnings_field_].text();
  }

  void refuse(const Rule& rule, const Finding& finding, Record& record, Outputs& out) {
    std::string_view value = text_of(record[finding.field], input_[finding.field].type, out);
    if (rule.personal) {
      domain::mask_id(value, masked_);
      value = out.arena().copy(masked_);
    }
    out.reject(record, {chosen(rule.code, finding.code), input_[finding.field].name, value,
                        rule.name, chosen(rule.message_en, finding.message_en),
                        chosen(rule.message_zh, finding.message_zh)});
  }

  static std::string_view text_of(const Value& value, Type type, Outputs& out) {
    if (value.is_null()) return std::string_view("");
    if (runtime::is_text(type)) return value.text();
    if (type == Type::kBool) return value.boolean() ? "true" : "false";
    return out.arena().copy(type == Type::kFloat64 ? fmt::format("{}", value.real())
                                                   : fmt::format("{}", value.integer()));
  }

  Rules rules_;
  Schema input_;
  std::size_t warnings_field_ = 0;
  bool appends_ = false;
  runtime::Clock* clock_ = nullptr;
  std::string warnings_, masked_;
};

void declare(Declaration& declaration) {
  const Rules rules = parse(declaration.config, declaration.input(), declaration.diagnostics);
  declaration.output = declaration.input();
  if (!rules.warn) return;
  const std::size_t field = declaration.output.add(kWarningsField, Type::kString);
  if (!runtime::is_text(declaration.output[field].type)) {
    declaration.diagnostics.error(declaration.config.place(),
                                  "the field 'warnings' must be text to take warnings");
  }
}

std::unique_ptr<runtime::Operator> create(const Declaration& declaration) {
  return std::make_unique<Validate>(
      parse(declaration.config, declaration.input(), declaration.diagnostics), declaration.input());
}

const runtime::Registration registration(runtime::OperatorType{
    .descriptor =
        {.name = "validate",
         .summary = "Judges records by an ordered list of rules.",
         .description =
             "The first rule of severity `reject` that a record breaks refuses it, with the rule's "
             "id and version, a code, the value and a message in both languages. Rules of severity "
             "`warn` add their code to the field `warnings` (`;`-separated). A rule applies if its "
             "`when` holds. Checks skip empty fields unless `blank: true` (codes) or said "
             "otherwise:\n\n" +
             checks_doc() +
             "\n`code`, `message_en` and `message_zh` replace the check's own. `personal: true` "
             "masks the value in the reject (the first 6 and last 4 characters of a number of 15 "
             "or "
             "more stay).",
         .options = {{.name = "rules",
                      .type = OptionType::kAny,
                      .doc = "List of {id, check, field or fields, when, severity: reject|warn, "
                             "code, message_en, message_zh, personal, ...}, usually `!include`d "
                             "from a file with `version` and `rules`.",
                      .required = true},
                     {.name = "version",
                      .doc = "Version of rules that stand in the topology itself.",
                      .default_text = "1"}},
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
