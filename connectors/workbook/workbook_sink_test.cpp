#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/testing.h"
#include "formats/xlsx_reader.h"
#include "runtime/registry.h"

namespace huiliu::connectors {
namespace {

using runtime::Record;
using runtime::Schema;
using runtime::Type;
using runtime::Value;
using testing::config_of;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Positions;
using testing::TemporaryFolder;

const Schema kRejects({{"name", Type::kString},
                       {"amount", Type::kInt64},
                       {"reject_code", Type::kString},
                       {"reject_field", Type::kString},
                       {"reject_value", Type::kString},
                       {"reject_rule", Type::kString},
                       {"reject_message_en", Type::kString},
                       {"reject_message_zh", Type::kString},
                       {"reject_by", Type::kString}});

struct Sink {
  Sink(const TemporaryFolder& folder, const std::string& text)
      : type(*runtime::Registry::linked().sink("workbook")),
        config(runtime::with_defaults(config_of(text), type.descriptor.options)),
        declaration(config, {&kRejects}, diagnostics) {
    type.declare(declaration);
    EXPECT_FALSE(diagnostics.has_errors()) << diagnostics.to_string();
    context.node_name = "returned";
    context.base_folder = folder.path();
    file = type.create_file(declaration);
    encoder = type.create_encoder(declaration, 0);
  }
  void open(const Positions& positions = {}) {
    context.positions = positions;
    const runtime::Status status = file->open(context);
    ASSERT_TRUE(status.is_ok()) << status.message();
  }
  void add(const std::string& name, const std::string& partition, std::uint64_t offset,
           const std::string& code = "E201") {
    std::vector<Value> values = {Value::of_text(name),     Value(),
                                 Value::of_text(code),     Value::of_text("amount"),
                                 Value::of_text("12x"),    Value::of_text("r@1"),
                                 Value::of_text("not so"), Value::of_text("不是数字"),
                                 Value::of_text("check")};
    Record record;
    record.values = values.data();
    record.width = 9;
    record.origin = {&partition, offset};
    std::string bytes;
    encoder->encode(record, bytes);
    ASSERT_TRUE(file->append(bytes, 1).is_ok());
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
  std::unique_ptr<runtime::FileLikeSink> file;
  std::unique_ptr<runtime::SinkEncoder> encoder;
};

std::string sheet_text(const std::string& path) {
  formats::XlsxReader reader;
  EXPECT_TRUE(reader.open(path).ok());
  EXPECT_TRUE(reader.select_sheet(std::size_t{0}).ok());
  std::string text;
  formats::XlsxRow row;
  while (reader.next_row(row)) {
    for (const formats::XlsxCell& cell : row.cells) text += std::string(cell.text) + "|";
    text += "\n";
  }
  return text;
}

TEST(WorkbookSink, WritesEachCommittedRowOnceWithItsReason) {
  TemporaryFolder folder;
  const std::string config =
      "{path: out/r.xlsx, columns: [{field: name, heading: 名称}, {field: amount, heading: 金额}]}";
  Positions committed;
  {
    Sink sink(folder, config);
    sink.open();
    sink.add("甲", "a.csv", 1);
    committed = sink.prepare();
    sink.add("lost", "a.csv", 2);
    sink.prepare();
  }
  Sink sink(folder, config);
  sink.open(committed);
  sink.add("乙", "a.csv", 2);
  sink.prepare();
  ASSERT_TRUE(sink.file->finish().is_ok());
  EXPECT_EQ(sheet_text(folder.path("out/r.xlsx")),
            "名称|金额|退回原因|来源|\n"
            "甲|12x|金额：不是数字 [E201]|a.csv:1|\n"
            "乙|12x|金额：不是数字 [E201]|a.csv:2|\n");
}

TEST(WorkbookSink, WritesOneWorkbookForEachFile) {
  TemporaryFolder folder;
  Sink sink(folder, "{path: 'out/r-{}.xlsx', split_by: _source, language: en}");
  sink.open();
  sink.add("x", "in/a.csv", 1);
  sink.add("y", "in/b.csv", 7);
  sink.prepare();
  ASSERT_TRUE(sink.file->finish().is_ok());
  EXPECT_THAT(sheet_text(folder.path("out/r-in_a.csv.xlsx")), HasSubstr("x|12x|amount: not so"));
  EXPECT_THAT(sheet_text(folder.path("out/r-in_b.csv.xlsx")), HasSubstr("in/b.csv:7"));
}

TEST(WorkbookSink, TheNewestRowOfAKeyCounts) {
  TemporaryFolder folder;
  const std::string config =
      "{path: 'out/r-{}.xlsx', split_by: _source, key: [name], delete_when: {reject_code: ''}}";
  Positions committed;
  {
    Sink sink(folder, config);
    sink.open();
    for (const char* name : {"x", "y", "z"}) sink.add(name, "a.csv", 1);
    sink.add("w", "b.csv", 1);
    committed = sink.prepare();
    ASSERT_TRUE(sink.file->finish().is_ok());
  }
  EXPECT_THAT(sheet_text(folder.path("out/r-b.csv.xlsx")), HasSubstr("w|"));
  Sink sink(folder, config);
  sink.open(committed);
  sink.add("y", "a.csv", 2, "");
  sink.add("z", "a.csv", 3, "E999");
  sink.add("w", "b.csv", 1, "");
  sink.prepare();
  ASSERT_TRUE(sink.file->finish().is_ok());
  const std::string text = sheet_text(folder.path("out/r-a.csv.xlsx"));
  EXPECT_THAT(text, HasSubstr("x|12x|"));
  EXPECT_THAT(text, Not(HasSubstr("y|")));
  EXPECT_THAT(text, HasSubstr("z|12x|amount：不是数字 [E999]|a.csv:3|"));
  EXPECT_THAT(text, Not(HasSubstr("[E201]|a.csv:3")));
  EXPECT_FALSE(std::filesystem::exists(folder.path("out/r-b.csv.xlsx")));  // nothing is left of it
}

}  // namespace
}  // namespace huiliu::connectors
