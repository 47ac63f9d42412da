#include <algorithm>

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
using runtime::Schema;
using runtime::Type;
using runtime::Value;

struct Parsed {
  Schema output;
  std::unique_ptr<Script> script;
};

std::vector<std::size_t> parse_sets(const Config& sets, Schema& output,
                                    runtime::Diagnostics& diagnostics) {
  std::vector<std::size_t> fields;
  if (!sets.is_map()) {
    return find_fields(sets, output, diagnostics);
  }
  for (const auto& [name, type] : sets.entries()) {
    find_word(type, "type", runtime::type_names(), diagnostics);
    const Type wanted = runtime::parse_type(type.text()).value_or(Type::kString);
    const std::size_t field = output.add(name, wanted);
    if (output[field].type != wanted) {
      diagnostics.error(type.place(), "the field '" + name + "' is of type " +
                                          std::string(runtime::type_name(output[field].type)));
    }
    fields.push_back(field);
  }
  return fields;
}

Parsed parse(const Declaration& declaration) {
  const Config& config = declaration.config;
  Parsed parsed;
  parsed.output = declaration.input();
  const auto sets = parse_sets(config["sets"], parsed.output, declaration.diagnostics);
  ScriptLimits limits;
  limits.instructions = static_cast<std::uint64_t>(config["instructions"].as_int());
  limits.memory_bytes = static_cast<std::size_t>(config["memory"].as_size());
  parsed.script =
      Script::compile_body(config["code"], parsed.output, sets, limits, declaration.diagnostics);
  return parsed;
}

class ScriptOperator final : public runtime::Operator {
 public:
  ScriptOperator(Parsed parsed, std::size_t input_width)
      : script_(std::move(parsed.script)),
        input_width_(input_width),
        output_width_(parsed.output.width()) {}

  runtime::Status open(runtime::OperatorContext& context) override {
    row_.resize(context.row_slots());
    return runtime::Status::ok();
  }

  void process(std::size_t /*input*/, Record& record, Outputs& out) override {
    for (std::size_t i = input_width_; i < output_width_; ++i) record[i] = Value();
    Script::Outcome outcome = script_->run(record, out.arena());
    if (outcome.kind == Script::Outcome::kDropped) return out.drop(record, "script");
    if (outcome.kind == Script::Outcome::kDone) {
      // Into a copy first: a rejected record must be as it came.
      std::copy_n(record.values, output_width_, row_.data());
      Record changed = record;
      changed.values = row_.data();
      outcome = script_->store(changed, out.arena());
    }
    if (outcome.kind != Script::Outcome::kDone) return out.reject(record, outcome.reject);
    std::copy_n(row_.data(), output_width_, record.values);
    record.width = static_cast<std::uint32_t>(output_width_);
    out.emit(record);
  }

 private:
  std::unique_ptr<Script> script_;
  std::size_t input_width_;
  std::size_t output_width_;
  std::vector<Value> row_;
};

void declare(Declaration& declaration) { declaration.output = parse(declaration).output; }

std::unique_ptr<runtime::Operator> create(const Declaration& declaration) {
  return std::make_unique<ScriptOperator>(parse(declaration), declaration.input().width());
}

const runtime::Registration registration(runtime::OperatorType{
    .descriptor =
        {.name = "script",
         .summary = "Runs a Lua script on every record.",
         .description =
             "The script sees the record's fields as variables, absent ones as nil; dates and "
             "timestamps are numbers. It may assign to the fields in `sets`; other variables must "
             "be `local`, nothing lasts until the next record. `return false` drops the record, "
             "`reject(code, message, message_zh, field)` refuses it. There are string, math and "
             "table, but no io, os, require, load, coroutine, pcall or randomness. A script that "
             "fails or exceeds a limit rejects the record with E901_SCRIPT.",
         .options = {{.name = "code", .doc = "The script.", .required = true},
                     {.name = "sets",
                      .type = OptionType::kAny,
                      .doc = "Fields that the script may set: a map of name to type; new ones are "
                             "appended."},
                     {.name = "instructions",
                      .type = OptionType::kInt,
                      .doc = "Most instructions per record, about 10 ms for a million.",
                      .default_text = "1000000",
                      .minimum = 1000},
                     {.name = "memory",
                      .type = OptionType::kSize,
                      .doc = "Most memory of the script.",
                      .default_text = "16MiB"}},
         .changes = runtime::Changes::kPassedOn,
         .outputs = {},
         .rejects = true,
         .example = "type: script\n"
                    "sets: {amount_yuan: float64}\n"
                    "code: |\n"
                    "  if kind == \"penalty\" and not amount then\n"
                    "    reject(\"E404_AMOUNT_REQUIRED\", \"no amount\", \"缺少金额\", "
                    "\"amount\")\n"
                    "  end\n"
                    "  if amount then amount_yuan = amount / 100 end\n"},
    .declare = declare,
    .create = create});

}  // namespace
}  // namespace huiliu::operators
