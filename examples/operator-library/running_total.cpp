#include <cstring>

#include "operators.h"
#include "runtime/record/key.h"
#include "state/table.h"

namespace fines {
namespace {

using namespace huiliu::runtime;

/// Appends the key's sum so far, with this record. The table is committed with the epoch.
class RunningTotal final : public Operator {
 public:
  RunningTotal(KeyBuilder key, std::size_t field) : key_(std::move(key)), field_(field) {}

  Status open(OperatorContext& context) override {
    context_ = &context;
    HUILIU_ASSIGN_OR_RETURN(table_, context.table("totals"));
    return Status::ok();
  }

  void process(std::size_t /*input*/, Record& record, Outputs& out) override {
    const std::uint16_t shard = context_->shard_of(record.key_hash);
    const std::string_view key = key_.build(record);
    std::int64_t total = 0;
    if (const auto stored = table_->get(shard, key, record.key_hash)) {
      std::memcpy(&total, stored->data(), sizeof total);
    }
    if (!record[field_].is_null()) total += record[field_].integer();
    table_->put(shard, key, record.key_hash, {reinterpret_cast<const char*>(&total), sizeof total});
    record[record.width++] = Value::of_integer(total);
    out.emit(record);
  }

 private:
  KeyBuilder key_;
  std::size_t field_;
  OperatorContext* context_ = nullptr;
  huiliu::state::Table* table_ = nullptr;
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
  return std::make_unique<RunningTotal>(KeyBuilder(input, declaration.key_fields),
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
