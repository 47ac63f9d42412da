#include <algorithm>

#include "formats/one_json.h"
#include "operators/field_names.h"
#include "operators/script_engine.h"
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

/// A field whose value is made from the record: by a template or by an expression.
struct Derived {
  std::string name;
  std::size_t slot = 0;  ///< in the widened row, before fields are dropped
  Type type = Type::kString;
  TextTemplate text;
  std::unique_ptr<Script> script;
};

struct Mapping {
  Schema wide;  ///< input and the new fields, under their old names
  Schema output;
  std::vector<Derived> derived;
  std::vector<std::size_t> kept;  ///< slots of `wide` in the output, ascending
};

std::size_t target_slot(const std::string& name, const Config& node, Type type, Mapping& into,
                        Diagnostics& diagnostics) {
  const std::size_t slot = into.wide.add(name, type);
  if (into.wide[slot].type != type) {
    diagnostics.error(node.place(), "the field '" + name + "' is of type " +
                                        std::string(runtime::type_name(into.wide[slot].type)));
  }
  return slot;
}

bool expect_map(const Config& node, Diagnostics& diagnostics) {
  if (node.is_null()) return false;
  if (!node.is_map()) diagnostics.error(node.place(), "expected a map by field");
  return node.is_map();
}

void parse_set(const Config& set, const Schema& input, Mapping& into, Diagnostics& diagnostics) {
  if (!expect_map(set, diagnostics)) return;
  for (const auto& [name, text] : set.entries()) {
    Derived& derived = into.derived.emplace_back();
    derived.text = TextTemplate::parse(text, input, diagnostics);
    const auto existing = into.wide.index_of(name);
    derived.type = existing && runtime::is_text(into.wide[*existing].type)
                       ? into.wide[*existing].type
                       : Type::kString;
    derived.name = name;
    derived.slot = target_slot(name, text, derived.type, into, diagnostics);
  }
}

void parse_derive(const Config& derive, const Schema& input, Mapping& into,
                  Diagnostics& diagnostics) {
  if (!expect_map(derive, diagnostics)) return;
  for (const auto& [name, node] : derive.entries()) {
    Derived& derived = into.derived.emplace_back();
    const auto existing = into.wide.index_of(name);
    if (existing) derived.type = into.wide[*existing].type;
    if (node.is_map()) {
      check_keys(node, {"expression", "type"}, diagnostics);
      if (node.has("type")) {
        find_word(node["type"], "type", runtime::type_names(), diagnostics);
        derived.type = runtime::parse_type(node["type"].text()).value_or(Type::kString);
      }
    }
    derived.name = name;
    derived.slot = target_slot(name, node, derived.type, into, diagnostics);
    derived.script = Script::compile_expression(node.is_map() ? node["expression"] : node, input,
                                                ScriptLimits{}, diagnostics);
  }
}

void choose_output(const Config& config, Mapping& into, Diagnostics& diagnostics) {
  std::vector<bool> keep(into.wide.width(), !config.has("keep"));
  if (config.has("keep") && config.has("drop")) {
    diagnostics.error(config.key_place("keep"), "`keep` and `drop` exclude each other");
  }
  for (std::size_t field : find_fields(config["keep"], into.wide, diagnostics)) keep[field] = true;
  for (std::size_t field : find_fields(config["drop"], into.wide, diagnostics)) keep[field] = false;
  for (const Derived& derived : into.derived) {
    if (config.has("keep")) keep[derived.slot] = true;
  }
  std::vector<std::string> names;
  for (const runtime::Field& field : into.wide.fields()) names.push_back(field.name);
  if (expect_map(config["rename"], diagnostics)) {
    for (const auto& [name, to] : config["rename"].entries()) {
      const Config key = Config::scalar(name, config["rename"].key_place(name));
      names[find_field(key, into.wide, diagnostics)] = to.text();
    }
  }
  for (std::size_t slot = 0; slot < into.wide.width(); ++slot) {
    if (!keep[slot]) continue;
    into.kept.push_back(slot);
    if (names[slot].empty() || into.output.index_of(names[slot])) {
      diagnostics.error(config["rename"].place(),
                        "two fields would have the name '" + names[slot] + "'");
    }
    into.output.add(names[slot], into.wide[slot].type);
  }
}

Mapping parse(const Declaration& declaration) {
  const Config& config = declaration.config;
  Mapping mapping;
  mapping.wide = declaration.input();
  if (mapping.wide.width() == 0) return mapping;
  parse_set(config["set"], declaration.input(), mapping, declaration.diagnostics);
  parse_derive(config["derive"], declaration.input(), mapping, declaration.diagnostics);
  choose_output(config, mapping, declaration.diagnostics);
  return mapping;
}

class Map final : public runtime::Operator {
 public:
  Map(Mapping mapping, std::size_t input_width)
      : mapping_(std::move(mapping)),
        input_width_(input_width),
        made_(mapping_.derived.size()),
        moves_(mapping_.kept.size() != mapping_.wide.width()) {}

  runtime::Status open(runtime::OperatorContext& context) override {
    wide_.resize(context.row_slots() * 2);
    return runtime::Status::ok();
  }

  void process(std::size_t /*input*/, Record& record, Outputs& out) override {
    // All values are made before the first is stored: they see the record as it came.
    for (std::size_t i = 0; i < made_.size(); ++i) {
      if (!make(mapping_.derived[i], record, made_[i], out)) return;
    }
    // The widened row may need more slots than the plan knows of, if fields are dropped.
    Value* const row = moves_ ? wide_.data() : record.values;
    if (moves_) {
      wide_.resize(std::max(wide_.size(), mapping_.wide.width()));
      std::copy_n(record.values, input_width_, row);
    }
    for (std::size_t i = 0; i < made_.size(); ++i) row[mapping_.derived[i].slot] = made_[i];
    if (moves_) {
      for (std::size_t i = 0; i < mapping_.kept.size(); ++i) record[i] = row[mapping_.kept[i]];
    }
    record.width = static_cast<std::uint32_t>(mapping_.kept.size());
    out.emit(record);
  }

 private:
  static bool make(const Derived& derived, Record& record, Value& into, Outputs& out) {
    if (!derived.script) {
      into = Value::of_text(derived.text.expand(record, out.arena()));
      if (derived.type != Type::kJson || formats::is_one_json(into.text())) return true;
      out.reject(record,
                 {"E201_FORMAT", derived.name, into.text(), "map",
                  "What `set` makes is not one JSON value.", "`set` 得出的不是一个 JSON 值。"});
      return false;
    }
    Script::Outcome outcome = derived.script->run(record, out.arena());
    if (outcome.kind != Script::Outcome::kError && outcome.kind != Script::Outcome::kRejected) {
      outcome = derived.script->value(derived.type, out.arena(), into);
    }
    if (outcome.kind == Script::Outcome::kDone) return true;
    out.reject(record, outcome.reject);
    return false;
  }

  Mapping mapping_;
  std::size_t input_width_;
  std::vector<Value> made_, wide_;
  bool moves_;
};

void declare(Declaration& declaration) { declaration.output = parse(declaration).output; }

std::unique_ptr<runtime::Operator> create(const Declaration& declaration) {
  return std::make_unique<Map>(parse(declaration), declaration.input().width());
}

runtime::Option field_list(std::string name, std::string doc) {
  return {.name = std::move(name),
          .type = OptionType::kList,
          .doc = std::move(doc),
          .members = {{.name = "field", .doc = "Name of a field."}}};
}

const runtime::Registration registration(runtime::OperatorType{
    .descriptor =
        {.name = "map",
         .summary = "Sets, derives, renames and drops fields.",
         .description =
             "First `set` and `derive` make values, all from the record as it came in; then "
             "fields are kept or dropped; then renamed. New fields stand behind the input's.",
         .options =
             {{.name = "set",
               .type = OptionType::kAny,
               .doc = "Map of field to text with fields in braces: {label: \"{a}/{b}\"}."},
              {.name = "derive",
               .type = OptionType::kAny,
               .doc = "Map of field to a Lua expression that sees the fields as variables, "
                      "or to {expression, type}. The type of a new field is string."},
              {.name = "rename", .type = OptionType::kAny, .doc = "Map of old name to new name."},
              field_list("drop", "Fields to leave out."),
              field_list("keep", "The only fields to keep, besides those made here.")},
         .changes = runtime::Changes::kPassedOn,
         .outputs = {},
         .rejects = true,
         .example = "type: map\n"
                    "set: {label: \"{party_type}/{kind}\"}\n"
                    "derive:\n"
                    "  amount_yuan: {expression: amount and amount / 100, type: float64}\n"
                    "rename: {party_name: name}\n"
                    "drop: [content]\n"},
    .declare = declare,
    .create = create});

}  // namespace
}  // namespace huiliu::operators
