#include "operators/condition.h"
#include "operators/field_names.h"
#include "operators/script_engine.h"
#include "runtime/component/registry.h"

namespace huiliu::operators {
namespace {

using runtime::Config;
using runtime::Declaration;
using runtime::OptionType;
using runtime::Outputs;
using runtime::Record;

class Filter final : public runtime::Operator {
 public:
  Filter(Condition when, std::unique_ptr<Script> script, bool rejects, std::string code)
      : when_(std::move(when)),
        script_(std::move(script)),
        rejects_(rejects),
        code_(std::move(code)) {}

  void process(std::size_t /*input*/, Record& record, Outputs& out) override {
    bool keep = when_.holds(record);
    if (keep && script_) {
      const Script::Outcome outcome = script_->run(record, out.arena());
      if (outcome.kind == Script::Outcome::kError) return out.reject(record, outcome.reject);
      keep = outcome.truth;
    }
    if (keep) {
      out.emit(record);
    } else if (rejects_) {
      out.reject(record, {code_,
                          {},
                          {},
                          "filter",
                          "the record does not meet the filter's condition",
                          "记录不符合筛选条件"});
    } else {
      out.drop(record, "filtered");
    }
  }

 private:
  Condition when_;
  std::unique_ptr<Script> script_;
  bool rejects_;
  std::string code_;
};

std::unique_ptr<Script> compile(const Declaration& declaration) {
  const Config& node = declaration.config["expression"];
  if (node.is_null()) return nullptr;
  return Script::compile_expression(node, declaration.input(), ScriptLimits{},
                                    declaration.diagnostics);
}

void declare(Declaration& declaration) {
  const Config& config = declaration.config;
  Condition::parse(config["when"], declaration.input(), declaration.diagnostics);
  compile(declaration);
  if (!config.has("when") && !config.has("expression")) {
    declaration.diagnostics.error(config.place(), "a filter needs `when` or `expression`");
  }
  declaration.output = declaration.input();
}

std::unique_ptr<runtime::Operator> create(const Declaration& declaration) {
  const Config& config = declaration.config;
  return std::make_unique<Filter>(
      Condition::parse(config["when"], declaration.input(), declaration.diagnostics),
      compile(declaration), config.string_or("otherwise", "drop") == "reject",
      config.string_or("code", "E901_FILTERED"));
}

const runtime::Registration registration(runtime::OperatorType{
    .descriptor =
        {.name = "filter",
         .summary = "Lets records pass that meet a condition.",
         .description = "`when` is the fast way; `expression` is Lua that sees the fields as "
                        "variables. With both, both must hold.",
         .options =
             {{.name = "when", .type = OptionType::kAny, .doc = std::string(Condition::doc())},
              {.name = "expression",
               .doc = "Lua expression; nil and false stop the record. Sandboxed, limited "
                      "in time and memory."},
              {.name = "otherwise",
               .type = OptionType::kEnum,
               .doc = "What becomes of the other records.",
               .default_text = "drop",
               .choices = {"drop", "reject"}},
              {.name = "code", .doc = "Code of the reject.", .default_text = "E901_FILTERED"}},
         .changes = runtime::Changes::kPassedOn,
         .outputs = {},
         .rejects = true,
         .example = "type: filter\nwhen: {kind: [penalty, blacklist], amount: {more_than: 0}}\n"},
    .declare = declare,
    .create = create});

}  // namespace
}  // namespace huiliu::operators
