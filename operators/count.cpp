#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include "operators/condition.h"
#include "operators/field_names.h"
#include "operators/key_counts.h"
#include "runtime/base/failpoint.h"
#include "runtime/component/registry.h"
#include "runtime/record/key.h"
#include "state/table.h"

namespace huiliu::operators {
namespace {

using runtime::Change;
using runtime::Config;
using runtime::Declaration;
using runtime::OptionType;
using runtime::Outputs;
using runtime::Record;
using runtime::Schema;
using runtime::Type;
using runtime::Value;

constexpr std::size_t kChangesPort = 1;

/// Totals of a key as the table holds them; the counts of `where` follow, eight bytes each.
struct Totals {
  std::int64_t count = 0;
  std::int64_t sum = 0;
  double real_sum = 0;
  bool operator==(const Totals&) const = default;
};

/// Adds without running over. A sum that has reached a bound stays there: what is added or taken
/// back later would make it look like a sum again.
bool add_bounded(std::int64_t& sum, std::int64_t by) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  if (sum == kMost || sum == kLeast) return true;
  if (by == kMost || by == kLeast || __builtin_add_overflow(sum, by, &sum)) {
    sum = by < 0 ? kLeast : kMost;
    return false;
  }
  return true;
}

/// A count of those records that a condition holds for.
struct Where {
  std::string name;
  Condition condition;
};

std::vector<Where> parse_where(const Config& where, const Schema& input,
                               runtime::Diagnostics& diagnostics) {
  std::vector<Where> result;
  for (const auto& [name, condition] : where.entries()) {
    result.push_back({name, Condition::parse(condition, input, diagnostics)});
  }
  return result;
}

/// The epoch's increments are kept in memory and go to the table when the epoch ends.
class Count final : public runtime::Operator {
 public:
  Count(runtime::KeyBuilder key, std::vector<Type> types, int sum_field, Type sum_type,
        Condition retract, bool retracts, std::vector<Where> where, bool gives_changes)
      : key_(std::move(key)),
        types_(std::move(types)),
        sum_field_(sum_field),
        sum_type_(sum_type),
        retract_(std::move(retract)),
        retracts_(retracts),
        where_(std::move(where)),
        gives_changes_(gives_changes) {}

  runtime::Status open(runtime::OperatorContext& context) override {
    context_ = &context;
    HUILIU_ASSIGN_OR_RETURN(table_, context.table("totals"));
    row_.resize(context.row_slots());
    return runtime::Status::ok();
  }

  void process(std::size_t /*input*/, Record& record, Outputs& out) override {
    KeyCounts::Entry& entry = changes_.at(key_.build(record), record.key_hash);
    const bool back = takes_back(record.change) || (retracts_ && retract_.holds(record));
    const int sign = back && !runtime::mutant("count.keeps_deleted") ? -1 : 1;
    entry.count += sign;
    if (sum_field_ >= 0) {
      const Value& value = record[static_cast<std::size_t>(sum_field_)];
      if (!value.is_null()) {
        if (sum_type_ == Type::kFloat64) {
          if (!std::exchange(entry.changed, true)) entry.real_sum = stored_real_sum(entry);
          entry.real_sum += sign * value.real();
        } else {
          std::int64_t by = value.integer();
          if (sign < 0 && __builtin_sub_overflow(std::int64_t{0}, by, &by)) {
            by = std::numeric_limits<std::int64_t>::max();
          }
          if (!add_bounded(entry.sum, by)) report_overflow();
        }
      }
    }
    entry.tallies.resize(where_.size());
    for (std::size_t i = 0; i < where_.size(); ++i) {
      if (where_[i].condition.holds(record)) entry.tallies[i] += sign;
    }
    out.absorb(record);
  }

  void on_epoch(Outputs& out) override {
    const auto shard_of = [this](std::uint64_t hash) { return context_->shard_of(hash); };
    int last = -1;
    for (const KeyCounts::Entry& entry : changes_.take_sorted(shard_of)) {
      if (entry.shard != last) out.begin_rows(entry.shard);
      last = entry.shard;
      emit(entry, out);
    }
  }

 private:
  /// Sums of reals go on from the stored one, record by record: what they are rounded to does not
  /// depend on where epochs end.
  double stored_real_sum(const KeyCounts::Entry& entry) {
    Totals totals;
    const auto stored = table_->get(context_->shard_of(entry.hash), entry.key, entry.hash);
    if (stored && stored->size() >= sizeof totals) {
      std::memcpy(&totals, stored->data(), sizeof totals);
    }
    return totals.real_sum;
  }

  /// One amount that nobody can mean must not end the run of all others, so the sum is pinned to
  /// the bound, where it can be seen. Keys may be persons' numbers: they do not go to the log.
  void report_overflow() {
    if (std::exchange(overflowed_, true)) return;
    spdlog::error("{}: a sum is beyond 64 bits and stays at the bound; see the key whose sum is {}",
                  context_->node_name(), std::numeric_limits<std::int64_t>::max());
  }

  /// What the table says of a key.
  struct Row {
    Totals totals;
    std::vector<std::int64_t> tallies;  ///< of `where`
    bool operator==(const Row&) const = default;
  };

  void emit(const KeyCounts::Entry& entry, Outputs& out) {
    const std::uint16_t shard = context_->shard_of(entry.hash);
    read(shard, entry);
    was_ = row_of_key_;
    Totals& totals = row_of_key_.totals;
    totals.count += entry.count;
    if (!add_bounded(totals.sum, entry.sum)) report_overflow();
    if (entry.changed) totals.real_sum = entry.real_sum;
    for (std::size_t i = 0; i < where_.size(); ++i) row_of_key_.tallies[i] += entry.tallies[i];
    write(shard, entry);
    const std::size_t keys = types_.size();
    decode_key(out.arena().copy(entry.key), types_, row_.data());
    if (gives_changes_ && out.is_read(kChangesPort)) send_changes(entry, keys, out);
    Record record = record_of(row_of_key_, keys, entry);
    out.emit_new(record);
  }

  void read(std::uint16_t shard, const KeyCounts::Entry& entry) {
    row_of_key_.totals = {};
    row_of_key_.tallies.assign(where_.size(), 0);
    const auto stored = table_->get(shard, entry.key, entry.hash);
    if (!stored) return;
    const std::size_t tally_bytes = where_.size() * sizeof(std::int64_t);
    if (stored->size() != sizeof(Totals) + tally_bytes) table_->refuse_row(shard);
    std::memcpy(&row_of_key_.totals, stored->data(), sizeof(Totals));
    if (tally_bytes == 0) return;
    std::memcpy(row_of_key_.tallies.data(), stored->data() + sizeof(Totals), tally_bytes);
  }

  void write(std::uint16_t shard, const KeyCounts::Entry& entry) {
    bytes_.assign(reinterpret_cast<const char*>(&row_of_key_.totals), sizeof(Totals));
    for (const std::int64_t tally : row_of_key_.tallies) {
      bytes_.append(reinterpret_cast<const char*>(&tally), sizeof tally);
    }
    table_->put(shard, entry.key, entry.hash, bytes_);
  }

  /// What was said of the key is taken back before what holds now is said. A key of which nothing
  /// is counted has no row.
  void send_changes(const KeyCounts::Entry& entry, std::size_t keys, Outputs& out) {
    if (was_ == row_of_key_) return;
    const bool was = was_.totals.count != 0, is = row_of_key_.totals.count != 0;
    const auto send = [&](const Row& row, Change change) {
      Record record = record_of(row, keys, entry);
      record.change = change;
      row_[record.width++] = Value::of_text(runtime::change_text(takes_back(change)));
      out.emit_new(record, kChangesPort);
    };
    if (was) send(was_, is ? Change::kUpdateBefore : Change::kDelete);
    if (is) send(row_of_key_, was ? Change::kUpdateAfter : Change::kInsert);
  }

  /// The key's fields are in row_ already.
  Record record_of(const Row& row, std::size_t keys, const KeyCounts::Entry& entry) {
    std::size_t width = keys;
    row_[width++] = Value::of_integer(row.totals.count);
    if (sum_field_ >= 0) {
      row_[width++] = sum_type_ == Type::kFloat64 ? Value::of_real(row.totals.real_sum)
                                                  : Value::of_integer(row.totals.sum);
    }
    for (const std::int64_t tally : row.tallies) row_[width++] = Value::of_integer(tally);
    Record record;
    record.values = row_.data();
    record.width = static_cast<std::uint32_t>(width);
    record.id = runtime::record_id(entry.hash, static_cast<std::uint64_t>(row.totals.count));
    return record;
  }

  runtime::KeyBuilder key_;
  std::vector<Type> types_;
  int sum_field_;
  Type sum_type_;
  Condition retract_;
  bool retracts_;
  std::vector<Where> where_;
  bool gives_changes_;
  Row row_of_key_, was_;
  std::string bytes_;
  runtime::OperatorContext* context_ = nullptr;
  state::Table* table_ = nullptr;
  bool overflowed_ = false;
  KeyCounts changes_;
  std::vector<Value> row_;
};

std::string totals_layout(const Config& config, const Schema& input, std::size_t sum) {
  std::string layout = "count";
  if (config.has("sum")) {
    layout += fmt::format(" sum=({} {})", input[sum].name, type_name(input[sum].type));
  }
  if (config.has("retract")) layout += " retract";
  if (config.has("where")) {
    std::vector<std::string> names;
    for (const auto& [name, condition] : config["where"].entries()) names.push_back(name);
    layout += fmt::format(" where=({})", fmt::join(names, ", "));
  }
  return layout;
}

runtime::RowText describe_totals(const std::vector<std::string>& where, std::string_view value) {
  Totals totals;
  if (value.size() != sizeof totals + where.size() * sizeof(std::int64_t))
    return {{"damaged", std::to_string(value.size()) + " bytes"}};
  std::memcpy(&totals, value.data(), sizeof totals);
  runtime::RowText text = {{"count", std::to_string(totals.count)}};
  if (totals.sum != 0) text.emplace_back("sum", std::to_string(totals.sum));
  if (totals.real_sum != 0) text.emplace_back("sum", fmt::format("{}", totals.real_sum));
  for (std::size_t i = 0; i < where.size(); ++i) {
    std::int64_t tally = 0;
    std::memcpy(&tally, value.data() + sizeof totals + i * sizeof tally, sizeof tally);
    text.emplace_back(where[i], std::to_string(tally));
  }
  return text;
}

/// Counts of versions are no counts of records.
std::optional<runtime::Adoption> adopt_totals(std::string_view layout) {
  if (layout.find(" retract") != std::string_view::npos) return {};
  return runtime::Adoption{"starts empty: what it counted was never taken back", {}};
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
  parse_where(config["where"], input, declaration.diagnostics);
  Condition::parse(config["retract"], input, declaration.diagnostics);
  std::vector<std::string> where;
  for (const auto& [name, condition] : config["where"].entries()) where.push_back(name);
  declaration.tables = {{"totals", totals_layout(config, input, sum),
                         [where](std::string_view, std::string_view value) {
                           return describe_totals(where, value);
                         }}};
  if (config.has("retract")) declaration.tables.back().adopt = adopt_totals;
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
  for (const std::string& name : where) declaration.output.add(name, Type::kInt64);
  if (declaration.output.width() != keys + (config.has("sum") ? 2 : 1) + where.size()) {
    declaration.diagnostics.error(config["key"].place(),
                                  "the key has a field 'count' or 'sum', or one of the names in "
                                  "`where`, which the operator makes");
  }
  if (declaration.output.index_of(runtime::kChangeField)) return;  // it would have the name twice
  Schema changes = declaration.output;
  changes.add(runtime::kChangeField, Type::kString);
  declaration.side_outputs = {{"changes", std::move(changes)}};
  declaration.changing_outputs = {"changes"};
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
  const Config& config = declaration.config;
  return std::make_unique<Count>(
      runtime::KeyBuilder(input, declaration.key_fields), std::move(types), sum, sum_type,
      Condition::parse(config["retract"], input, declaration.diagnostics), config.has("retract"),
      parse_where(config["where"], input, declaration.diagnostics),
      !declaration.side_outputs.empty());
}

const runtime::Registration registration(runtime::OperatorType{
    .descriptor =
        {.name = "count",
         .summary = "Counts records by key, for good.",
         .description = "At the end of each epoch one record comes out for every key that changed: "
                        "the key's fields, `count` and, with `sum`, the sum of that field. Sinks "
                        "should take it as an upsert by the key. Records of a stream of changes "
                        "(such as `changes` of `compare`, or of another `count`) that take back an "
                        "earlier one count as -1.",
         .options = {{.name = "key",
                      .type = OptionType::kList,
                      .doc = "Fields to count by.",
                      .required = true,
                      .members = {{.name = "field",
                                   .type = OptionType::kField,
                                   .doc = "A field of the input."}}},
                     {.name = "sum",
                      .type = OptionType::kField,
                      .doc = "Number to sum up; absent values count as nothing."},
                     {.name = "retract",
                      .type = OptionType::kAny,
                      .doc = "Further records that take back one that was counted before: "
                             "they count as -1, and their number as its negative. " +
                             std::string(Condition::doc())},
                     {.name = "where",
                      .type = OptionType::kMap,
                      .doc = "Further counts: name of the field -> which records it "
                             "counts.",
                      .members = {{.name = "condition", .type = OptionType::kAny}}}},
         .changes = runtime::Changes::kTaken,
         .outputs = {{.name = "changes",
                      .doc = "What was said of a key and holds no longer, with `change` "
                             "= `delete`, then what holds now, with `insert`: for a "
                             "`count` of the counts. A key of which nothing is counted "
                             "has no row. Not there if a field is called `change`."}},
         .keyed = true,
         .stateful = true,
         .example = "type: count\nkey: [dept, kind]\nsum: amount\n"
                    "retract: {kind: withdrawn}\nwhere: {large: {amount: {more_than: "
                    "100}}}\n"},
    .declare = declare,
    .create = create});

}  // namespace
}  // namespace huiliu::operators
