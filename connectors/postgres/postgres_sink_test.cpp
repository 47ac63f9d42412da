#include "connectors/postgres/postgres_sink.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/postgres/binary_row.h"
#include "connectors/postgres/record_encoder.h"
#include "connectors/postgres/server_error.h"
#include "connectors/testing.h"
#include "runtime/component/registry.h"

namespace huiliu::connectors::postgres {
namespace {

using runtime::Change;
using runtime::Record;
using runtime::Schema;
using runtime::StatusCode;
using runtime::Type;
using runtime::Value;
using ::testing::HasSubstr;
using ::testing::Not;

const Schema kInput({{"n", Type::kInt64},
                     {"id", Type::kString},
                     {"at", Type::kTimestamp},
                     {"day", Type::kDate},
                     {"more", Type::kJson}});

struct Declared {
  explicit Declared(const std::string& text)
      : type(*runtime::Registry::linked().sink("postgres")),
        config(runtime::with_defaults(testing::config_of(text), type.descriptor.options)),
        declaration(config, {&kInput}, diagnostics) {
    type.declare(declaration);
  }
  const TableLayout& layout() const { return declaration.kept<SinkOptions>().layout; }
  std::string problems() const { return diagnostics.to_string(); }

  const runtime::SinkType& type;
  runtime::Config config;
  runtime::Diagnostics diagnostics;
  runtime::SinkDeclaration declaration;
};

/// What becomes of one record: its code, or nothing and the row is in `bytes`.
struct Encoded {
  explicit Encoded(const std::string& text) : declared(text) {
    EXPECT_FALSE(declared.diagnostics.has_errors()) << declared.problems();
    encoder = declared.type.create_encoder(declared.declaration, 0);
  }
  std::string code(std::vector<Value> values, Change change = Change::kInsert) {
    Record record;
    values.resize(kInput.width());
    record.values = values.data();
    record.width = static_cast<std::uint32_t>(values.size());
    record.change = change;
    const runtime::Reject* reject = encoder->encode(record, bytes);
    return reject == nullptr ? "" : std::string(reject->code);
  }
  Declared declared;
  std::unique_ptr<runtime::SinkEncoder> encoder;
  std::string bytes;
};

const std::string kKeyed = "{host: h, table: 'Sch\"e.t', key: [id], fields: [n, id]}";

TEST(PostgresLayout, PutsTheKeyFirstAndQuotesNames) {
  const Declared sink(kKeyed);
  EXPECT_EQ(sink.layout().create_sql(),
            "CREATE TABLE \"Sch\"\"e\".\"t\"(\"id\" text NOT NULL, \"n\" bigint, PRIMARY "
            "KEY(\"id\"))");
  EXPECT_EQ(sink.layout().upsert_sql(),
            "INSERT INTO \"Sch\"\"e\".\"t\"(\"id\", \"n\") SELECT * FROM unnest($1::text[], "
            "$2::bigint[]) ON CONFLICT(\"id\") DO UPDATE SET \"n\" = excluded.\"n\"");
  EXPECT_EQ(sink.layout().delete_sql(),
            "DELETE FROM \"Sch\"\"e\".\"t\" AS kept USING unnest($1::text[]) AS gone(key0) WHERE "
            "kept.\"id\" = gone.key0");
  const Declared only_key("{host: h, table: t, key: [id], fields: [id]}");
  EXPECT_THAT(only_key.layout().upsert_sql(), HasSubstr("DO NOTHING"));
  const Declared appended("{host: h, table: t, fields: [{name: number, field: n}]}");
  EXPECT_EQ(appended.layout().copy_sql(),
            "COPY \"public\".\"t\"(\"number\") FROM STDIN (FORMAT binary)");
  EXPECT_EQ(literal("a'b\\c"), "E'a''b\\\\c'");
}

TEST(PostgresLayout, MistakesAreNamedWithoutSecrets) {
  const Declared sink(
      "{url: 'postgresql://u:secret@word@h/d', database: x, table: huiliu_positions, key: [ids, "
      "more], settings: {sslmod: x}, fields: [id, more, {name: m, field: n, default: 0}]}");
  EXPECT_THAT(sink.problems(), Not(HasSubstr("secret")));
  EXPECT_THAT(sink.problems(), Not(HasSubstr("word@")));
  for (const char* part : {"%40", "does not go with", "%2F", "positions", "no column 'ids'",
                           "told apart", "sslmode", "`default`"}) {
    EXPECT_THAT(sink.problems(), HasSubstr(part));
  }
  const Declared nowhere("{table: t, delete_when: {id: x}}");
  EXPECT_THAT(nowhere.problems(), HasSubstr("needs a `key`"));
  EXPECT_THAT(nowhere.problems(), HasSubstr("where the server is"));
}

TEST(PostgresEncoder, WritesWhatTheServersReceiveFunctionsTake) {
  Encoded sink("{host: h, table: t, key: [id]}");
  ASSERT_EQ(
      sink.code({Value::of_integer(-2), Value::of_text("ü"), Value::of_integer(946'684'800'001),
                 Value::of_integer(10'958), Value::of_text("{}")}),
      "");
  constexpr char kExpected[] =
      "+\0\0\0\x2d"
      "\0\0\0\x02\xc3\xbc"
      "\0\0\0\x08\xff\xff\xff\xff\xff\xff\xff\xfe"
      "\0\0\0\x08\0\0\0\0\0\0\x03\xe8"
      "\0\0\0\x04\0\0\0\x01"
      "\0\0\0\x03\x01{}";
  EXPECT_EQ(sink.bytes, std::string(kExpected, sizeof kExpected - 1));
  std::string_view rest = sink.bytes;
  StoredRow row;
  ASSERT_TRUE(take_row(rest, 5, 1, row));
  EXPECT_FALSE(row.deletes);
  EXPECT_TRUE(rest.empty());
  rest = std::string_view(sink.bytes).substr(0, sink.bytes.size() - 1);
  EXPECT_FALSE(take_row(rest, 5, 1, row));
}

TEST(PostgresEncoder, WhatTakesBackDeletesTheKeyIfThereIsOne) {
  Encoded keyed("{host: h, table: t, key: [id], delete_when: {n: '7'}}");
  const std::vector<Value> values = {Value::of_integer(1), Value::of_text("a")};
  const std::string gone("-\0\0\0\5\0\0\0\1a", 10);
  ASSERT_EQ(keyed.code(values, Change::kDelete), "");
  ASSERT_EQ(keyed.code(values, Change::kUpdateBefore), "");
  ASSERT_EQ(keyed.code({Value::of_integer(7), Value::of_text("a")}), "");
  EXPECT_EQ(keyed.bytes, gone + gone + gone);
  ASSERT_EQ(keyed.code(values, Change::kUpdateAfter), "");
  EXPECT_EQ(keyed.bytes[gone.size() * 3], '+');
  Encoded appended("{host: h, table: t}");
  ASSERT_EQ(appended.code(values, Change::kDelete), "");
  EXPECT_EQ(appended.bytes[0], '+');
}

TEST(PostgresEncoder, RefusesWhatTheServerWouldNotTake) {
  Encoded sink("{host: h, table: t, key: [id]}");
  const Value id = Value::of_text("a"), n = Value::of_integer(1);
  EXPECT_EQ(sink.code({n}), "E815_NO_KEY");
  EXPECT_EQ(sink.code({n, Value::of_text(std::string_view("a\0b", 3))}), "E816_NOT_STORABLE");
  EXPECT_EQ(sink.code({n, Value::of_text("\xff")}), "E816_NOT_STORABLE");
  EXPECT_EQ(sink.code({n, Value::of_text(std::string(2601, 'x'))}), "E816_NOT_STORABLE");
  const auto most = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(sink.code({n, id, Value::of_integer(most)}), "E816_NOT_STORABLE");
  EXPECT_EQ(sink.code({n, id, n, Value::of_integer(most)}), "E816_NOT_STORABLE");
  EXPECT_EQ(sink.code({n, id, n, n, Value::of_text("{")}), "E816_NOT_STORABLE");
  EXPECT_EQ(sink.bytes, "");
  EXPECT_EQ(sink.code({n, id, n, n, Value::of_text("{\"a\": [1e5, \"\\ud83d\\ude00\"]}")}), "");
}

TEST(PostgresEncoder, KnowsWhichJsonTheServerTakes) {
  EXPECT_TRUE(is_storable_json("null"));
  EXPECT_TRUE(is_storable_json(" [1, -2.5e10] "));
  for (const char* text : {"", "nul", "\"\\u0000\"", "{\"\\u0000\": 1}", "\"\\ud800\"",
                           "\"\\udc00\"", "1e200000", "\"\xff\"", "[1] [2]"}) {
    EXPECT_FALSE(is_storable_json(text)) << text;
  }
  EXPECT_FALSE(is_storable_json(std::string(2000, '[') + std::string(2000, ']')));
  EXPECT_FALSE(is_storable_json(std::string(2000, '9')));
}

TEST(PostgresErrors, AreToldApartByTheirCodeInAnyLanguage) {
  const std::string chinese =
      "连接错误: 致命错误:  28P01: 用户 \"u\" 认证失败\nLOCATION:  auth.c\n";
  EXPECT_EQ(sqlstate_in(chinese), "28P01");
  EXPECT_EQ(first_line(chinese), "用户 \"u\" 认证失败");
  EXPECT_EQ(sqlstate_in("connection refused\n"), "");
  EXPECT_EQ(first_line("connection refused\n"), "connection refused");
  EXPECT_EQ(server_error("28P01", "x").code(), StatusCode::kInvalid);
  EXPECT_EQ(server_error("42P01", "x").code(), StatusCode::kInvalid);
  EXPECT_EQ(server_error("57P04", "x").code(), StatusCode::kInvalid);
  EXPECT_EQ(server_error("XX001", "x").code(), StatusCode::kCorrupt);
  for (const char* code : {"", "57P01", "57014", "53300", "40P01", "08006", "25006"}) {
    EXPECT_EQ(server_error(code, "x").code(), StatusCode::kUnavailable) << code;
  }
}

}  // namespace
}  // namespace huiliu::connectors::postgres
