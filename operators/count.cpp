#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "operators/field_names.h"
#include "operators/key_counts.h"
#include "runtime/key.h"
#include "runtime/registry.h"
#include "state/table.h"

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

/// Totals of a key as the table holds them.
struct Totals {
  std::uint64_t count = 0;
  std::int64_t sum = 0;
  double real_sum = 0;
};

/// The epoch's increments are kept in memory and go to the table when the epoch ends.
class Count final : public runtime::Operator {
 public:
  Count(runtime::KeyBuilder key, std::vector<Type> types, int sum_field, Type sum_type)
      : key_(std::move(key)),
        types_(std::move(types)),
        sum_field_(sum_field),
        sum_type_(sum_type) {}

  void open(runtime::OperatorContext& context) override {
    context_ = &context;
    table_ = &context.table("totals");
    row_.resize(context.row_slots());
  }

  void process(Record& record, Outputs& out) override {
    KeyCounts::Entry& entry = changes_.at(key_.build(record), record.key_hash);
    ++entry.count;
    if (sum_field_ >= 0) {
      const Value& value = record[static_cast<std::size_t>(sum_field_)];
      if (!value.is_null()) {
        if (sum_type_ == Type::kFloat64) {
          entry.real_sum += value.real();
        } else {
          entry.sum += value.integer();
        }
      }
    }
    out.absorb(record);
  }

  void on_epoch(Outputs& out) override {
    for (const KeyCounts::Entry& entry : changes_.take_sorted()) emit(entry, out);
  }

 private:
  void emit(const KeyCounts::Entry& entry, Outputs& out) {
    const std::uint16_t shard = context_->shard_of(entry.hash);
    Totals totals;
    if (const auto stored = table_->get(shard, entry.key, entry.hash)) {
      std::memcpy(&totals, stored->data(), sizeof totals);
    }
    totals.count += entry.count;
    totals.sum += entry.sum;
    totals.real_sum += entry.real_sum;
    table_->put(shard, entry.key, entry.hash,
                {reinterpret_cast<const char*>(&totals), sizeof totals});
    decode_key(out.arena().copy(entry.key), types_, row_.data());
    std::size_t width = types_.size();
    row_[width++] = Value::of_integer(static_cast<std::int64_t>(totals.count));
    if (sum_field_ >= 0) {
      row_[width++] = sum_type_ == Type::kFloat64 ? Value::of_real(totals.real_sum)
                                                  : Value::of_integer(totals.sum);
    }
    Record record;
    record.values = row_.data();
    record.width = static_cast<std::uint32_t>(width);
    record.id = runtime::record_id(entry.hash, totals.count);
    out.emit_new(record);
  }

  runtime::KeyBuilder key_;
  std::vector<Type> types_;
  int sum_field_;
  Type sum_type_;
  runtime::OperatorContext* context_ = nullptr;
  state::Table* table_ = nullptr;
  KeyCounts changes_;
  std::vector<Value> row_;
};

std::string totals_layout(const Config& config, const Schema& input, std::size_t sum) {
  if (!config.has("sum")) return "count";
  return fmt::format("count sum=({} {})", input[sum].name, type_name(input[sum].type));
}

runtime::RowText describe_totals(std::string_view, std::string_view value) {
  Totals totals;
  if (value.size() != sizeof totals) return {{"damaged", std::to_string(value.size()) + " bytes"}};
  std::memcpy(&totals, value.data(), sizeof totals);
  runtime::RowText text = {{"count", std::to_string(totals.count)}};
  if (totals.sum != 0) text.emplace_back("sum", std::to_string(totals.sum));
  if (totals.real_sum != 0) text.emplace_back("sum", fmt::format("{}", totals.real_sum));
  return text;
}

void declare(Declaration& declaration) {
  const Config& config = declaration.config;
  const Schema& input = declaration.input();
  const std::size_t errors = declaration.diagnostics.errors();
  const std::vector<std::size_t> fields =
      find_fields(config["key"], input, declaration.diagnostics);
  std::size_t sum = 0;
  if (config.has("sum")) sum = find_field(config["sum"], input, declaration.diagnostics);
  declaration.key_fields = config["key"].as_strings();
  declaration.tables = {{"totals", totals_layout(config, input, sum), describe_totals}};
  if (declaration.diagnostics.errors() != errors) return;
  for (std::size_t field : fields) declaration.output.add(input[field].name, input[field].type);
  const std::size_t keys = declaration.output.width();
  declaration.output.add("count", Type::kInt64);
  if (config.has("sum")) {
    if (input[sum].type != Type::kInt64 && input[sum].type != Type::kFloat64) {
      declaration.diagnostics.error(config["sum"].place(),
                                    "expected a field of type int64 or float64 to sum up");
    }
    declaration.output.add("sum", input[sum].type);
  }
  if (declaration.output.width() != keys + (config.has("sum") ? 2 : 1)) {
    declaration.diagnostics.error(config["key"].place(),
                                  "the key has a field 'count' or 'sum', which the operator makes");
  }
}

std::unique_ptr<runtime::Operator> create(const Declaration& declaration) {
  const Schema& input = declaration.input();
  std::vector<Type> types;
  for (const std::string& name : declaration.key_fields) {
    types.push_back(input[input.index_of(name).value()].type);
  }
  int sum = -1;
  Type sum_type = Type::kInt64;
  if (declaration.config.has("sum")) {
    const std::size_t field = input.index_of(declaration.config["sum"].text()).value();
    sum = static_cast<int>(field);
    sum_type = input[field].type;
  }
  return std::make_unique<Count>(runtime::KeyBuilder(input, declaration.key_fields),
                                 std::move(types), sum, sum_type);
}

const runtime::Registration registration(runtime::OperatorType{
    .descriptor = {.name = "count",
                   .summary = "Counts records by key, for good.",
                   .description =
                       "At the end of each epoch one record comes out for every key that changed: "
                       "the key's fields, `count` and, with `sum`, the sum of that field. Sinks "
                       "should take it as an upsert by the key.",
                   .options = {{.name = "key",
                                .type = OptionType::kList,
                                .doc = "Fields to count by.",
                                .required = true,
                                .members = {{.name = "field",
                                             .type = OptionType::kField,
                                             .doc = "A field of the input."}}},
                               {.name = "sum",
                                .type = OptionType::kField,
                                .doc = "Number to sum up; absent values count as nothing."}},
                   .outputs = {},
                   .keyed = true,
                   .stateful = true,
                   .example = "type: count\nkey: [dept, kind]\nsum: amount\n"},
    .declare = declare,
    .create = create});

}  // namespace
}  // namespace huiliu::operators
