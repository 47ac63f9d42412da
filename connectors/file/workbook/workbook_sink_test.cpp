#include <filesystem>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codecs/files/content_hash.h"
#include "connectors/file/workbook/workbook_parts.h"
#include "connectors/testing.h"
#include "formats/xlsx_reader.h"
#include "runtime/component/registry.h"

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
                       {"reject_by", Type::kString},
                       {"reject_faults", Type::kString}});

struct Sink {
  Sink(const TemporaryFolder& folder, const std::string& text,
       const std::string& source_text = "{type: file, path: in, fields: [name, amount]}")
      : type(*runtime::Registry::linked().sink("workbook")),
        config(runtime::with_defaults(config_of(text), type.descriptor.options)),
        source_config(config_of(source_text)),
        source(source_config, {}, diagnostics),
        declaration(config, {&kRejects}, diagnostics) {
    runtime::Registry::linked().source("file")->declare(source);
    declaration.sources["lines"] = &source;
    type.declare(declaration);
    EXPECT_FALSE(diagnostics.has_errors()) << diagnostics.to_string();
    context.node_name = "returned";
    context.base_folder = folder.path();
    context.clock = &clock;
    file = type.create_epoch_sink(declaration);
    encoder = type.create_encoder(declaration, 0);
  }
  void open(const Positions& positions = {}) {
    context.positions = positions;
    const runtime::Status status = file->open(context);
    ASSERT_TRUE(status.is_ok()) << status.message();
  }
  void add(const std::string& name, const std::string& partition, std::uint64_t offset,
           const std::string& code = "E201", const std::string& faults = "") {
    std::vector<Value> values = {
        Value::of_text(name),     Value(),
        Value::of_text(code),     Value::of_text("amount"),
        Value::of_text("12x"),    Value::of_text("r@1"),
        Value::of_text("not so"), Value::of_text("不是数字"),
        Value::of_text("check"),  faults.empty() ? Value() : Value::of_text(faults)};
    Record record;
    record.values = values.data();
    record.width = 10;
    record.origin = {&partition, offset};
    record.id = runtime::record_id(file_hash, offset);
    std::string bytes;
    encoder->encode(record, bytes);
    ASSERT_TRUE(file->append(bytes, 1).is_ok());
  }
  Positions prepare() {
    Positions positions;
    EXPECT_TRUE(file->prepare(positions).is_ok());
    return positions;
  }

  Positions commit() {
    const Positions positions = prepare();
    file->committed();
    return positions;
  }
  runtime::Status settle(bool stopping = false) { return file->settle(stopping); }
  /// Rows that are added from here on are those of this file.
  void read_from(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    file_hash =
        codecs::hash_of_name("file:" + *codecs::quick_hash(fd, std::filesystem::file_size(path)));
    ::close(fd);
  }

  const runtime::SinkType& type;
  runtime::Config config;
  runtime::Config source_config;
  runtime::Diagnostics diagnostics;
  runtime::SourceDeclaration source;
  runtime::ManualClock clock;
  std::uint64_t file_hash = 0;
  runtime::SinkDeclaration declaration;
  runtime::SinkContext context;
  std::unique_ptr<runtime::EpochSink> file;
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

TEST(WorkbookSink, HasTheColumnsOfTheFileAsTheyWereSent) {
  TemporaryFolder folder;
  folder.write(
      "in/a.csv",
      "姓名,编号,金额,证件\nM1234567,=1,12x,110105194912310021\n乙,2,3,x\n无,\"3,4\n无,5,1,2,3\n");
  Sink sink(
      folder, "{path: 'r-{}.xlsx', split_by: _source, originals: lines, mask: [name]}",
      "{type: file, path: in, fields: [name, amount], mappings: [{columns: {姓名: name, 金额: "
      "amount}}]}");
  sink.read_from(folder.path("in/a.csv"));
  sink.open();
  sink.add("", "a.csv", 4);
  sink.add("normalised", "a.csv", 1);
  sink.add("", "a.csv", 3, "E802");
  sink.add("", "a.csv", 9, "E805");
  sink.commit();
  ASSERT_TRUE(sink.file->finish().is_ok());
  EXPECT_EQ(sheet_text(folder.path("r-a.csv.xlsx")),
            "姓名|编号|金额|证件|退回原因|来源|\n"
            "********|=1|12x|110105********0021|金额：不是数字 [E201]|a.csv:1|\n"
            "无|\"3|4|金额：不是数字 [E802]|a.csv:3|\n"
            "无|5|1|2,3|金额：不是数字 [E201]|a.csv:4|\n"
            "12x|金额：不是数字 [E805]|a.csv:9|\n");
}

TEST(WorkbookSink, HasTheKeysOfLinesForHeadings) {
  TemporaryFolder folder;
  folder.write("in/a.ndjson",
               "{\"姓名\":\"甲\",\"more\":[1, 2]}\n{\"姓名\":\"good\"}\n"
               "{\"金额\":12.50,\"姓名\":null}\n{\"broken\":\n");
  Sink sink(
      folder, "{path: 'r-{}.xlsx', split_by: _source, originals: lines}",
      "{type: file, path: in, fields: [name, amount], mappings: [{columns: {姓名: name, 金额: "
      "amount}}]}");
  sink.read_from(folder.path("in/a.ndjson"));
  sink.open();
  for (const std::uint64_t row : {1U, 3U, 4U}) sink.add("normalised", "a.ndjson", row);
  sink.commit();
  ASSERT_TRUE(sink.file->finish().is_ok());
  EXPECT_THAT(sheet_text(folder.path("r-a.ndjson.xlsx")),
              ::testing::MatchesRegex("姓名.more.金额.退回原因[^\n]*\n甲..1,2..[^\n]*\n"
                                      ".*12.50?.金额[^\n]*\n.\"broken\":.[^\n]*\n"));
}

TEST(WorkbookSink, ShowsNoCellsOfAnotherFileOfTheSameName) {
  TemporaryFolder folder;
  const std::string config = "{path: 'r-{}.xlsx', split_by: _source, originals: lines}";
  Sink sink(folder, config, "{type: file, path: in, fields: [name, amount]}");
  folder.write("in/a.csv", "name,amount,more\nold,1,a\nold,2,b\n");
  sink.read_from(folder.path("in/a.csv"));
  sink.open();
  sink.add("was 1", "a.csv", 1);
  sink.add("was 2", "a.csv", 2);
  folder.write("in/a.csv", "amount,name\n3,new\n");
  sink.read_from(folder.path("in/a.csv"));
  sink.add("is 1", "a.csv", 1);
  sink.commit();
  ASSERT_TRUE(sink.file->finish().is_ok());
  EXPECT_THAT(sheet_text(folder.path("r-a.csv.xlsx")),
              ::testing::MatchesRegex("amount.name.[^\n]*\n3.new.[^\n]*\n"
                                      "12x.was 1.[^\n]*\n12x.was 2.[^\n]*\n"));
}

TEST(WorkbookSink, WithoutTheFileItHasTheHeadingsOfItsMapping) {
  TemporaryFolder folder;
  folder.write("in/a.csv", "姓名\n甲\n");
  Sink sink(
      folder, "{path: 'r-{}.xlsx', split_by: _source, originals: lines}",
      "{type: file, path: in, fields: [name, amount], mappings: [{columns: {姓名: name, 名称: "
      "name, 金额: amount}}]}");
  sink.open();  // the row is of another content than the file
  sink.add("甲", "a.csv", 1);
  sink.add("乙", "b.csv", 1);
  sink.commit();
  ASSERT_TRUE(sink.file->finish().is_ok());
  EXPECT_EQ(sheet_text(folder.path("r-a.csv.xlsx")),
            "姓名|金额|退回原因|来源|\n甲|12x|金额：不是数字 [E201]|a.csv:1|\n");
  EXPECT_THAT(sheet_text(folder.path("r-b.csv.xlsx")), HasSubstr("乙|12x|"));
}

TEST(WorkbookSink, SaysEveryFaultByItsHeading) {
  TemporaryFolder folder;
  Sink sink(folder, "{path: r.xlsx, columns: [{field: name, heading: 名称}]}");
  sink.open();
  sink.add("甲", "a.csv", 1, "E101_MISSING",
           R"([{"field":"name","heading":"主体","code":"E101_MISSING","zh":"缺失"},)"
           R"({"field":"other","heading":"其他","code":"E999","zh":"请改正"}])");
  sink.commit();
  ASSERT_TRUE(sink.file->finish().is_ok());
  EXPECT_THAT(
      sheet_text(folder.path("r.xlsx")),
      HasSubstr("甲|名称：缺失，请补填后重报 [E101_MISSING]；其他：请改正 [E999]|a.csv:1|"));
}

TEST(WorkbookSink, WritesCommittedRowsWhileTheInputGoesOn) {
  TemporaryFolder folder;
  const std::string config = "{path: 'r-{}.xlsx', split_by: _source, every: 1s}";
  const std::string a = folder.path("r-a.csv.xlsx");
  Positions committed;
  {
    Sink sink(folder, config);
    sink.open();
    sink.add("x", "a.csv", 1);
    sink.prepare();
    sink.clock.advance(1000);
    ASSERT_TRUE(sink.settle().is_ok());
    EXPECT_FALSE(std::filesystem::exists(a));  // not committed
    sink.file->committed();
    ASSERT_TRUE(sink.settle().is_ok());
    EXPECT_THAT(sheet_text(a), HasSubstr("a.csv:1"));
    std::filesystem::remove(a);
    sink.add("y", "b.csv", 1);
    sink.commit();
    ASSERT_TRUE(sink.settle().is_ok());
    EXPECT_FALSE(std::filesystem::exists(folder.path("r-b.csv.xlsx")));  // not due
    ASSERT_TRUE(sink.settle(true).is_ok());
    EXPECT_TRUE(std::filesystem::exists(folder.path("r-b.csv.xlsx")));
    EXPECT_FALSE(std::filesystem::exists(a));  // nothing new in it
    sink.add("z", "c.csv", 1);
    committed = sink.commit();
  }
  Sink sink(folder, config);
  sink.open(committed);
  ASSERT_TRUE(sink.settle().is_ok());  // what a process that died has left to do
  EXPECT_THAT(sheet_text(folder.path("r-c.csv.xlsx")), HasSubstr("c.csv:1"));
  ASSERT_TRUE(sink.file->finish().is_ok());
  EXPECT_TRUE(std::filesystem::exists(a));
}

TEST(WorkbookSink, TwoValuesNeverShareAWorkbook) {
  TemporaryFolder folder;
  Sink sink(folder, "{path: 'r-{}.xlsx', split_by: _source}");
  sink.open();
  const std::vector<std::string> files = {"x.xlsx", "x",          "a/b.csv",    "a_b.csv",
                                          "x.csv",  "x.csv.xlsx", "x.xlsx.xlsx"};
  for (const std::string& file : files) sink.add(file, file, 1);
  sink.commit();
  ASSERT_TRUE(sink.file->finish().is_ok());
  std::size_t workbooks = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    workbooks += entry.path().extension() == ".xlsx" ? 1 : 0;
  }
  EXPECT_EQ(workbooks, files.size());
  EXPECT_THAT(sheet_text(folder.path("r-x.xlsx")), HasSubstr("x.xlsx|12x|"));
  EXPECT_THAT(sheet_text(folder.path("r-a_b.csv.xlsx")), HasSubstr("a/b.csv|12x|"));
}

TEST(WorkbookName, IsShortValidAndDistinct) {
  EXPECT_EQ(workbook_name("06_x.xlsx"), "06_x");
  EXPECT_EQ(workbook_name("d/06_x.csv"), "d_06_x.csv");
  EXPECT_EQ(workbook_name(".x"), "_.x");
  std::string first, second;
  for (int i = 0; i < 60; ++i) first += "汉";
  second = first + "字";
  EXPECT_NE(workbook_name(first), workbook_name(second));
  EXPECT_EQ(workbook_name("a" + first).substr(0, 148), ("a" + first).substr(0, 148));
  EXPECT_EQ(workbook_name("a" + first)[148], '-');
}

TEST(WorkbookSink, NamesASourceThatIsThere) {
  const runtime::SinkType& type = *runtime::Registry::linked().sink("workbook");
  runtime::Diagnostics diagnostics;
  const runtime::Config config = runtime::with_defaults(
      config_of("{path: r.xlsx, originals: absent}"), type.descriptor.options);
  runtime::SinkDeclaration declaration(config, {&kRejects}, diagnostics);
  type.declare(declaration);
  EXPECT_THAT(diagnostics.to_string(), HasSubstr("names no source of type `file`"));
}

}  // namespace
}  // namespace huiliu::connectors
