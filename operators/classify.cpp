#include <algorithm>

#include "operators/condition.h"
#include "operators/field_names.h"
#include "runtime/component/registry.h"
#include "runtime/component/text_template.h"

namespace huiliu::operators {
namespace {

using runtime::Config;
using runtime::Declaration;
using runtime::Diagnostics;
using runtime::OptionType;
using runtime::Outputs;
using runtime::Record;
using runtime::Schema;
using runtime::TextTemplate;
using runtime::Type;
using runtime::Value;

enum class Unmatched { kReject, kEmit, kDrop };

struct Rule {
  Condition when;
  std::vector<std::pair<std::size_t, TextTemplate>> set;
  std::size_t port = 0;
};

/// What the config says, resolved against the input's schema.
struct Rules {
  Schema output;
  std::vector<std::string> ports;  // behind the main output
  std::vector<Rule> rules;
};

void parse_set(const Config& set, const Schema& input, Rules& into, Rule& rule,
               Diagnostics& diagnostics) {
  if (set.is_null()) return;
  if (!set.is_map()) {
    diagnostics.error(set.place(), "expected a map of fields and texts");
    return;
  }
  for (const auto& [name, text] : set.entries()) {
    const std::size_t field = into.output.add(name, Type::kString);
    if (!runtime::is_text(into.output[field].type)) {
      diagnostics.error(set.key_place(name), "only fields of text can be set");
    }
    rule.set.emplace_back(field, TextTemplate::parse(text, input, diagnostics));
  }
}

std::size_t port_of(const Config& to, Rules& into, Diagnostics& diagnostics) {
  if (to.is_null() || to.text() == "main") return 0;
  if (to.text() == "rejects" || to.text().find('.') != std::string::npos || to.text().empty()) {
    diagnostics.error(to.place(), "'" + to.text() + "' cannot be the name of an output");
  }
  const auto found = std::find(into.ports.begin(), into.ports.end(), to.text());
  if (found != into.ports.end()) return static_cast<std::size_t>(found - into.ports.begin()) + 1;
  into.ports.push_back(to.text());
  return into.ports.size();
}

Rules parse(const Config& config, const Schema& input, Diagnostics& diagnostics) {
  Rules result;
  result.output = input;
  for (const Config* node : items_of(config["rules"])) {
    if (!node->is_map()) {
      diagnostics.error(node->place(), "expected a rule: a map with when, set, to");
      continue;
    }
    check_keys(*node, {"when", "set", "to"}, diagnostics);
    Rule& rule = result.rules.emplace_back();
    rule.when = Condition::parse((*node)["when"], input, diagnostics);
    parse_set((*node)["set"], input, result, rule, diagnostics);
    rule.port = port_of((*node)["to"], result, diagnostics);
  }
  return result;
}

class Classify final : public runtime::Operator {
 public:
  Classify(Rules rules, std::size_t input_width, Unmatched unmatched, std::string code)
      : rules_(std::move(rules)),
        input_width_(input_width),
        unmatched_(unmatched),
        code_(std::move(code)),
        texts_(rules_.output.width()) {}

  void process(std::size_t /*input*/, Record& record, Outputs& out) override {
    for (const Rule& rule : rules_.rules) {
      if (rule.when.holds(record)) return apply(rule, record, out);
    }
    switch (unmatched_) {
      case Unmatched::kReject:
        return out.reject(
            record,
            {code_, {}, {}, "classify", "no class fits the record", "没有适合该记录的分类"});
      case Unmatched::kEmit:
        widen(record);
        return out.emit(record);
      case Unmatched::kDrop:
        return out.drop(record, "unclassified");
    }
  }

 private:
  void widen(Record& record) {
    for (std::size_t i = input_width_; i < rules_.output.width(); ++i) record[i] = Value();
    record.width = static_cast<std::uint32_t>(rules_.output.width());
  }

  void apply(const Rule& rule, Record& record, Outputs& out) {
    // All texts are made before the first is stored, since they may use the fields that are set.
    for (std::size_t i = 0; i < rule.set.size(); ++i) {
      texts_[i] = Value::of_text(rule.set[i].second.expand(record, out.arena()));
    }
    widen(record);
    for (std::size_t i = 0; i < rule.set.size(); ++i) record[rule.set[i].first] = texts_[i];
    out.emit(record, rule.port);
  }

  Rules rules_;
  std::size_t input_width_;
  Unmatched unmatched_;
  std::string code_;
  std::vector<Value> texts_;
};

void declare(Declaration& declaration) {
  Rules rules = parse(declaration.config, declaration.input(), declaration.diagnostics);
  if (rules.rules.empty()) {
    declaration.diagnostics.error(declaration.config["rules"].place(),
                                  "expected at least one rule");
  }
  for (const std::string& port : rules.ports) {
    declaration.side_outputs.emplace_back(port, rules.output);
  }
  declaration.output = std::move(rules.output);
}

std::unique_ptr<runtime::Operator> create(const Declaration& declaration) {
  const Config& config = declaration.config;
  const std::string unmatched = config.string_or("unmatched", "reject");
  return std::make_unique<Classify>(parse(config, declaration.input(), declaration.diagnostics),
                                    declaration.input().width(),
                                    unmatched == "emit"   ? Unmatched::kEmit
                                    : unmatched == "drop" ? Unmatched::kDrop
                                                          : Unmatched::kReject,
                                    config.string_or("code", "E302_UNCLASSIFIED"));
}

const runtime::Registration registration(runtime::OperatorType{
    .descriptor =
        {.name = "classify",
         .summary = "Sets fields and chooses the output by the first rule that fits.",
         .description =
             "Rules are tried in order; the first whose `when` holds decides. `set` gives fields "
             "of text their values, with fields of the record in braces: "
             "`class: \"{party_type}/{kind}\"`; fields that do not exist are appended. `to` names "
             "the output: `main` (the default) or any other name, which becomes a side output of "
             "this operator (`NODE.NAME`).",
         .options = {{.name = "rules",
                      .type = OptionType::kAny,
                      .doc = "List of {when: condition, set: {field: text}, to: output}.",
                      .required = true},
                     {.name = "unmatched",
                      .type = OptionType::kEnum,
                      .doc = "What becomes of records that no rule fits.",
                      .default_text = "reject",
                      .choices = {"reject", "emit", "drop"}},
                     {.name = "code",
                      .doc = "Code of the reject for unmatched records.",
                      .default_text = "E302_UNCLASSIFIED"}},
         .changes = runtime::Changes::kPassedOn,
         .outputs = {},
         .rejects = true,
         .example = "type: classify\n"
                    "rules:\n"
                    "  - when: {party_type: legal}\n"
                    "    set: {class: \"{party_type}/{kind}\"}\n"
                    "    to: legal\n"
                    "  - when: {party_type: natural}\n"
                    "    set: {class: \"{party_type}/{kind}\"}\n"
                    "    to: natural\n"},
    .declare = declare,
    .create = create});

}  // namespace
}  // namespace huiliu::operators
