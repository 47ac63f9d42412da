#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/testing.h"
#include "runtime/component/registry.h"

namespace huiliu::connectors {
namespace {

using runtime::Record;
using runtime::Schema;
using runtime::Status;
using runtime::StatusCode;
using runtime::Type;
using runtime::Value;
using testing::config_of;
using ::testing::HasSubstr;
using testing::Positions;
using testing::TemporaryFolder;

struct Sink {
  Sink(const TemporaryFolder& folder, const std::string& text, std::vector<const Schema*> inputs)
      : type(*runtime::Registry::linked().sink("file")),
        config(runtime::with_defaults(config_of(text), type.descriptor.options)),
        declaration(config, std::move(inputs), diagnostics) {
    type.declare(declaration);
    context.node_name = "sink";
    context.base_folder = folder.path();
    file = type.create_epoch_sink(declaration);
  }
  Status open(const Positions& positions = {}) {
    context.positions = positions;
    return file->open(context);
  }
  std::string encode(std::vector<Value> values, std::size_t input = 0) {
    Record record;
    record.values = values.data();
    record.width = static_cast<std::uint32_t>(values.size());
    std::string out;
    type.create_encoder(declaration, input)->encode(record, out);
    return out;
  }
  Positions prepare() {
    Positions positions;
    EXPECT_TRUE(file->prepare(positions).is_ok());
    return positions;
  }

  const runtime::SinkType& type;
  runtime::Config config;
  runtime::Diagnostics diagnostics;
  runtime::SinkDeclaration declaration;
  runtime::SinkContext context;
  std::unique_ptr<runtime::EpochSink> file;
};

const Schema kInput({{"s", Type::kString}, {"n", Type::kInt64}, {"d", Type::kDate}});

TEST(FileSink, WritesCompactJsonWithEscapes) {
  TemporaryFolder folder;
  Sink sink(folder, "{path: out.ndjson}", {&kInput});
  const std::string tricky = std::string("a\"b\\c\n\t\r\x01", 9) + std::string(40, 'x') + "\"中";
  EXPECT_EQ(sink.encode({Value::of_text(tricky), Value::of_integer(-7), Value::of_integer(19793)}),
            "{\"s\":\"a\\\"b\\\\c\\n\\t\\r\\u0001" + std::string(40, 'x') +
                "\\\"中\",\"n\":-7,\"d\":\"2024-03-11\"}\n");
  EXPECT_EQ(sink.encode({Value(), Value(), Value()}), "{}\n");
}

TEST(FileSink, EscapesAtEveryPlaceOfEveryLength) {
  TemporaryFolder folder;
  const Schema input({{"s", Type::kString}});
  Sink sink(folder, "{path: out.ndjson}", {&input});
  for (std::size_t size = 0; size < 50; ++size) {
    const std::string plain(size, 'y');
    EXPECT_EQ(sink.encode({Value::of_text(plain)}), "{\"s\":\"" + plain + "\"}\n");
    for (std::size_t at = 0; at < size; ++at) {
      std::string text = plain;
      text[at] = '"';
      EXPECT_EQ(sink.encode({Value::of_text(text)}),
                "{\"s\":\"" + plain.substr(0, at) + "\\\"" + plain.substr(at + 1) + "\"}\n");
    }
  }
}

TEST(FileSink, WritesNullsAsToldAndProjectsStreamsByName) {
  TemporaryFolder folder;
  const Schema other({{"n", Type::kInt64}});
  Sink sink(folder, "{path: o, nulls: default, fields: [s, n, {name: r, field: s, default: none}]}",
            {&kInput, &other});
  EXPECT_EQ(sink.encode({Value(), Value(), Value()}), "{\"s\":\"\",\"n\":0,\"r\":\"none\"}\n");
  EXPECT_EQ(sink.encode({Value::of_integer(3)}, 1), "{\"s\":\"\",\"n\":3,\"r\":\"none\"}\n");
  Sink nulls(folder, "{path: o, nulls: 'null', fields: [n]}", {&kInput});
  EXPECT_EQ(nulls.encode({Value(), Value(), Value()}), "{\"n\":null}\n");
}

TEST(FileSink, UnknownFieldsAreErrorsWithTheNearestName) {
  TemporaryFolder folder;
  const Schema input({{"amount", Type::kInt64}});
  Sink sink(folder, "{path: o, fields: [amuont]}", {&input});
  EXPECT_THAT(sink.diagnostics.to_string(), HasSubstr("amount"));
}

TEST(FileSink, CutsBackWhatWasNotCommitted) {
  TemporaryFolder folder;
  Positions committed;
  {
    Sink sink(folder, "{path: deep/out.ndjson}", {&kInput});
    ASSERT_TRUE(sink.open().is_ok());
    ASSERT_TRUE(sink.file->append("one\n", 1).is_ok());
    committed = sink.prepare();
    ASSERT_TRUE(sink.file->append("two\n", 1).is_ok());
    sink.prepare();
  }
  EXPECT_EQ(folder.read("deep/out.ndjson"), "one\ntwo\n");
  Sink again(folder, "{path: deep/out.ndjson}", {&kInput});
  ASSERT_TRUE(again.open(committed).is_ok());
  ASSERT_TRUE(again.file->append("three\n", 1).is_ok());
  again.prepare();
  ASSERT_TRUE(again.file->finish().is_ok());
  EXPECT_EQ(folder.read("deep/out.ndjson"), "one\nthree\n");
}

TEST(FileSink, StartsOverAfterACrashBeforeTheFirstCommit) {
  TemporaryFolder folder;
  {
    Sink sink(folder, "{path: out.ndjson}", {&kInput});
    ASSERT_TRUE(sink.open().is_ok());
    ASSERT_TRUE(sink.file->append("lost\n", 1).is_ok());
    sink.prepare();
  }
  Sink again(folder, "{path: out.ndjson}", {&kInput});
  ASSERT_TRUE(again.open().is_ok());
  again.prepare();
  EXPECT_EQ(folder.read("out.ndjson"), "");
}

TEST(FileSink, LeavesAForeignFileAlone) {
  TemporaryFolder folder;
  folder.write("out.ndjson", "mine\n");
  Sink sink(folder, "{path: out.ndjson}", {&kInput});
  EXPECT_EQ(sink.open().code(), StatusCode::kInvalid);
  EXPECT_EQ(folder.read("out.ndjson"), "mine\n");
  Sink over(folder, "{path: out.ndjson, overwrite: true}", {&kInput});
  EXPECT_TRUE(over.open().is_ok());
  EXPECT_EQ(folder.read("out.ndjson"), "");
}

TEST(FileSink, RefusesAFileShorterThanCommitted) {
  TemporaryFolder folder;
  folder.write("out.ndjson", "one\n");
  Sink sink(folder, "{path: out.ndjson}", {&kInput});
  EXPECT_EQ(sink.open({{"length", "5"}}).code(), StatusCode::kCorrupt);
  std::filesystem::remove(folder.path("out.ndjson"));
  EXPECT_EQ(sink.open({{"length", "5"}}).code(), StatusCode::kCorrupt);
}

TEST(FileSink, WritesCsvWithOneHeader) {
  TemporaryFolder folder;
  const std::string config = "{path: out.csv, format: csv, fields: [s, {name: 数量, field: n}]}";
  Positions committed;
  {
    Sink sink(folder, config, {&kInput});
    ASSERT_TRUE(sink.open().is_ok());
    const std::string row = sink.encode({Value::of_text("a,\"b"), Value::of_integer(1), Value()});
    ASSERT_TRUE(sink.file->append(row, 1).is_ok());
    committed = sink.prepare();
  }
  Sink sink(folder, config, {&kInput});
  ASSERT_TRUE(sink.open(committed).is_ok());
  ASSERT_TRUE(sink.file->append("x,2\n", 1).is_ok());
  sink.prepare();
  EXPECT_EQ(folder.read("out.csv"), "s,数量\n\"a,\"\"b\",1\nx,2\n");
}

TEST(FileSink, AFullDiskIsUnavailableAndLosesNothing) {
  TemporaryFolder folder;
  std::filesystem::create_symlink("/dev/full", folder.path("out.ndjson"));
  Sink sink(folder, "{path: out.ndjson}", {&kInput});
  ASSERT_TRUE(sink.open().is_ok());
  ASSERT_TRUE(sink.file->append("x\n", 1).is_ok());
  for (int attempt = 0; attempt < 2; ++attempt) {
    Positions positions;
    const Status status = sink.file->prepare(positions);
    EXPECT_EQ(status.code(), StatusCode::kUnavailable);
    EXPECT_THAT(status.message(), HasSubstr("no space"));
    EXPECT_TRUE(positions.empty());
  }
}

}  // namespace
}  // namespace huiliu::connectors
