#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operators/condition.h"
#include "operators/field_names.h"
#include "runtime/base/failpoint.h"
#include "runtime/component/registry.h"
#include "runtime/record/compact_row.h"
#include "runtime/record/value_text.h"
#include "state/views.h"

namespace huiliu::operators {
namespace {

using runtime::Changes;
using runtime::Config;
using runtime::Declaration;
using runtime::OptionType;
using runtime::Outputs;
using runtime::Record;
using runtime::Schema;
using runtime::Value;

constexpr std::size_t kRecords = 0, kTable = 1;  // inputs
constexpr std::size_t kUnmatchedPort = 1;

/// What the config says, resolved against both inputs.
struct JoinSettings {
  std::vector<std::string> key, table_key;
  std::vector<std::size_t> taken;  ///< fields of the table
  Schema rows;                     ///< what is kept of the table, under the names of the output
  std::optional<Condition> deleted;
};

class Join final : public runtime::Operator {
 public:
  Join(const Declaration& declaration, JoinSettings settings)
      : keys_(declaration),
        settings_(std::move(settings)),
        rows_(settings_.rows),
        row_(settings_.taken.size()) {}

  runtime::Status open(runtime::OperatorContext& context) override {
    return rows_.open(context, "rows");
  }
  void expect(std::uint64_t key_hash) override { rows_.prefetch(key_hash); }

  void process(std::size_t input, Record& record, Outputs& out) override {
    if (input == kTable) return learn(record, out);
    const bool known = !keys_.is_null(kRecords, record) &&
                       rows_.get(keys_.of(kRecords, record), out.arena(), row_.data());
    if (!known && out.is_read(kUnmatchedPort)) return out.emit(record, kUnmatchedPort);
    if (!known) std::fill(row_.begin(), row_.end(), Value());
    std::copy(row_.begin(), row_.end(), record.values + record.width);
    record.width += static_cast<std::uint32_t>(row_.size());
    out.emit(record);
  }

 private:
  void learn(Record& record, Outputs& out) {
    if (keys_.is_null(kTable, record)) return out.drop(record, "no key");
    const state::Key key = keys_.of(kTable, record);
    const bool gone =
        takes_back(record.change) || (settings_.deleted && settings_.deleted->holds(record));
    if (gone && !runtime::mutant("join.keeps_deleted")) {
      rows_.erase(key);
    } else {
      for (std::size_t i = 0; i < row_.size(); ++i) row_[i] = record[settings_.taken[i]];
      rows_.put(key, row_.data());
    }
    out.absorb(record);
  }

  state::Keys keys_;
  JoinSettings settings_;
  state::Rows rows_;
  std::vector<Value> row_;
};

class Parser {
 public:
  explicit Parser(Declaration& declaration)
      : declaration_(declaration),
        config_(declaration.config),
        records_(*declaration.inputs[kRecords]),
        table_(*declaration.inputs[kTable]) {}

  JoinSettings run() {
    parse_keys();
    parse_take();
    if (config_.has("deleted")) {
      settings_.deleted = Condition::parse(config_["deleted"], table_, declaration_.diagnostics);
    }
    return std::move(settings_);
  }

 private:
  void parse_keys() {
    const Config& of_table = config_.has("table_key") ? config_["table_key"] : config_["key"];
    const std::size_t errors = declaration_.diagnostics.errors();
    const auto left = find_fields(config_["key"], records_, declaration_.diagnostics);
    const auto right = find_fields(of_table, table_, declaration_.diagnostics);
    settings_.key = config_["key"].as_strings();
    settings_.table_key = of_table.as_strings();
    if (declaration_.diagnostics.errors() != errors) return;
    if (left.size() != right.size()) {
      declaration_.diagnostics.error(
          of_table.place(),
          fmt::format("`key` has {} fields, and `table_key` has {}", left.size(), right.size()));
      return;
    }
    for (std::size_t i = 0; i < left.size(); ++i) {
      check_types(records_[left[i]], table_[right[i]], of_table);
    }
  }

  // A key of text and one of numbers have other bytes and never meet.
  void check_types(const runtime::Field& left, const runtime::Field& right, const Config& node) {
    const bool both_text = is_text(left.type) && is_text(right.type);
    if (left.type == right.type || both_text) return;
    declaration_.diagnostics.error(
        node.place(),
        fmt::format("'{}' of the records is {}, and '{}' of the table is {}: they are never equal",
                    left.name, type_name(left.type), right.name, type_name(right.type)),
        "bring both to one type with a map operator first");
  }

  void parse_take() {
    const Config& take = config_["take"];
    if (take.is_map()) {
      for (const auto& [name, field] : take.entries()) take_field(name, field);
      return;
    }
    for (const Config* item : items_of(take)) take_field(item->text(), *item);
  }

  void take_field(const std::string& name, const Config& node) {
    const std::size_t field = find_field(node, table_, declaration_.diagnostics);
    if (records_.index_of(name) || settings_.rows.index_of(name)) {
      declaration_.diagnostics.error(
          node.place(), fmt::format("the output would have two fields '{}'", name),
          fmt::format("give it another name: `take: {{new_name: {}}}`", node.text()));
      return;
    }
    settings_.taken.push_back(field);
    settings_.rows.add(name, table_.width() == 0 ? runtime::Type::kString : table_[field].type);
  }

  Declaration& declaration_;
  const Config& config_;
  const Schema& records_;
  const Schema& table_;
  JoinSettings settings_;
};

runtime::RowText describe(const Schema& rows, std::string_view bytes) {
  std::vector<Value> values(rows.width());
  if (!runtime::CompactRowCodec(rows).take(bytes, values.data())) return {{"damaged", ""}};
  runtime::RowText text;
  std::string scratch;
  for (std::size_t i = 0; i < values.size(); ++i) {
    text.emplace_back(rows[i].name, runtime::value_text(rows[i].type, values[i], scratch));
  }
  return text;
}

void declare(Declaration& declaration) {
  JoinSettings settings = Parser(declaration).run();
  declaration.key_fields = settings.key;
  declaration.input_keys = {settings.key, settings.table_key};
  declaration.tables = {
      {.name = "rows",
       .layout = fmt::format("rows ({})", settings.rows.to_string()),
       .describe = [rows = settings.rows](std::string_view, std::string_view value) {
         return describe(rows, value);
       }}};
  declaration.output = *declaration.inputs[kRecords];
  for (const runtime::Field& field : settings.rows.fields()) {
    declaration.output.add(field.name, field.type);
  }
  declaration.side_outputs = {{"unmatched", *declaration.inputs[kRecords]}};
  declaration.keep(std::move(settings));
}

std::unique_ptr<runtime::Operator> create(const Declaration& declaration) {
  return std::make_unique<Join>(declaration, declaration.kept<JoinSettings>());
}

const runtime::Registration registration(runtime::OperatorType{
    .descriptor =
        {.name = "join",
         .summary = "Gives records what a table, kept from another stream, says of their key.",
         .description =
             "The second stream of `input` is a table: its last record of each key is kept. Each "
             "record of the first stream gets the fields `take` of the row that has its key when "
             "the record comes. What is there of the table is read before the records are; a row "
             "that comes later changes the records after it, and none that have passed.\n\n"
             "Records without a row have nulls in these fields, or go to the output `unmatched` "
             "if somebody reads it. A null in the key is equal to nothing. A stream of changes "
             "(such as `changes` of `count`) takes its rows back itself; of others `deleted` says "
             "which records do.",
         .options =
             {{.name = "key",
               .type = OptionType::kList,
               .doc = "Fields of the records by which the row is found.",
               .required = true,
               .members = {{.name = "field",
                            .type = OptionType::kField,
                            .doc = "A field of the records."}}},
              {.name = "table_key",
               .type = OptionType::kList,
               .doc = "The table's fields that are equal to them, in the same order. Default: "
                      "those of the same names.",
               .members =
                   {{.name = "field", .type = OptionType::kField, .doc = "A field of the table."}}},
              {.name = "take",
               .type = OptionType::kAny,
               .doc = "Fields of the table that records get: a list, or a map of the new name -> "
                      "the table's.",
               .required = true},
              {.name = "deleted",
               .type = OptionType::kAny,
               .doc = "Records of the table that remove its row. " +
                      std::string(Condition::doc())}},
         .inputs = {{.name = "records", .doc = "Records that get more fields."},
                    {.name = "table",
                     .doc = "Rows to be looked up, each by its key.",
                     .changes = Changes::kTaken,
                     .first = true}},
         .outputs = {{.name = "unmatched",
                      .doc = "Records whose key has no row, as they came. Unread: they go to the "
                             "main output, with nulls."}},
         .keyed = true,
         .stateful = true,
         .example = "type: join\nkey: [dept]\ntable_key: [id]\ntake: {dept_name: party_name}\n"
                    "deleted: {status: closed}\n"},
    .declare = declare,
    .create = create});

}  // namespace
}  // namespace huiliu::operators
