#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "codecs/row_encoder.h"
#include "connectors/sqlite/shared_database.h"
#include "connectors/sqlite/table_layout.h"
#include "runtime/base/failpoint.h"
#include "runtime/base/paths.h"
#include "runtime/component/registry.h"
#include "runtime/record/compact_row.h"
#include "runtime/record/row_codec.h"
#include "runtime/record/value_text.h"

namespace huiliu::connectors {
namespace {

using runtime::OptionType;
using runtime::OutboxEntry;
using runtime::Result;
using runtime::SinkContext;
using runtime::SinkDeclaration;
using runtime::Status;
using runtime::Type;
using runtime::Value;

/// Projects a stream's rows to the table's columns, the last one says where the row was read.
class TableEncoder final : public runtime::SinkEncoder {
 public:
  TableEncoder(const TableLayout& layout, const runtime::Schema& input)
      : rows_(layout.columns), row_(layout.columns.width()) {
    for (const std::string& field : layout.fields) {
      const auto index = input.index_of(field);
      sources_.push_back(index ? static_cast<int>(*index) : -1);
    }
  }

  const runtime::Reject* encode(const runtime::Record& record, std::string& out) override {
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      row_[i] = sources_[i] < 0 ? Value() : record[static_cast<std::size_t>(sources_[i])];
    }
    row_.back() = Value();
    if (record.origin.partition != nullptr) {
      source_ = fmt::format("{}:{}", *record.origin.partition, record.origin.offset);
      row_.back() = Value::of_text(source_);
    }
    rows_.append(row_.data(), out);
    return nullptr;
  }

 private:
  runtime::CompactRowCodec rows_;
  std::vector<int> sources_;
  std::vector<Value> row_;
  std::string source_;
};

class SqliteSink final : public runtime::OutboxSink {
 public:
  SqliteSink(std::string path, std::string views, TableLayout layout, int busy_ms)
      : path_(std::move(path)),
        views_(std::move(views)),
        layout_(std::move(layout)),
        rows_(layout_.columns),
        busy_ms_(busy_ms),
        in_key_(layout_.columns.width()) {
    for (const std::size_t field : layout_.key) in_key_[field] = true;
  }

  ~SqliteSink() override { release(); }

  Status open(const SinkContext& context) override {
    sink_ = context.node_name;
    const std::string path = runtime::resolve_path(context.base_folder, path_);
    if (Status made = runtime::make_folder_of(path); !made.is_ok()) return made;
    release();
    Status opened = open_shared(path, busy_ms_, context.ending, shared_);
    if (!opened.is_ok()) return opened;
    const std::lock_guard lock(shared_->mutex);
    Status status = database().run(
        "CREATE TABLE IF NOT EXISTS _huiliu_position(sink TEXT PRIMARY KEY, sequence INTEGER)");
    if (status.is_ok()) status = layout_.create(database());
    if (status.is_ok() && !views_.empty()) status = database().run(views_);
    if (status.is_ok()) status = prepare();
    return status;
  }

  Result<std::uint64_t> position() override {
    const std::lock_guard lock(shared_->mutex);
    Statement statement;
    Status status =
        database().prepare("SELECT sequence FROM _huiliu_position WHERE sink = ?1", statement);
    if (!status.is_ok()) return status;
    statement.bind_text(1, sink_);
    bool row = false;
    status = statement.step(row);
    if (!status.is_ok()) return status;
    return row ? static_cast<std::uint64_t>(statement.integer(0)) : std::uint64_t{0};
  }

  Status apply(const std::vector<OutboxEntry>& entries) override {
    if (entries.empty()) return Status::ok();
    const std::lock_guard lock(shared_->mutex);
    if (runtime::mutant("sqlite.position_apart")) {
      if (Status status = save_position(entries.back().sequence); !status.is_ok()) return status;
      runtime::failpoint("sqlite.before_commit");
    }
    if (Status status = database().run("BEGIN IMMEDIATE"); !status.is_ok()) return status;
    Status status = write_all(entries);
    if (status.is_ok()) {
      runtime::failpoint("sqlite.before_commit");
      status = database().run("COMMIT");
    }
    if (!status.is_ok()) {
      database().roll_back();
      return status;
    }
    runtime::failpoint("sqlite.after_commit");
    return status;
  }

  Status finish() override {
    const std::lock_guard lock(shared_->mutex);
    return database().run("PRAGMA wal_checkpoint(TRUNCATE)");
  }

 private:
  Database& database() { return shared_->database; }

  /// Statements end before their connection, and while nobody else uses it.
  void release() {
    if (!shared_) return;
    {
      const std::lock_guard lock(shared_->mutex);
      statements_ = {};
    }
    shared_.reset();
  }

  Status prepare() {
    Status status = database().prepare(layout_.upsert_sql(), statements_.upsert);
    if (status.is_ok() && !layout_.key.empty()) {
      status = database().prepare(layout_.delete_sql(), statements_.erase);
    }
    if (status.is_ok()) {
      status = database().prepare(
          "INSERT INTO _huiliu_position VALUES(?1, ?2) ON CONFLICT(sink) DO UPDATE SET sequence = "
          "excluded.sequence",
          statements_.position);
    }
    return status;
  }

  Status save_position(std::uint64_t sequence) {
    statements_.position.bind_text(1, sink_);
    statements_.position.bind_integer(2, static_cast<std::int64_t>(sequence));
    return statements_.position.run();
  }

  Status write_all(const std::vector<OutboxEntry>& entries) {
    for (const OutboxEntry& entry : entries) {
      std::string_view bytes = entry.bytes;
      for (std::int64_t number = 0; !bytes.empty(); ++number) {
        if (!take(bytes)) {
          return Status::corrupt(sink_ + ": an entry of the outbox cannot be read");
        }
        constexpr int kRowBits = 24;
        const auto position = (static_cast<std::int64_t>(entry.sequence) << kRowBits) + number;
        if (Status status = write(position); !status.is_ok()) return status;
      }
    }
    return save_position(entries.back().sequence);
  }

  /// Outboxes of versions before 2026.2 hold FlatBuffers.
  bool take(std::string_view& bytes) {
    row_.resize(layout_.columns.width());
    return runtime::CompactRowCodec::begins(bytes)
               ? rows_.take(bytes, row_.data())
               : runtime::take_row(layout_.columns, bytes, row_);
  }

  Status write(std::int64_t position) {
    if (layout_.is_deletion(row_)) {
      int parameter = 1;
      for (std::size_t field : layout_.key) bind(statements_.erase, parameter++, field);
      return statements_.erase.run();
    }
    int parameter = 1;
    for (std::size_t i = 0; i < row_.size(); ++i) bind(statements_.upsert, parameter++, i);
    if (layout_.key.empty()) statements_.upsert.bind_integer(parameter, position);
    return statements_.upsert.run();
  }

  void bind(Statement& statement, int parameter, std::size_t field) {
    const Value& value = row_[field];
    // Parameters are null until they are bound. SQL's null equals nothing, not even itself: in a
    // key it would never be found again.
    if (value.is_null() && !in_key_[field]) return;
    const Type type = layout_.columns[field].type;
    if (type == Type::kFloat64) return statement.bind_real(parameter, value.real());
    if (type == Type::kBytes) return statement.bind_blob(parameter, value.text());
    if (type == Type::kDate) {
      return statement.bind_text(parameter, value_text(type, value, scratch_));
    }
    if (runtime::is_text(type)) return statement.bind_text(parameter, value.text());
    statement.bind_integer(parameter, value.integer());
  }

  struct Statements {
    Statement upsert, erase, position;
  };

  std::string path_, views_;
  TableLayout layout_;
  runtime::CompactRowCodec rows_;
  int busy_ms_;
  std::vector<bool> in_key_;
  std::string sink_;
  std::shared_ptr<SharedDatabase> shared_;
  Statements statements_;
  std::vector<Value> row_;
  std::string scratch_;
};

runtime::Descriptor descriptor() {
  runtime::Descriptor d;
  d.name = "sqlite";
  d.kind = runtime::ComponentKind::kSink;
  d.summary = "Writes rows to a table of an SQLite database.";
  d.description =
      "Rows go through the outbox; each transaction also stores the position in it, so that "
      "delivering again changes nothing. With a `key` rows are upserted, otherwise appended. The "
      "table and missing columns are created; the column `_source` says where a row was read "
      "(file:row). Timestamps are integers (ms), dates are text yyyy-mm-dd.";
  d.options = {
      {.name = "path",
       .type = OptionType::kPath,
       .doc = "Database file; folders are created.",
       .required = true},
      {.name = "table", .type = OptionType::kString, .doc = "Name of the table.", .required = true},
      {.name = "key",
       .type = OptionType::kList,
       .doc = "Fields of the primary key; a row with the same key replaces the older one. Null "
              "counts as empty.",
       .members = {{.name = "field", .type = OptionType::kString}}},
      {.name = "fields",
       .type = OptionType::kAny,
       .doc = "What is stored: field names, or maps of `name` (column) and `field`. Default: all."},
      {.name = "busy",
       .type = OptionType::kDuration,
       .doc = "How long to wait while others write before the sink counts as unavailable.",
       .default_text = "5s"},
      {.name = "views",
       .type = OptionType::kPath,
       .doc = "SQL file that is executed whenever the database is opened, to make views on its "
              "tables, also on those of other sinks. Relative to the file it is named in."},
      codecs::DeleteWhen::option(),
      runtime::outbox_option()};
  d.traits = {.idempotent = true,
              .reason = "the position in the outbox is stored in the same transaction as the rows"};
  d.example = "type: sqlite\ninput: accepted\npath: out/library.db\ntable: licences\nkey: [id]\n";
  return d;
}

std::string views_of(const runtime::Config& node) {
  if (!node.is_scalar()) return {};
  const auto folder = std::filesystem::path(node.place().file).parent_path();
  std::ifstream file(folder / node.text(), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

runtime::SinkType type() {
  runtime::SinkType t;
  t.descriptor = descriptor();
  t.declare = [](SinkDeclaration& declaration) {
    TableLayout layout =
        TableLayout::parse(declaration.config, declaration.inputs, declaration.diagnostics);
    declaration.part = "table '" + layout.table + "'";
    // SQLite's names of tables have no case.
    std::transform(declaration.part.begin(), declaration.part.end(), declaration.part.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    declaration.shares_part = !layout.key.empty();
    declaration.entries = layout.columns.to_string();
    declaration.keep(std::move(layout));
    const runtime::Config& views = declaration.config["views"];
    if (views.is_scalar() && views_of(views).empty()) {
      declaration.diagnostics.error(views.place(),
                                    fmt::format("cannot read the SQL file '{}'", views.text()),
                                    "paths are relative to the file they are written in");
    }
  };
  t.create_encoder = [](const SinkDeclaration& declaration, std::size_t input) {
    return std::make_unique<TableEncoder>(declaration.kept<TableLayout>(),
                                          *declaration.inputs[input]);
  };
  t.create_outbox_sink = [](const SinkDeclaration& declaration) {
    return std::make_unique<SqliteSink>(
        declaration.config["path"].as_string(), views_of(declaration.config["views"]),
        declaration.kept<TableLayout>(),
        static_cast<int>(declaration.config["busy"].as_duration().count()));
  };
  return t;
}

const runtime::Registration registration(type());

}  // namespace
}  // namespace huiliu::connectors
