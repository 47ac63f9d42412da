#include <algorithm>
#include <cstring>
#include <map>
#include <optional>

#include "operators/field_names.h"
#include "operators/key_counts.h"
#include "operators/open_windows.h"
#include "operators/window_rows.h"
#include "runtime/component/registry.h"
#include "runtime/record/key.h"
#include "state/table.h"

namespace huiliu::operators {
namespace {

using runtime::Config;
using runtime::Declaration;
using runtime::KeyBuilder;
using runtime::kNoEventTime;
using runtime::OptionType;
using runtime::Outputs;
using runtime::Record;
using runtime::Schema;
using runtime::Type;
using runtime::Value;

constexpr std::size_t kLatePort = 1;

std::int64_t floor_to(std::int64_t time, std::int64_t step) {
  const std::int64_t rest = time % step;
  return time - (rest < 0 ? rest + step : rest);
}

class WindowCount final : public runtime::Operator {
 public:
  WindowCount(KeyBuilder key, std::vector<Type> types, std::int64_t window_ms)
      : key_(std::move(key)),
        types_(std::move(types)),
        window_ms_(window_ms),
        windows_(window_ms) {}

  runtime::Status open(runtime::OperatorContext& context) override {
    context_ = &context;
    HUILIU_ASSIGN_OR_RETURN(table_, context.table("open"));
    row_.resize(context.row_slots());
    for (const std::uint16_t shard : context.shards()) restore_closed(shard);
    windows_.open(*table_, context);
    return runtime::Status::ok();
  }

  void process(std::size_t /*input*/, Record& record, Outputs& out) override {
    const std::int64_t time = record.event_time;
    if (time == kNoEventTime) {
      out.reject(record, {"E101_MISSING",
                          "event_time",
                          {},
                          "window_count",
                          "the record has no event time",
                          "记录没有事件时间"});
      return;
    }
    const bool same =
        current_ != nullptr && time >= current_start_ && time - current_start_ < window_ms_;
    const std::int64_t start = same ? current_start_ : floor_to(time, window_ms_);
    if (start + window_ms_ <= latest_closed_ && is_closed(start, record)) {
      return late(record, out);
    }
    if (!same) {
      current_start_ = start;
      current_ = &windows_.at(start);
    }
    windows_.count(start, *current_, key_.build(record), record.key_hash);
    out.absorb(record);
  }

  void on_watermark(std::int64_t watermark_ms, Outputs& out) override {
    // The end of today's input is not the end of time: more input may be there at the next start.
    if (watermark_ms != runtime::kEndOfTime) close_to(watermark_ms);
    if (windows_.close_to(watermark_ms - window_ms_)) current_ = nullptr;
    std::optional<std::pair<std::int64_t, std::uint16_t>> last;
    windows_.give_closed(context_->piece_rows(), [&](const OpenWindows::Row& row) {
      const std::pair place(row.start, row.shard);
      if (place != last) out.begin_rows(row.shard, row.start);
      last = place;
      emit(row, out);
    });
  }

  std::int64_t held_time() const override {
    const std::int64_t start = windows_.first_closed();
    return start == runtime::kEndOfTime ? start : start + window_ms_ - 1;
  }

  void on_epoch(Outputs&) override {
    windows_.save();
    const std::uint64_t hash = KeyBuilder::hash_bytes(kClosedKey);
    for (auto& [shard, closed] : closed_) {
      if (closed.saved == closed.to) continue;
      closed.saved = closed.to;
      char bytes[sizeof closed.to];
      std::memcpy(bytes, &closed.to, sizeof bytes);
      table_->put(shard, kClosedKey, hash, {bytes, sizeof bytes});
    }
  }

 private:
  // A late record that nobody asked for must not vanish: whoever reads the rejects gets it.
  static void late(Record& record, Outputs& out) {
    if (out.is_read(kLatePort)) return out.emit(record, kLatePort);
    out.reject(record, {"E411_LATE",
                        "event_time",
                        {},
                        "window_count",
                        "the record came after its window was closed",
                        "记录到达时其时间窗口已关闭"});
  }

  /// Of each shard, whoever had it before: its windows that end by then are closed for good.
  struct Closed {
    std::int64_t to = kNoEventTime;
    std::int64_t saved = kNoEventTime;
  };

  void close_to(std::int64_t watermark_ms) {
    for (auto& [shard, closed] : closed_) closed.to = std::max(closed.to, watermark_ms);
    latest_closed_ = std::max(latest_closed_, watermark_ms);
  }

  // A shard that another process had may be further than the others of this one.
  bool is_closed(std::int64_t start, const Record& record) const {
    const auto shard = closed_.find(context_->shard_of(record.key_hash));
    return shard != closed_.end() && start + window_ms_ <= shard->second.to;
  }

  void restore_closed(std::uint16_t shard) {
    Closed& closed = closed_[shard];
    const auto value = table_->get(shard, kClosedKey, KeyBuilder::hash_bytes(kClosedKey));
    if (!value) return;
    const auto to = read_number(*value);
    if (!to) table_->refuse_row(shard);
    closed = {*to, *to};
    latest_closed_ = std::max(latest_closed_, *to);
  }

  void emit(const OpenWindows::Row& row, Outputs& out) {
    const std::int64_t start = row.start;
    decode_key(out.arena().copy(row.key), types_, row_.data());
    const std::size_t fields = types_.size();
    row_[fields] = Value::of_integer(start);
    row_[fields + 1] = Value::of_integer(start + window_ms_);
    row_[fields + 2] = Value::of_integer(row.count);
    Record record;
    record.values = row_.data();
    record.width = static_cast<std::uint32_t>(fields + 3);
    record.event_time = start + window_ms_ - 1;
    record.id = runtime::record_id(row.hash, static_cast<std::uint64_t>(start));
    out.emit_new(record);
  }

  KeyBuilder key_;
  std::vector<Type> types_;
  std::int64_t window_ms_;
  runtime::OperatorContext* context_ = nullptr;
  state::Table* table_ = nullptr;
  OpenWindows windows_;
  OpenWindows::Window* current_ = nullptr;  // of the last record; most follow in the same window
  std::int64_t current_start_ = 0;
  std::map<std::uint16_t, Closed> closed_;  // per shard of this thread
  std::int64_t latest_closed_ = kNoEventTime;
  std::vector<Value> row_;
};

void declare(Declaration& declaration) {
  const Config& config = declaration.config;
  const Schema& input = declaration.input();
  const std::size_t errors = declaration.diagnostics.errors();
  const std::vector<std::size_t> fields =
      find_fields(config["key"], input, declaration.diagnostics);
  if (config["window"].as_duration().count() <= 0) {
    declaration.diagnostics.error(config["window"].place(), "a window is longer than nothing");
  }
  declaration.key_fields = config["key"].as_strings();
  declaration.tables = {
      windows_table(input, declaration.key_fields, config["window"].as_duration().count())};
  if (declaration.diagnostics.errors() != errors) return;
  for (std::size_t field : fields) declaration.output.add(input[field].name, input[field].type);
  for (std::string_view name : {"window_start", "window_end", "count"}) {
    if (declaration.output.index_of(name)) {
      declaration.diagnostics.error(
          config["key"].place(),
          "the key has a field '" + std::string(name) + "', which the operator makes itself");
    }
    declaration.output.add(name, Type::kInt64);
  }
  declaration.side_outputs = {{"late", input}};
}

std::unique_ptr<runtime::Operator> create(const Declaration& declaration) {
  const Schema& input = declaration.input();
  std::vector<Type> types;
  for (const std::string& name : declaration.key_fields) {
    types.push_back(input[input.index_of(name).value()].type);
  }
  return std::make_unique<WindowCount>(KeyBuilder(input, declaration.key_fields), std::move(types),
                                       declaration.config["window"].as_duration().count());
}

const runtime::Registration registration(runtime::OperatorType{
    .descriptor =
        {.name = "window_count",
         .summary = "Counts records by key in tumbling windows of event time.",
         .description =
             "Windows start at multiples of their length since the Unix epoch. When the watermark "
             "passes a window's end, one record per key comes out: the key's fields, "
             "`window_start`, `window_end` (both in ms; the end is not part of the window) and "
             "`count`, in the order of windows, then shards of keys, then keys. At the end of "
             "bounded input all windows "
             "close. Records of a window that has closed go to the output `late`, or, if nobody "
             "reads it, to "
             "`rejects` (E411_LATE).",
         .options = {{.name = "key",
                      .type = OptionType::kList,
                      .doc = "Fields to count by.",
                      .required = true,
                      .members = {{.name = "field",
                                   .type = OptionType::kField,
                                   .doc = "A field of the input."}}},
                     {.name = "window",
                      .type = OptionType::kDuration,
                      .doc = "Length of a window.",
                      .required = true}},
         .outputs = {{.name = "late",
                      .doc = "Records whose window has closed already. Unread: they are rejects."}},
         .keyed = true,
         .stateful = true,
         .needs_event_time = true,
         .rejects = true,
         .example = "type: window_count\nkey: [dept, kind]\nwindow: 10s\n"},
    .declare = declare,
    .create = create});

}  // namespace
}  // namespace huiliu::operators
