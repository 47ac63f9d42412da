#include "connectors/generate/generate_options.h"

#include <algorithm>

#include <fmt/format.h>

#include "codecs/value_parsers.h"

namespace huiliu::connectors {
namespace {

using runtime::Config;
using runtime::Diagnostics;
using runtime::Option;
using runtime::OptionType;
using runtime::Type;
using Kind = GeneratedField::Kind;

constexpr const char* kKinds[] = {"sequence", "uniform", "choice", "zipf", "constant"};
constexpr std::int64_t kMostRate = 1'000'000'000;

std::vector<Option> field_options() {
  return {
      {.name = "name", .doc = "Name of the field.", .required = true},
      {.name = "type",
       .type = OptionType::kEnum,
       .doc = "Default: int64 for numbers, string with `pattern` and for `choice` and `constant`.",
       .choices = {"string", "int64", "float64", "bool", "timestamp", "date"}},
      {.name = "sequence",
       .type = OptionType::kObject,
       .doc = "Numbers one after the other, or with `type: timestamp` times.",
       .members = {{.name = "from",
                    .doc = "Value of the first row; default 1, of times 2026-01-01."},
                   {.name = "step", .doc = "What the next row has more: 1, or of times 1s."},
                   {.name = "disorder",
                    .type = OptionType::kDuration,
                    .doc = "Times: how far a row may lie behind its place; `out_of_orderness` "
                           "should be as long, or some rows come late."}}},
      {.name = "uniform",
       .type = OptionType::kObject,
       .doc = "Numbers of a range, each as often; `type` int64 or float64.",
       .members = {{.name = "from", .doc = "The least.", .required = true},
                   {.name = "to", .doc = "The greatest.", .required = true}}},
      {.name = "choice",
       .type = OptionType::kAny,
       .doc = "One of some values: a list, or a map of value to weight."},
      {.name = "zipf",
       .type = OptionType::kObject,
       .doc = "Keys of which few come often: key k in proportion to 1/k^exponent.",
       .members = {{.name = "keys",
                    .type = OptionType::kInt,
                    .doc = "How many; they are 1, 2, 3, ...",
                    .required = true,
                    .minimum = 1,
                    .maximum = 1e12},
                   {.name = "exponent",
                    .type = OptionType::kFloat,
                    .doc = "Default 1.",
                    .minimum = 0.01,
                    .maximum = 10}}},
      {.name = "constant", .doc = "The same value in each row."},
      {.name = "pattern",
       .doc = "Makes text of the number, which stands at `{}`, or at `{:03}` with zeros in front: "
              "`D{:03}`."}};
}

class FieldParser {
 public:
  FieldParser(const Config& item, Diagnostics& diagnostics)
      : item_(item), diagnostics_(diagnostics) {}

  std::optional<GeneratedField> parse() {
    field_.name = item_["name"].text();
    const std::size_t before = diagnostics_.errors();
    if (!parse_kind()) return std::nullopt;
    const bool number = field_.kind != Kind::kChoice && field_.kind != Kind::kConstant;
    field_.type = number ? Type::kInt64 : Type::kString;
    if (item_.has("type")) field_.type = *runtime::parse_type(item_["type"].text());
    if (item_.has("pattern")) parse_pattern(number);
    parse_values();
    if (field_.pattern) field_.type = Type::kString;
    if (diagnostics_.errors() != before) return std::nullopt;
    return std::move(field_);
  }

 private:
  void fail(const Config& at, const std::string& message, const std::string& hint = "") {
    diagnostics_.error(at.place(), message, hint);
  }

  /// How the values are made, which exactly one key says.
  bool parse_kind() {
    std::size_t found = 0;
    for (std::size_t i = 0; i < std::size(kKinds); ++i) {
      if (!item_.has(kKinds[i])) continue;
      field_.kind = static_cast<Kind>(i);
      ++found;
    }
    if (found == 1) return true;
    fail(item_, fmt::format("field '{}' does not say in one way how it is made", field_.name),
         "one of sequence, uniform, choice, zipf, constant");
    return false;
  }

  void parse_pattern(bool number) {
    const Config& node = item_["pattern"];
    field_.pattern = parse_number_pattern(node.text());
    if (!field_.pattern) {
      fail(node, fmt::format("'{}' has no place for the number", node.text()),
           "one `{}`, or one such as `{:03}`");
    }
    if (!number) fail(node, "there is no number of which `pattern` could make text");
    if (item_.has("type") && field_.type != Type::kString) {
      fail(item_["type"], "with `pattern` the field is a string");
    }
    if (number) field_.type = Type::kInt64;  // what the text is made of
  }

  void parse_values() {
    switch (field_.kind) {
      case Kind::kSequence:
        return parse_sequence(item_["sequence"]);
      case Kind::kUniform:
        return parse_uniform(item_["uniform"]);
      case Kind::kZipf:
        allow({Type::kInt64});
        field_.zipf =
            Zipf(item_["zipf"]["keys"].as_int(),
                 item_["zipf"].has("exponent") ? item_["zipf"]["exponent"].as_float() : 1.0);
        return;
      case Kind::kConstant:
        return add_value(item_["constant"]);
      case Kind::kChoice:
        return parse_choice(item_["choice"]);
    }
  }

  void allow(const std::vector<Type>& types) {
    if (std::find(types.begin(), types.end(), field_.type) != types.end()) return;
    std::string names;
    for (const Type type : types)
      names += (names.empty() ? "" : " or ") + std::string(type_name(type));
    fail(item_["type"],
         fmt::format("`{}` makes no {}", kKinds[static_cast<int>(field_.kind)],
                     type_name(field_.type)),
         names + (field_.kind == Kind::kZipf || field_.type == Type::kString
                      ? ", or `pattern` for text"
                      : ""));
  }

  /// A value of the field's own type.
  std::optional<runtime::Value> value_of(const Config& node) {
    auto value = node.is_scalar() ? codecs::parse_cell(field_.type, node.text()) : std::nullopt;
    if (!value) fail(node, fmt::format("expected a value of type {}", type_name(field_.type)));
    return value;
  }

  void parse_sequence(const Config& node) {
    allow({Type::kInt64, Type::kTimestamp});
    const bool time = field_.type == Type::kTimestamp;
    field_.from = time ? *codecs::parse_timestamp("2026-01-01") : 1;
    if (node.has("from")) field_.from = value_of(node["from"]).value_or(runtime::Value()).integer();
    if (node.has("disorder")) {
      field_.disorder = node["disorder"].as_duration().count();
      if (!time) fail(node["disorder"], "only times have `disorder`", "type: timestamp");
    }
    field_.step = time ? 1000 : 1;
    if (!node.has("step")) return;
    const std::string& text = node["step"].text();
    if (time) {
      const auto step = runtime::parse_duration(text);
      if (!step) fail(node["step"], "expected a duration such as 10ms, 1s, 5m");
      field_.step = step ? step->count() : 0;
    } else {
      const auto step = codecs::parse_integer(text);
      if (!step) fail(node["step"], "expected a whole number");
      field_.step = step.value_or(1);
    }
  }

  void parse_uniform(const Config& node) {
    allow({Type::kInt64, Type::kFloat64});
    const auto from = value_of(node["from"]), to = value_of(node["to"]);
    if (!from || !to) return;
    if (field_.type == Type::kFloat64) {
      field_.real_from = from->real();
      field_.real_to = to->real();
    } else {
      field_.from = from->integer();
      field_.to = to->integer();
    }
    if (field_.from > field_.to || field_.real_from > field_.real_to) {
      fail(node["to"], "`to` is less than `from`");
    }
  }

  void add_value(const Config& node) {
    if (value_of(node)) field_.values.push_back(node.text());
  }

  void parse_choice(const Config& node) {
    std::vector<double> weights;
    for (const Config& item : node.items()) {
      add_value(item);
      weights.push_back(1);
    }
    for (const auto& [value, weight] : node.entries()) {
      add_value(Config::scalar(value, node.key_place(value)));
      const auto number = weight.is_scalar() ? codecs::parse_real(weight.text()) : std::nullopt;
      if (!number || *number < 0) fail(weight, "expected a weight: a number from 0");
      weights.push_back(std::max(0.0, number.value_or(0)));
    }
    double all = 0;
    for (const double weight : weights) all += weight;
    if (all <= 0) return fail(node, "expected a list of values, or a map of value to weight");
    double sum = 0;
    for (const double weight : weights) field_.shares.push_back((sum += weight) / all);
  }

  const Config& item_;
  Diagnostics& diagnostics_;
  GeneratedField field_;
};

void parse_rate_option(const Config& config, GenerateOptions& options, Diagnostics& diagnostics) {
  if (!config.has("rate")) return;
  const auto rate = parse_rate(config["rate"].text());
  if (!rate) {
    diagnostics.error(config["rate"].place(), fmt::format("'{}' is no rate", config["rate"].text()),
                      "such as 1000/s, 5/m; 0 for as fast as rows are taken");
  } else if (rate->rows > 0) {
    options.rate = rate;
  }
}

}  // namespace

runtime::Schema GenerateOptions::schema() const {
  runtime::Schema schema;
  for (const GeneratedField& field : fields) schema.add(field.name, field.type);
  return schema;
}

std::optional<Rate> parse_rate(std::string_view text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  const auto rows = codecs::parse_integer(text.substr(0, slash));
  if (!rows || *rows < 0 || *rows > kMostRate) return std::nullopt;
  if (slash == text.size()) return Rate{*rows};
  constexpr std::pair<std::string_view, std::int64_t> kUnits[] = {
      {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"min", 60'000}, {"h", 3'600'000}};
  for (const auto& [unit, ms] : kUnits) {
    if (text.substr(slash + 1) == unit) return Rate{*rows, ms};
  }
  return std::nullopt;
}

std::optional<NumberPattern> parse_number_pattern(const std::string& text) {
  const std::size_t open = text.find('{'), close = text.find('}');
  if (open == std::string::npos || close == std::string::npos || close < open) return std::nullopt;
  NumberPattern pattern{text.substr(0, open), text.substr(close + 1)};
  if (pattern.after.find_first_of("{}") != std::string::npos) return std::nullopt;
  const std::string_view inside = std::string_view(text).substr(open + 1, close - open - 1);
  if (inside.empty()) return pattern;
  if (!inside.starts_with(":0")) return std::nullopt;
  const auto digits = codecs::parse_integer(inside.substr(2));
  if (!digits || *digits < 1 || *digits > 20) return std::nullopt;
  pattern.digits = static_cast<int>(*digits);
  return pattern;
}

std::vector<Option> generate_source_options() {
  return {{.name = "fields",
           .type = OptionType::kList,
           .doc = "The stream's fields, and how the values of each are made: one of `sequence`, "
                  "`uniform`, `choice`, `zipf`, `constant`.",
           .required = true,
           .members = {{.name = "field",
                        .type = OptionType::kObject,
                        .doc = "A field.",
                        .members = field_options()}}},
          {.name = "rate",
           .doc = "Rows in a time, such as `1000/s` or `5/m`, on average since the start of the "
                  "process: after a restart nothing is made up for. 0: as fast as they are taken.",
           .default_text = "0"},
          {.name = "count",
           .type = OptionType::kInt,
           .doc = "How many rows there are in all, over all restarts. Default: without end.",
           .minimum = 1},
          {.name = "seed",
           .type = OptionType::kInt,
           .doc = "With another seed other random values come out.",
           .default_text = "1"}};
}

GenerateOptions parse_generate_options(const Config& config, Diagnostics& diagnostics) {
  GenerateOptions options;
  for (const Config& item : config["fields"].items()) {
    if (options.schema().index_of(item["name"].text())) {
      diagnostics.error(item["name"].place(), "field '" + item["name"].text() + "' is named twice");
      continue;
    }
    if (auto field = FieldParser(item, diagnostics).parse()) {
      options.fields.push_back(std::move(*field));
    }
  }
  if (options.fields.empty() && !diagnostics.has_errors()) {
    diagnostics.error(config["fields"].place(), "`fields` names no field");
  }
  parse_rate_option(config, options, diagnostics);
  if (config.has("count")) options.count = static_cast<std::uint64_t>(config["count"].as_int());
  options.seed = static_cast<std::uint64_t>(config.int_or("seed", 1));
  return options;
}

}  // namespace huiliu::connectors
