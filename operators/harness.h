#pragma once

#include <algorithm>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "runtime/component/registry.h"
#include "runtime/record/key.h"
#include "state/epoch_store.h"

namespace huiliu::operators::testing {

/// One record in a test: field → value as text ("~" for null; fields left out are null).
using Row = std::map<std::string, std::string>;

/// Why `action` finds that a state is damaged; "" if it does not.
template <class Action>
std::string damage_found(const Action& action) {
  try {
    action();
  } catch (const runtime::StatusError& error) {
    EXPECT_EQ(error.status().code(), runtime::StatusCode::kCorrupt);
    return error.what();
  }
  return "";
}

/// Cuts the last byte off.
inline std::string without_end(std::string_view value) {
  return std::string(value.substr(0, value.size() - 1));
}

/// Builds one operator from YAML and an input schema ("name: type, ..."; type string if left out),
/// pushes rows, and keeps what comes out. Tables live in a temporary store; restart() commits an
/// epoch and goes on with a new instance, crash() goes on with what was committed last.
class Harness {
 public:
  Harness(std::string_view yaml, std::string_view fields) : schema_(parse_schema(fields)) {
    static int number = 0;
    folder_ = std::filesystem::temp_directory_path() /
              ("huiliu-operators-" + std::to_string(::getpid()) + "-" + std::to_string(++number));
    std::filesystem::create_directories(folder_);
    yaml_ = yaml;
  }
  ~Harness() {
    operator_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  Harness(const Harness&) = delete;
  Harness& operator=(const Harness&) = delete;

  /// A file beside the topology file, such as a code table.
  Harness& file(const std::string& name, std::string_view text) {
    std::FILE* out = std::fopen((folder_ / name).c_str(), "wb");
    std::fwrite(text.data(), 1, text.size(), out);
    std::fclose(out);
    return *this;
  }

  /// The fields of the second input, of an operator whose inputs differ. Default: those of the
  /// first.
  Harness& second(std::string_view fields) {
    second_ = parse_schema(fields);
    return *this;
  }

  /// Diagnostics of the config; empty if it is right.
  std::string problems() {
    build();
    return diagnostics_.to_string();
  }

  /// The same row as the `offset`-th that was pushed.
  void push_again(std::uint64_t offset, const Row& row) {
    const std::uint64_t next = std::exchange(offset_, offset - 1);
    push(row);
    offset_ = next;
  }
  void push(const Row& row, std::int64_t event_time = runtime::kNoEventTime) {
    push_to(0, row, runtime::Change::kInsert, event_time);
  }
  void push_to(std::size_t input, const Row& row, runtime::Change change = runtime::Change::kInsert,
               std::int64_t event_time = runtime::kNoEventTime) {
    start();
    if (!operator_) return;
    const runtime::Schema& schema = *declaration_->inputs[input];
    std::vector<runtime::Value> slots(kSlots);
    for (std::size_t i = 0; i < schema.width(); ++i) {
      const auto found = row.find(schema[i].name);
      if (found != row.end()) slots[i] = parse_value(found->second, schema[i].type);
    }
    for (const auto& [name, text] : row) {
      EXPECT_TRUE(schema.index_of(name)) << "no field " << name;
    }
    runtime::Record record;
    record.values = slots.data();
    record.width = static_cast<std::uint32_t>(schema.width());
    record.change = change;
    record.event_time = event_time;
    record.origin = {&partition_, ++offset_};
    record.id = runtime::record_id(1, offset_);
    if (!declaration_->key_fields.empty()) {
      record.key_hash = runtime::KeyBuilder(schema, declaration_->key_of(input)).hash(record);
    }
    outputs_->received(record);
    operator_->process(input, record, *outputs_);
    check_balance();
  }

  void watermark(std::int64_t time) {
    start();
    in_order([&] { operator_->on_watermark(time, *outputs_); });
  }
  void end_of_input() { watermark(runtime::kEndOfTime); }
  void end_epoch() {
    start();
    in_order([&] { operator_->on_epoch(*outputs_); });
    std::vector<state::Changes> changes;
    for (state::Table* table : tables_) changes.push_back(table->freeze_epoch(epoch_ + 1));
    state::Commit commit;
    commit.epoch = ++epoch_;
    for (const state::Changes& change : changes) commit.changes.push_back(&change);
    if (store_) {
      EXPECT_TRUE(store_->commit(commit).is_ok());
    }
  }
  void crash() {
    operator_.reset();
    tables_.clear();
    store_.reset();
  }
  void restart() {
    end_epoch();
    crash();
  }

  /// Nobody reads the port, from the next start on.
  void unread(const std::string& port) { unread_.insert(port); }

  /// The operator under another config, from now on.
  void change(std::string_view yaml) {
    crash();
    declaration_.reset();
    yaml_ = yaml;
  }

  /// What came out of a port since the last call: "field=value field=value", one entry a record.
  /// Port "" is the main output, "rejects" the refused records.
  std::vector<std::string> take(std::string_view port = "") {
    rows_.erase(std::string(port));
    return std::exchange(taken_[std::string(port)], {});
  }
  /// The same, only these fields' values, joined by '|'.
  std::vector<std::string> take(std::string_view port, const std::vector<std::string>& fields) {
    std::vector<std::string> result;
    for (const Row& row : std::exchange(rows_[std::string(port)], {})) {
      std::string line;
      for (const std::string& field : fields) {
        if (&field != &fields.front()) line += '|';
        const auto found = row.find(field);
        line += found == row.end() ? "?" : found->second;
      }
      result.push_back(std::move(line));
    }
    taken_.erase(std::string(port));
    return result;
  }
  std::uint64_t dropped() const { return dropped_; }
  runtime::ManualClock& clock() { return clock_; }
  /// From the next start on; 0: rows are new.
  void rejudge(std::uint64_t number) { rejudgement_ = number; }
  /// From the next start on: what the operator and its tables may have in memory.
  void limit(std::uint64_t cache_bytes, std::uint64_t table_bytes) {
    cache_bytes_ = cache_bytes;
    table_bytes_ = table_bytes;
  }
  /// From now on: how many records of one shard come out of its state at once.
  void pieces(std::size_t rows) { piece_rows_ = rows; }
  /// What the operator has not made yet, though it is due.
  std::int64_t held_time() const { return operator_->held_time(); }
  /// Rows of an open table, as `huiliu state` shows them.
  std::vector<std::string> rows(std::size_t table) {
    start();
    std::vector<std::string> found;
    tables_.at(table)->for_each([&](std::uint16_t, std::string_view key, std::string_view value) {
      std::string line;
      for (const auto& [name, text] : declaration_->tables.at(table).describe(key, value)) {
        line += (line.empty() ? "" : " ") + name + "=" + text;
      }
      found.push_back(std::move(line));
    });
    std::sort(found.begin(), found.end());
    return found;
  }
  /// Changes the value of every row of an open table, as damage would.
  void damage(std::size_t table, const std::function<std::string(std::string_view)>& change) {
    start();
    std::vector<std::tuple<std::uint16_t, std::string, std::string>> rows;
    tables_.at(table)->for_each(
        [&](std::uint16_t shard, std::string_view key, std::string_view value) {
          rows.emplace_back(shard, key, change(value));
        });
    for (const auto& [shard, key, value] : rows) {
      tables_.at(table)->put(shard, key, runtime::KeyBuilder::hash_bytes(key), value);
    }
  }
  const runtime::Declaration& declaration() {
    build();
    return *declaration_;
  }

 private:
  static constexpr std::size_t kSlots = 64;

  class Catcher final : public runtime::Operator {
   public:
    Catcher(Harness& harness, std::string port, runtime::Schema schema)
        : harness_(harness), port_(std::move(port)), schema_(std::move(schema)) {}
    void process(std::size_t /*input*/, runtime::Record& record, runtime::Outputs&) override {
      EXPECT_EQ(record.width, schema_.width()) << "port " << port_;
      Row row;
      std::string line;
      for (std::size_t i = 0; i < schema_.width(); ++i) {
        const std::string text = value_text(record[i], schema_[i].type);
        row[schema_[i].name] = text;
        if (i > 0) line += ' ';
        line += schema_[i].name + "=" + text;
      }
      harness_.rows_[port_].push_back(std::move(row));
      harness_.taken_[port_].push_back(std::move(line));
    }

   private:
    Harness& harness_;
    std::string port_;
    runtime::Schema schema_;
  };

  class Context final : public runtime::OperatorContext {
   public:
    explicit Context(Harness& harness) : harness_(harness) {}
    const std::string& node_name() const override { return name_; }
    runtime::Result<state::Table*> table(std::string_view name) override {
      return &harness_.open_table(name);
    }
    std::uint16_t shard_of(std::uint64_t hash) const override {
      return static_cast<std::uint16_t>((hash >> 40) % 4);
    }
    const std::vector<std::uint16_t>& shards() const override { return shards_; }
    runtime::Clock& clock() override { return harness_.clock_; }
    std::size_t row_slots() const override { return kSlots; }
    std::size_t piece_rows() const override { return harness_.piece_rows_; }
    std::uint64_t rejudgement() const override { return harness_.rejudgement_; }
    std::uint64_t cache_bytes() const override { return harness_.cache_bytes_; }

   private:
    Harness& harness_;
    std::string name_ = "node";
    std::vector<std::uint16_t> shards_ = {0, 1, 2, 3};
  };

  /// Holds an operator to what it must do so that its order does not depend on threads.
  struct Ascending final : runtime::StateOrder {
    void begin(std::uint16_t shard, std::int64_t time) override {
      const std::pair now(time, shard);
      EXPECT_TRUE(!last || *last < now) << "begin_rows() must ascend";
      last = now;
    }
    std::optional<std::pair<std::int64_t, std::uint16_t>> last;
  };
  template <class Call>
  void in_order(const Call& call) {
    Ascending order;
    const bool keyed = !declaration_->key_fields.empty();
    outputs_->set_state_order(&order, keyed);
    call();
    outputs_->set_state_order(nullptr, keyed);
  }

  static runtime::Schema parse_schema(std::string_view fields) {
    runtime::Schema schema;
    while (!fields.empty()) {
      const std::size_t comma = std::min(fields.find(','), fields.size());
      std::string_view field = fields.substr(0, comma);
      fields.remove_prefix(std::min(comma + 1, fields.size()));
      while (field.starts_with(' ')) field.remove_prefix(1);
      const std::size_t colon = field.find(": ");
      const auto type = colon == std::string_view::npos
                            ? std::optional(runtime::Type::kString)
                            : runtime::parse_type(field.substr(colon + 2));
      schema.add(field.substr(0, colon), type.value());
    }
    return schema;
  }

  runtime::Value parse_value(const std::string& text, runtime::Type type) {
    if (text == "~") return {};
    if (runtime::is_text(type)) return runtime::Value::of_text(arena_.copy(text));
    if (type == runtime::Type::kFloat64) return runtime::Value::of_real(std::stod(text));
    if (type == runtime::Type::kBool) return runtime::Value::of_bool(text == "true");
    return runtime::Value::of_integer(std::stoll(text));
  }

  static std::string value_text(const runtime::Value& value, runtime::Type type) {
    if (value.is_null()) return "~";
    if (runtime::is_text(type)) return std::string(value.text());
    if (type == runtime::Type::kFloat64) {
      std::string text = std::to_string(value.real());
      text.erase(text.find_last_not_of('0') + 1);
      if (text.back() == '.') text.pop_back();
      return text;
    }
    if (type == runtime::Type::kBool) return value.boolean() ? "true" : "false";
    return std::to_string(value.integer());
  }

  void build() {
    if (declaration_) return;
    const std::string path = (folder_ / "topology.yaml").string();
    const runtime::Config raw = runtime::parse_config(yaml_, path, diagnostics_);
    type_ = runtime::Registry::linked().operator_type(raw["type"].text());
    ASSERT_NE(type_, nullptr) << "no operator type " << raw["type"].text();
    runtime::check_config(raw, type_->descriptor.options, {"type", "input"}, diagnostics_);
    config_ = runtime::with_defaults(raw, type_->descriptor.options);
    std::vector<const runtime::Schema*> inputs = {&schema_};
    if (type_->descriptor.inputs.size() == 2) inputs.push_back(second_ ? &*second_ : &schema_);
    declaration_ = std::make_unique<runtime::Declaration>(config_, std::move(inputs), diagnostics_);
    if (!diagnostics_.has_errors()) type_->declare(*declaration_);
  }

  void start() {
    if (operator_) return;
    build();
    ASSERT_FALSE(diagnostics_.has_errors()) << diagnostics_.to_string();
    const auto& sides = declaration_->side_outputs;
    outputs_ = std::make_unique<runtime::Outputs>("node", 1 + sides.size(),
                                                  static_cast<std::uint32_t>(schema_.width()));
    outputs_->set_arena(&arena_);
    listen(outputs_->port(0), "", declaration_->output);
    for (std::size_t i = 0; i < sides.size(); ++i) {
      listen(outputs_->port(i + 1), sides[i].first, sides[i].second);
    }
    runtime::Schema rejects = schema_;
    for (std::string_view name : runtime::kRejectFields) {
      rejects.add(name, runtime::Type::kString);
    }
    listen(outputs_->reject_port(), "rejects", rejects);
    operator_ = type_->create(*declaration_);
    EXPECT_TRUE(operator_->open(context_).is_ok());
  }

  void listen(runtime::Port& port, const std::string& name, const runtime::Schema& schema) {
    if (unread_.contains(name)) return;
    port.target = catchers_.emplace_back(std::make_unique<Catcher>(*this, name, schema)).get();
    port.target_outputs = &ignored_;
  }

  state::Table& open_table(std::string_view name) {
    if (!store_) {
      state::StoreOptions options;
      options.synchronous_flush = true;
      options.identity = "test";
      options.memory_bytes = table_bytes_;
      auto store = state::EpochStore::open((folder_ / "state").string(), options);
      EXPECT_TRUE(store.is_ok()) << store.status().message();
      store_ = std::move(store.value());
      epoch_ = store_->last_epoch();
    }
    state::Table* table = store_->table(std::string(name), {0, 1, 2, 3}).value();
    tables_.push_back(table);
    return *table;
  }

  // Every record ends in exactly one way.
  void check_balance() {
    const runtime::Outputs::Counts counts = outputs_->take_counts();
    EXPECT_EQ(counts.received.count, counts.emitted.count + counts.rejected.count +
                                         counts.dropped.count + counts.absorbed.count);
    dropped_ += counts.dropped.count;
  }

  std::filesystem::path folder_;
  std::string yaml_;
  runtime::Schema schema_;
  std::optional<runtime::Schema> second_;
  runtime::Diagnostics diagnostics_;
  runtime::Config config_;
  const runtime::OperatorType* type_ = nullptr;
  std::unique_ptr<runtime::Declaration> declaration_;
  runtime::ManualClock clock_{1'577'836'800'000};  // 2020-01-01
  Context context_{*this};
  std::unique_ptr<state::EpochStore> store_;
  std::vector<state::Table*> tables_;
  std::uint64_t epoch_ = 0;
  std::unique_ptr<runtime::Outputs> outputs_;
  runtime::Outputs ignored_{"", 0, 0};
  std::vector<std::unique_ptr<Catcher>> catchers_;
  std::set<std::string> unread_;
  std::unique_ptr<runtime::Operator> operator_;
  runtime::Arena arena_;
  std::string partition_ = "test";
  std::uint64_t offset_ = 0;
  std::uint64_t dropped_ = 0;
  std::uint64_t rejudgement_ = 0;
  std::size_t piece_rows_ = 4096;
  std::uint64_t cache_bytes_ = 16u << 20, table_bytes_ = 64u << 20;
  std::map<std::string, std::vector<Row>> rows_;
  std::map<std::string, std::vector<std::string>> taken_;
};

}  // namespace huiliu::operators::testing
