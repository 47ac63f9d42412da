#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/sqlite/database.h"
#include "connectors/testing.h"
#include "runtime/component/registry.h"

namespace huiliu::connectors {
namespace {

using runtime::OutboxEntry;
using runtime::Record;
using runtime::Schema;
using runtime::StatusCode;
using runtime::Type;
using runtime::Value;
using testing::config_of;
using ::testing::HasSubstr;
using testing::TemporaryFolder;

const Schema kInput({{"id", Type::kString}, {"n", Type::kInt64}, {"state", Type::kString}});

struct Sink {
  Sink(const TemporaryFolder& folder, const std::string& text)
      : type(*runtime::Registry::linked().sink("sqlite")),
        config(runtime::with_defaults(config_of(text), type.descriptor.options)),
        declaration(config, {&kInput}, diagnostics) {
    type.declare(declaration);
    context.node_name = "library";
    context.base_folder = folder.path();
    encoder = type.create_encoder(declaration, 0);
    store = type.create_outbox_sink(declaration);
  }
  runtime::Status open() { return store->open(context); }
  std::string row(std::optional<std::string> id, std::int64_t n, const std::string& state,
                  std::uint64_t offset) {
    const std::string partition = "in.csv";
    std::vector<Value> values = {id ? Value::of_text(*id) : Value(), Value::of_integer(n),
                                 Value::of_text(state)};
    Record record;
    record.values = values.data();
    record.width = 3;
    record.origin = {&partition, offset};
    std::string bytes;
    encoder->encode(record, bytes);
    return bytes;
  }

  const runtime::SinkType& type;
  runtime::Config config;
  runtime::Diagnostics diagnostics;
  runtime::SinkDeclaration declaration;
  runtime::SinkContext context;
  std::unique_ptr<runtime::SinkEncoder> encoder;
  std::unique_ptr<runtime::OutboxSink> store;
};

std::string query(const TemporaryFolder& folder, const std::string& sql) {
  Database database;
  EXPECT_TRUE(database.open(folder.path("out/lib.db")).is_ok());
  Statement statement;
  EXPECT_TRUE(database.prepare(sql, statement).is_ok());
  std::string result;
  for (;;) {
    bool row = false;
    EXPECT_TRUE(statement.step(row).is_ok());
    if (!row) return result;
    result += statement.text(0) + ";";
  }
}

const std::string kKeyed =
    "{path: out/lib.db, table: t, key: [id], busy: 1ms, delete_when: {state: gone}}";

TEST(SqliteSink, UpsertsDeletesAndRemembersItsPosition) {
  TemporaryFolder folder;
  {
    Sink sink(folder, kKeyed);
    ASSERT_FALSE(sink.diagnostics.has_errors()) << sink.diagnostics.to_string();
    ASSERT_TRUE(sink.open().is_ok());
    EXPECT_EQ(sink.store->position().value(), 0u);
    ASSERT_TRUE(
        sink.store
            ->apply({{1, sink.row("a", 1, "x", 1) + sink.row("b", 2, "x", 2), 2},
                     {2,
                      sink.row("a", 3, "y", 3) + sink.row("b", 2, "gone", 4) +
                          sink.row(std::nullopt, 4, "x", 5) + sink.row(std::nullopt, 5, "x", 6),
                      4}})
            .is_ok());
    ASSERT_TRUE(sink.store->finish().is_ok());
  }
  EXPECT_EQ(
      query(folder, "SELECT id || ' ' || n || ' ' || state || ' ' || _source FROM t ORDER BY id"),
      " 5 x in.csv:6;a 3 y in.csv:3;");
  Sink again(folder, kKeyed);
  ASSERT_TRUE(again.open().is_ok());
  EXPECT_EQ(again.store->position().value(), 2u);
}

TEST(SqliteSink, AppendedRowsAreThereOnceHoweverOftenDelivered) {
  TemporaryFolder folder;
  Sink sink(folder, "{path: out/lib.db, table: t}");
  ASSERT_TRUE(sink.open().is_ok());
  const OutboxEntry entry{1, sink.row("a", 1, "x", 1) + sink.row("a", 1, "x", 1), 2};
  ASSERT_TRUE(sink.store->apply({entry}).is_ok());
  ASSERT_TRUE(sink.store->apply({entry}).is_ok());
  EXPECT_EQ(query(folder, "SELECT count(*) FROM t"), "2;");
}

TEST(SqliteSink, ABusyDatabaseIsUnavailableAndTheTransactionIsWhole) {
  TemporaryFolder folder;
  Sink sink(folder, kKeyed);
  ASSERT_TRUE(sink.open().is_ok());
  EXPECT_EQ(sink.store->apply({{1, sink.row("a", 1, "x", 1) + "rubbish", 2}}).code(),
            StatusCode::kCorrupt);
  EXPECT_EQ(sink.store->position().value(), 0u);
  EXPECT_EQ(query(folder, "SELECT count(*) FROM t"), "0;");
  Database other;
  ASSERT_TRUE(other.open(folder.path("out/lib.db")).is_ok());
  ASSERT_TRUE(other.run("BEGIN IMMEDIATE").is_ok());
  EXPECT_EQ(sink.store->apply({{1, sink.row("a", 1, "x", 1), 1}}).code(), StatusCode::kUnavailable);
  other.roll_back();
  ASSERT_TRUE(sink.store->apply({{1, sink.row("a", 1, "x", 1), 1}}).is_ok());
}

TEST(SqliteSink, AddsMissingColumnsAndRefusesWhatIsNoDatabase) {
  TemporaryFolder folder;
  {
    Sink sink(folder, "{path: out/lib.db, table: t, key: [id], fields: [id]}");
    ASSERT_TRUE(sink.open().is_ok());
  }
  Sink wider(folder, kKeyed);
  ASSERT_TRUE(wider.open().is_ok());
  ASSERT_TRUE(wider.store->apply({{1, wider.row("a", 1, "x", 1), 1}}).is_ok());
  EXPECT_EQ(query(folder, "SELECT n FROM t"), "1;");
  folder.write("out/text.db", std::string(5000, 'x'));
  Sink wrong(folder, "{path: out/text.db, table: t}");
  EXPECT_EQ(wrong.open().code(), StatusCode::kCorrupt);
}

TEST(SqliteSink, ConfigErrorsNameTheNearestColumn) {
  TemporaryFolder folder;
  Sink sink(folder, "{path: x, table: t, key: [ids]}");
  EXPECT_THAT(sink.diagnostics.to_string(), HasSubstr("id"));
  EXPECT_TRUE(sink.diagnostics.has_errors());
}

}  // namespace
}  // namespace huiliu::connectors
