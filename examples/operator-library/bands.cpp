#include <limits>
#include <string>
#include <vector>

#include "operators.h"

namespace fines {
namespace {

using namespace huiliu::runtime;

struct Band {
  std::string name;
  double below = std::numeric_limits<double>::infinity();
};

/// Appends the name of the first band that the number is below; absent numbers get none.
class Bands final : public Operator {
 public:
  Bands(std::size_t field, Type type, std::vector<Band> bands)
      : field_(field), type_(type), bands_(std::move(bands)) {}

  void process(std::size_t /*input*/, Record& record, Outputs& out) override {
    const Value value = record[field_];
    Value& name = record[record.width++];
    name = Value();
    if (value.is_null()) return out.emit(record);
    const double number =
        type_ == Type::kFloat64 ? value.real() : static_cast<double>(value.integer());
    for (const Band& band : bands_) {
      if (number >= band.below) continue;
      name = Value::of_text(band.name);
      return out.emit(record);
    }
    --record.width;  // rejects have the fields of the input
    out.reject(record, {.code = "E901_NO_BAND",
                        .field = "",
                        .value = "",
                        .rule = "bands",
                        .message_en = "the number is above every band",
                        .message_zh = "数值超出所有档次"});
  }

 private:
  std::size_t field_;
  Type type_;
  std::vector<Band> bands_;
};

// Runs when the topology is checked, before anything is read.
void declare(Declaration& declaration) {
  const std::size_t field = declaration.field(declaration.config["field"]);
  const Type type = declaration.input()[field].type;
  if (type != Type::kInt64 && type != Type::kFloat64) {
    declaration.diagnostics.error(declaration.config["field"].place(),
                                  "expected a field of type int64 or float64");
  }
  declaration.output = declaration.input();
  const Config& into = declaration.config["into"];
  if (declaration.output.index_of(into.text())) {
    declaration.diagnostics.error(into.place(), "the input has a field '" + into.text() + "'");
  }
  declaration.output.add(into.text(), Type::kString);
}

std::unique_ptr<Operator> create(const Declaration& declaration) {
  std::vector<Band> bands;
  for (const Config& item : declaration.config["bands"].items()) {
    Band& band = bands.emplace_back();
    band.name = item["name"].as_string();
    if (item.has("below")) band.below = item["below"].as_float();
  }
  const std::size_t field = *declaration.input().index_of(declaration.config["field"].text());
  return std::make_unique<Bands>(field, declaration.input()[field].type, std::move(bands));
}

}  // namespace

OperatorType bands() {
  return {
      .descriptor = {.name = "bands",
                     .summary = "Says in which band a number lies.",
                     .options = {{.name = "field",
                                  .type = OptionType::kField,
                                  .doc = "The number.",
                                  .required = true},
                                 {.name = "into",
                                  .doc = "Field that gets the band's name.",
                                  .default_text = "band"},
                                 {.name = "bands",
                                  .type = OptionType::kList,
                                  .doc = "In ascending order; the first that fits counts.",
                                  .required = true,
                                  .members = {{.type = OptionType::kObject,
                                               .members = {{.name = "name",
                                                            .doc = "Name of the band.",
                                                            .required = true},
                                                           {.name = "below",
                                                            .type = OptionType::kFloat,
                                                            .doc = "Upper end, not in the band; "
                                                                   "absent: no end."}}}}}},
                     .rejects = true,
                     .example = "type: bands\nfield: amount\nbands: [{name: small, below: 1000}, "
                                "{name: large}]\n"},
      .declare = declare,
      .create = create};
}

}  // namespace fines
