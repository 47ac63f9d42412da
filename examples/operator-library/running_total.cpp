#include "operators.h"
#include "state/views.h"

namespace fines {
namespace {

using namespace huiliu::runtime;

/// Appends the key's sum so far, with this record. The table is committed with the epoch.
class RunningTotal final : public Operator {
 public:
  RunningTotal(const Declaration& declaration, std::size_t field)
      : keys_(declaration), field_(field) {}

  Status open(OperatorContext& context) override { return totals_.open(context, "totals"); }

  void process(std::size_t input, Record& record, Outputs& out) override {
    const huiliu::state::Key key = keys_.of(input, record);
    std::int64_t total = totals_.get(key).value_or(0);
    if (!record[field_].is_null()) total += record[field_].integer();
    totals_.put(key, total);
    record[record.width++] = Value::of_integer(total);
    out.emit(record);
  }

 private:
  huiliu::state::Keys keys_;
  huiliu::state::Values<std::int64_t> totals_;
  std::size_t field_;
};

void declare(Declaration& declaration) {
  const std::size_t field = declaration.field(declaration.config["field"]);
  if (declaration.input()[field].type != Type::kInt64) {
    declaration.diagnostics.error(declaration.config["field"].place(),
                                  "expected a field of type int64");
  }
  declaration.field(declaration.config["key"]);
  declaration.key_fields = {declaration.config["key"].text()};
  declaration.tables = {{.name = "totals", .layout = "total int64"}};
  declaration.output = declaration.input();
  if (declaration.output.index_of("total")) {
    declaration.diagnostics.error(declaration.config.place(), "the input has a field 'total'");
  }
  declaration.output.add("total", Type::kInt64);
}

std::unique_ptr<Operator> create(const Declaration& declaration) {
  const Schema& input = declaration.input();
  return std::make_unique<RunningTotal>(declaration,
                                        *input.index_of(declaration.config["field"].text()));
}

}  // namespace

OperatorType running_total() {
  return {.descriptor = {.name = "running_total",
                         .summary = "Sums a field up by key.",
                         .options = {{.name = "key",
                                      .type = OptionType::kField,
                                      .doc = "Field to sum up by.",
                                      .required = true},
                                     {.name = "field",
                                      .type = OptionType::kField,
                                      .doc = "The number, of type int64.",
                                      .required = true}},
                         .keyed = true,
                         .stateful = true,
                         .example = "type: running_total\nkey: dept\nfield: amount\n"},
          .declare = declare,
          .create = create};
}

}  // namespace fines
