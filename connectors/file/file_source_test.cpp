#include <filesystem>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codecs/row_encoder.h"
#include "connectors/file/source_harness.h"
#include "formats/xls_testing.h"
#include "formats/xlsx_writer.h"
#include "runtime/component/registry.h"

namespace huiliu::connectors {
namespace {

using runtime::ReadResult;
using runtime::Status;
using testing::config_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Positions;
using Source = testing::FileSourceHarness;
using ::testing::SizeIs;
using testing::TemporaryFolder;

const std::string kPlain = "{path: in.ndjson, fields: [a, {name: n, type: int64}]}";

TEST(FileSource, ReadsNdjsonWithEscapesNestedValuesAndNulls) {
  TemporaryFolder folder;
  folder.write("in.ndjson",
               "{\"a\":\"x\\n\\u4e2d\\ud83d\\ude00\",\"n\":1}\n"
               " { \"n\" : -5 , \"a\" : {\"k\":[1,\"}\"]} , \"zz\": true } \r\n"
               "\n"
               "{\"a\":null}\n{\"a\":12.50,\"a\":\"last\",\"n\":null}\n{}");
  Source source(folder, kPlain);
  ASSERT_TRUE(source.open().is_ok());
  EXPECT_EQ(source.run(), ReadResult::kEnd);
  EXPECT_THAT(source.rows,
              ElementsAre("1|x\n中😀|1", "2|{\"k\":[1,\"}\"]}|-5", "4|-|-", "5|last|-", "6|-|-"));
  EXPECT_THAT(source.rejects, IsEmpty());
}

TEST(FileSource, RefusesBadLinesAndGoesOn) {
  TemporaryFolder folder;
  std::string deep = "{\"a\":" + std::string(100, '[') + std::string(100, ']') + "}\n";
  folder.write("in.ndjson",
               "{\"a\":\"x\n{\"a\":\"x\"}}\n{\"a\":\"x\"} {}\n[1]\n{\"n\":\"7\"}\n"
               "{\"n\":1.5}\n{\"a\":\"\xFF\"}\n{\"a\":01}\n{\"a\":\"\\q\"}\n{\"a\":1,}\n" +
                   deep + "{\"a\":\"good\"}\n{\"a\":\"cut");
  Source source(folder, kPlain);
  ASSERT_TRUE(source.open().is_ok());
  EXPECT_EQ(source.run(), ReadResult::kEnd);
  EXPECT_THAT(source.rejects,
              ElementsAre("1!E801_BAD_JSON!", "2!E801_BAD_JSON!", "3!E801_BAD_JSON!",
                          "4!E801_BAD_JSON!", "5!E201_FORMAT!n", "6!E201_FORMAT!n",
                          "7!E803_BAD_ENCODING!", "8!E801_BAD_JSON!", "9!E801_BAD_JSON!",
                          "10!E801_BAD_JSON!", "11!E801_BAD_JSON!", "13!E801_BAD_JSON!"));
  EXPECT_THAT(source.rows, ElementsAre("12|good|-"));
  EXPECT_EQ(source.values[4], "\"7\"");
}

TEST(FileSource, MasksPersonalNumbersInRefusedRows) {
  TemporaryFolder folder;
  folder.write("in.ndjson", "{\"a\":\"350802190001010016\n");
  Source source(folder, kPlain);
  ASSERT_TRUE(source.open().is_ok());
  source.run();
  EXPECT_EQ(source.values.at(0), "{\"a\":\"350*************16");
}

TEST(FileSource, RefusesAHugeLineAndReadsTheRest) {
  TemporaryFolder folder;
  folder.write("in.ndjson",
               "{\"a\":\"1\"}\n{\"a\":\"" + std::string(50'000, 'x') + "\"}\n{\"a\":\"3\"}\n");
  Source source(folder, "{path: in.ndjson, fields: [a], max_row_bytes: 1000}");
  ASSERT_TRUE(source.open({}, 64).is_ok());
  EXPECT_EQ(source.run(), ReadResult::kEnd);
  EXPECT_THAT(source.rows, ElementsAre("1|1", "3|3"));
  EXPECT_THAT(source.rejects, ElementsAre("2!E804_TOO_LONG!"));
}

TEST(FileSource, GoesOnInTheMiddleOfAFileWithoutLossOrRepetition) {
  TemporaryFolder folder;
  std::string text;
  for (int i = 1; i <= 300; ++i) text += "{\"a\":\"" + std::to_string(i) + "\"}\n";
  folder.write("in.ndjson", text);
  Source whole(folder, kPlain);
  ASSERT_TRUE(whole.open().is_ok());
  whole.run();
  ASSERT_THAT(whole.rows, SizeIs(300));

  Source first(folder, kPlain);
  ASSERT_TRUE(first.open({}, 100).is_ok());
  for (int i = 0; i < 7; ++i) ASSERT_EQ(first.step(), ReadResult::kSlice);
  std::filesystem::rename(folder.path("in.ndjson"), folder.path("renamed.ndjson"));
  Source second(folder, "{path: renamed.ndjson, fields: [a, {name: n, type: int64}]}");
  ASSERT_TRUE(second.open(first.committed, 100).is_ok());
  EXPECT_EQ(second.run(), ReadResult::kEnd);
  std::vector<std::string> rows = first.rows;
  rows.insert(rows.end(), second.rows.begin(), second.rows.end());
  EXPECT_EQ(rows, whole.rows);
  std::vector<std::uint64_t> ids = first.ids;
  ids.insert(ids.end(), second.ids.begin(), second.ids.end());
  EXPECT_EQ(ids, whole.ids);
}

TEST(FileSource, ReadsFilesInOrderAndEachContentOnce) {
  TemporaryFolder folder;
  folder.write("in/b.ndjson", "{\"a\":\"b\"}\n");
  folder.write("in/a.ndjson", "{\"a\":\"a\"}\n");
  folder.write("in/copy.ndjson", "{\"a\":\"a\"}\n");
  folder.write("in/empty.ndjson", "");
  folder.write("in/other.txt", "x");
  const std::string config = "{path: in, pattern: '*.ndjson', fields: [a]}";
  Source source(folder, config);
  ASSERT_TRUE(source.open().is_ok());
  EXPECT_EQ(source.run(), ReadResult::kEnd);
  EXPECT_THAT(source.rows, ElementsAre("1|a", "1|b"));
  EXPECT_EQ(source.partitions.front(), "a.ndjson");

  folder.write("in/c.ndjson", "{\"a\":\"c\"}\n");
  Source again(folder, config);
  ASSERT_TRUE(again.open(source.committed).is_ok());
  EXPECT_EQ(again.run(), ReadResult::kEnd);
  EXPECT_THAT(again.rows, ElementsAre("1|c"));
}

TEST(FileSource, TellsFilesApartThatDifferOnlyInTheMiddle) {
  TemporaryFolder folder;
  const std::string pad = "{\"a\":\"" + std::string(200'000, 'p') + "\"}\n";
  folder.write("in/1.ndjson", pad + "{\"a\":\"one\"}\n" + pad);
  folder.write("in/2.ndjson", pad + "{\"a\":\"two\"}\n" + pad);
  Source source(folder, "{path: in, fields: [a]}");
  ASSERT_TRUE(source.open().is_ok());
  source.run();
  EXPECT_THAT(source.rows, SizeIs(6));
  Source again(folder, "{path: in, fields: [a]}");
  ASSERT_TRUE(again.open(source.committed).is_ok());
  again.run();
  EXPECT_THAT(again.rows, IsEmpty());
}

TEST(FileSource, WatchesAFolderThatAppearsLater) {
  TemporaryFolder folder;
  Source source(folder, "{path: in, watch: true, poll: 1s, fields: [a]}");
  ASSERT_TRUE(source.open().is_ok());
  source.pass(1000);
  EXPECT_EQ(source.step(), ReadResult::kRetry);
  folder.write("in/1.ndjson", "{\"a\":\"one\"}\n");
  source.pass(1000);
  EXPECT_EQ(source.run(), ReadResult::kIdle);
  source.pass(1000);
  EXPECT_EQ(source.run(), ReadResult::kIdle);
  EXPECT_THAT(source.rows, ElementsAre("1|one"));
}

TEST(FileSource, SaysWhatIsMissingOnABoundedRun) {
  TemporaryFolder folder;
  Source source(folder, "{path: nowhere, fields: [a]}");
  const Status status = source.open();
  EXPECT_EQ(status.code(), runtime::StatusCode::kInvalid);
  EXPECT_THAT(status.message(), HasSubstr("nowhere"));
  Source patient(folder, "{path: nowhere, fields: [a], wait: 5s}");
  EXPECT_EQ(patient.open().code(), runtime::StatusCode::kUnavailable);
}

TEST(FileSource, ReadsCsvBySynonymsWithConstantsAndDefaults) {
  TemporaryFolder folder;
  folder.write("dept_1.csv",
               "\xEF\xBB\xBF名称,单位名称2,金额\r\n甲,\"x\ny\",5\r\n\r\n乙,,\r\n丙,1\r\n丁,\"a\"b,"
               "1\r\n戊,z,x\r\n");
  Source source(
      folder,
      "{path: dept_1.csv, fields: [name, unit, {name: n, type: int64, default: 9}, dept],"
      " mappings: [{match: 'dept_1*', set: {dept: D1}, columns: {名称: name, 单位名称: unit,"
      " 单位名称2: unit, 金额: n}}]}");
  ASSERT_TRUE(source.open({}, 16).is_ok());
  EXPECT_EQ(source.run(), ReadResult::kEnd);
  EXPECT_THAT(source.rows, ElementsAre("1|甲|x\ny|5|D1", "3|乙|-|9|D1"));
  EXPECT_THAT(source.rejects, ElementsAre("4!E802_BAD_CSV!", "5!E802_BAD_CSV!", "6!E201_FORMAT!n"));
}

TEST(FileSource, ConvertsGb18030AndRefusesOnlyTheBadRow) {
  TemporaryFolder folder;
  std::string text = "\xC3\xFB\xB3\xC6,b\n";                            // 名称
  for (int i = 0; i < 50; ++i) text += "\xD6\xD0\xCE\xC4\xBC\xD7,1\n";  // 中文甲
  text += "\xD6\xD0\xFF,2\n\xD6\xD0,3\n";
  folder.write("gb.csv", text);
  Source source(folder, "{path: gb.csv, encoding: gb18030, fields: [名称, b]}");
  ASSERT_TRUE(source.open().is_ok());
  source.run();
  ASSERT_THAT(source.rows, SizeIs(51));
  EXPECT_EQ(source.rows.front(), "1|中文甲|1");
  EXPECT_EQ(source.rows.back(), "52|中|3");
  EXPECT_THAT(source.rejects, ElementsAre("51!E803_BAD_ENCODING!"));
  EXPECT_THAT(source.values, ElementsAre("中?,2 "));
}

TEST(FileSource, ReportsAnUnreadableFileAsOneReject) {
  TemporaryFolder folder;
  folder.write("in/a.csv", std::string("\0\1\2\0", 4));
  folder.write("in/b.csv", "foo,bar\n1,2\n");
  folder.write("in/c.xlsx", "no zip");
  folder.write("in/d.csv", "a\nx\n");
  Source source(folder, "{path: in, fields: [a]}");
  ASSERT_TRUE(source.open().is_ok());
  EXPECT_EQ(source.run(), ReadResult::kEnd);
  EXPECT_THAT(source.rejects,
              ElementsAre("1!E805_BAD_FILE!", "1!E805_BAD_FILE!", "1!E805_BAD_FILE!"));
  EXPECT_THAT(source.rows, ElementsAre("1|x"));
}

void write_sheet(const std::string& path) {
  formats::XlsxWriter writer(path);
  ASSERT_TRUE(writer.add_sheet({}).ok());
  ASSERT_TRUE(writer.write_text(0, "行政许可信息表").ok());
  ASSERT_TRUE(writer.end_row().ok());
  ASSERT_TRUE(writer.write_header(std::vector<std::string>{"名称", "代码", "其他"}).ok());
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(writer.write_text(0, "n" + std::to_string(i)).ok());
    if (i == 3) {
      ASSERT_TRUE(writer.write_number(1, 350802190001010016.0).ok());
    } else {
      ASSERT_TRUE(writer.write_text(1, "c" + std::to_string(i)).ok());
    }
    ASSERT_TRUE(writer.end_row().ok());
  }
  ASSERT_TRUE(writer.close().ok());
}

TEST(FileSource, ReadsAWorkbookAndRefusesCodesTypedAsNumbers) {
  TemporaryFolder folder;
  write_sheet(folder.path("book.xlsx"));
  const std::string config =
      "{path: book.xlsx, fields: [name, {name: code, text_only: true}],"
      " mappings: [{columns: {名称: name, 代码: code}}]}";
  Source whole(folder, config);
  ASSERT_TRUE(whole.open().is_ok());
  EXPECT_EQ(whole.run(), ReadResult::kEnd);
  ASSERT_THAT(whole.rows, SizeIs(19));
  EXPECT_EQ(whole.rows.front(), "1|n0|c0");
  EXPECT_THAT(whole.rejects, ElementsAre("4!E207_CODE_AS_NUMBER!code"));

  Source first(folder, config);
  ASSERT_TRUE(first.open({}, 40).is_ok());
  ASSERT_EQ(first.step(), ReadResult::kSlice);
  ASSERT_EQ(first.step(), ReadResult::kSlice);
  Source second(folder, config);
  ASSERT_TRUE(second.open(first.committed, 40).is_ok());
  second.run();
  std::vector<std::string> rows = first.rows;
  rows.insert(rows.end(), second.rows.begin(), second.rows.end());
  EXPECT_EQ(rows, whole.rows);
}

/// A workbook of one sheet a list of rows; numbers are written as text.
void write_book(
    const std::string& path,
    const std::vector<std::pair<formats::XlsxSheetLayout, std::vector<std::vector<std::string>>>>&
        sheets) {
  formats::XlsxWriter writer(path);
  for (const auto& [layout, rows] : sheets) {
    ASSERT_TRUE(writer.add_sheet(layout).ok());
    for (const auto& row : rows) {
      for (std::size_t i = 0; i < row.size(); ++i) {
        if (!row[i].empty()) {
          ASSERT_TRUE(writer.write_text(static_cast<std::uint16_t>(i), row[i]).ok());
        }
      }
      ASSERT_TRUE(writer.end_row().ok());
    }
  }
  ASSERT_TRUE(writer.close().ok());
}

TEST(FileSource, KnowsHeadingsWithMarksInCsvAndWorkbooksAlike) {
  TemporaryFolder folder;
  const std::vector<std::string> headings = {"*名 称", "\u200B金额（万元）\u00A0", "代\n码\u3000"};
  folder.write("in/a.csv",
               "\xEF\xBB\xBF\xEF\xBB\xBF＊名称,金额(万元)\u3000,\"代\r\n码\"\r\n甲,1,x\r\n");
  std::filesystem::create_directories(folder.path("in"));
  write_book(folder.path("in/b.xlsx"), {{{}, {{"金额(万元)"}, headings, {"乙", "2", "y"}}}});
  Source source(folder,
                "{path: in, fields: [name, amount, code],"
                " mappings: [{columns: {名称: name, '金额(万元)': amount, 代码: code}}]}");
  ASSERT_TRUE(source.open().is_ok());
  source.run();
  EXPECT_THAT(source.rejects, IsEmpty());
  EXPECT_THAT(source.rows, ElementsAre("1|甲|1|x", "1|乙|2|y"));
}

TEST(FileSource, ReadsHeadingsInTwoRows) {
  TemporaryFolder folder;
  write_book(
      folder.path("a.xlsx"),
      {{{},
        {{"采集表"}, {"id", "证件", "", "amount"}, {"", "name", "code"}, {"a", "x", "C1", "5"}}}});
  write_book(folder.path("b.xlsx"),
             {{{}, {{"id", "证件", ""}, {"", "name", "code"}, {"name", "code", "z"}}}});
  for (const std::string file : {"a", "b"}) {
    Source source(folder, "{path: " + file + ".xlsx, fields: [id, name, code, amount]}");
    ASSERT_TRUE(source.open().is_ok());
    source.run();
    EXPECT_THAT(source.rows, ElementsAre(file == "a" ? "1|a|x|C1|5" : "1|name|code|z|-"));
  }
}

TEST(FileSource, RefusesATableWithDoubleOrMissingColumnsOnce) {
  TemporaryFolder folder;
  folder.write("in/a.csv", "名称,类型,名 称\n1,2,3\n4,5,6\n");
  folder.write("in/b.csv", "名称,地区,处罚类型\n1,2,3\n3,4,5\n");
  folder.write("in/c.csv", "名称,类别\n1,2\n");
  folder.write("in/d.csv", "龙岩,2\n厦门,3\n");
  Source source(folder,
                "{path: in, fields: [name, kind, 地区, {name: set, required_column: true}],"
                " mappings: [{columns: {名称: name, 类别: kind, 类型: kind}, set: {set: x},"
                " required: [kind]}]}");
  ASSERT_TRUE(source.open().is_ok());
  source.run();
  EXPECT_THAT(source.rejects,
              ElementsAre("1!E805_BAD_FILE!", "1!E805_BAD_FILE!", "1!E805_BAD_FILE!"));
  EXPECT_THAT(source.values.at(0),
              HasSubstr("columns A (名称) and C (名称) both stand for 'name'"));
  EXPECT_THAT(source.values.at(1), HasSubstr("required columns are missing: 类别"));
  EXPECT_THAT(source.values.at(1), HasSubstr("headings found: 名称, 地区, 处罚类型"));
  EXPECT_THAT(source.values.at(2), HasSubstr("the first row is: 龙岩, 2"));
  EXPECT_THAT(source.rows, ElementsAre("1|1|2|-|x"));
}

TEST(FileSource, ReadsAllVisibleSheetsThatFitAndGoesOnInTheSecond) {
  TemporaryFolder folder;
  write_book(folder.path("a.xlsx"),
             {{{.name = "一月"}, {{"id", "n"}, {"a", "1"}, {"b", "2"}}},
              {{.name = "说明"}, {{"请填写"}}},
              {{.name = "二月"}, {{"title"}, {"n", "id"}, {"3", "c"}, {"4", "d"}}}});
  const std::string config = "{path: a.xlsx, fields: [id, n]}";
  Source whole(folder, config);
  ASSERT_TRUE(whole.open().is_ok());
  whole.run();
  EXPECT_THAT(whole.rows, ElementsAre("1|a|1", "2|b|2", "3|c|3", "4|d|4"));
  for (int steps = 1; steps <= 4; ++steps) {
    Source first(folder, config);
    ASSERT_TRUE(first.open({}, 1).is_ok());
    for (int i = 0; i < steps; ++i) ASSERT_EQ(first.step(), ReadResult::kSlice);
    Source second(folder, config);
    ASSERT_TRUE(second.open(first.committed, 1).is_ok());
    second.run();
    std::vector<std::string> rows = first.rows;
    rows.insert(rows.end(), second.rows.begin(), second.rows.end());
    EXPECT_EQ(rows, whole.rows) << steps;
  }
}

/// Two sheets with data and a hidden one; a day, a code with zeros and merged cells in the first.
std::string old_workbook() {
  formats::testing::XlsBuilder book;
  using Book = formats::testing::XlsBuilder;
  const auto day = book.style(14), code = book.style(u"000000");
  auto& first = book.sheet(u"一月").cells;
  first = book.text(1, 0, u"许可信息") + book.text(2, 0, u"编 号") + book.text(2, 1, u"日期") +
          Book::number(3, 0, 1234, code) + Book::number(3, 1, 45442, day) +
          Book::number(4, 0, 99, 0) + book.text(4, 1, u"2024/5/31") +
          formats::testing::xls_record(0x00E5, std::string("\1\0\2\0\3\0\0\0\0\0", 10));
  auto& hidden = book.sheet(u"去年");
  hidden.visible = false;
  hidden.cells = book.text(1, 0, u"编号") + book.text(1, 1, u"日期") + book.text(2, 0, u"old");
  auto& second = book.sheet(u"二月");
  second.cells = book.text(1, 1, u"编号") + book.text(1, 0, u"日期") +
                 Book::number(2, 0, 45443, day) + book.text(2, 1, u"000007");
  return book.file();
}

const std::string kOldWorkbook =
    "{path: in, fields: [id, {name: d, type: timestamp}], "
    "mappings: [{columns: {编号: id, 日期: d}}]}";

TEST(FileSource, ReadsAnOldWorkbookAsANewOneAndGoesOnInTheMiddle) {
  TemporaryFolder folder;
  folder.write("in/a.xls", old_workbook());
  Source whole(folder, kOldWorkbook);
  ASSERT_TRUE(whole.open().is_ok());
  whole.run();
  EXPECT_THAT(whole.rows, ElementsAre("1|001234|1716998400000", "2|99|1717084800000",
                                      "3|000007|1717084800000"));
  EXPECT_THAT(whole.values, ElementsAre(HasSubstr("merged over several rows (A3:A4)")));
  for (int steps = 1; steps <= 3; ++steps) {
    Source first(folder, kOldWorkbook);
    ASSERT_TRUE(first.open({}, 1).is_ok());
    for (int i = 0; i < steps; ++i) ASSERT_EQ(first.step(), ReadResult::kSlice);
    Source second(folder, kOldWorkbook);
    ASSERT_TRUE(second.open(first.committed, 1).is_ok());
    second.run();
    std::vector<std::string> rows = first.rows;
    rows.insert(rows.end(), second.rows.begin(), second.rows.end());
    EXPECT_EQ(rows, whole.rows) << steps;
  }
}

TEST(FileSource, ReadsAnOldWorkbookUnderAnyName) {
  TemporaryFolder folder;
  for (const char* name : {"in/a.xlsx", "in/b.csv", "in/c.et"}) {
    folder.write(name, old_workbook());
    Source source(folder, kOldWorkbook);
    ASSERT_TRUE(source.open().is_ok());
    source.run();
    EXPECT_EQ(source.rows.size(), 3u) << name;
    std::filesystem::remove(folder.path(name));
  }
}

TEST(FileSource, LeavesOutRowsThatAreNoData) {
  TemporaryFolder folder;
  folder.write("a.csv",
               "a,b\r\r\n填写说明：必填,\r\r\n1,x\r\r\n,\r\r\n,,,,\r\r\n\xEF\xBB\xBF"
               "a,b\r\r\n2,y\r\r\n\x1A");
  Source source(folder, "{path: a.csv, fields: [a, b]}");
  ASSERT_TRUE(source.open().is_ok());
  source.run();
  EXPECT_THAT(source.rows, ElementsAre("2|1|x", "6|2|y"));
  EXPECT_THAT(source.rejects, IsEmpty());
}

TEST(FileSource, LosesOneRowToAQuoteOrANulAndSaysWhy) {
  TemporaryFolder folder;
  std::string text = "a,b\n1,\"x\n2,y\n3,\"z\"\n";
  text += std::string("4,n\0n\n", 6);
  folder.write("in/a.csv", text + "5,w\n6,\"open\n7,v\n8,u\n");
  folder.write("in/b.ndjson",
               std::string("{\"a\":\"1\"}\n{\"a\":\"\0\"}\n\xEF\xBB\xBF{\"a\":\"3\"}\n", 33));
  Source source(folder, "{path: in, fields: [a, b]}");
  ASSERT_TRUE(source.open().is_ok());
  source.run();
  EXPECT_THAT(source.rows,
              ElementsAre("2|2|y", "3|3|z", "5|5|w", "7|7|v", "8|8|u", "1|1|-", "3|3|-"));
  EXPECT_THAT(source.rejects, ElementsAre("1!E802_BAD_CSV!", "4!E803_BAD_ENCODING!",
                                          "6!E802_BAD_CSV!", "2!E803_BAD_ENCODING!"));
}

TEST(FileSource, ReadsUtf16AndCrAloneAndGoesOnInTheMiddle) {
  TemporaryFolder folder;
  folder.write("in/a.csv", "a,b\r1,x\r2,\"y\rz\"\r3,w\r");
  folder.write("in/b.csv", std::string("\xFF\xFE"
                                       "a\0,\0b\0\r\0\n\0"
                                       "4\0,\0\x2D\x4E\n\0",
                                       20));
  const std::string config = "{path: in, encoding: gb18030, fields: [a, b]}";
  Source source(folder, config);
  ASSERT_TRUE(source.open({}, 5).is_ok());
  ASSERT_EQ(source.step(), ReadResult::kSlice);
  Source rest(folder, config);
  ASSERT_TRUE(rest.open(source.committed, 5).is_ok());
  EXPECT_EQ(rest.run(), ReadResult::kEnd);
  std::vector<std::string> rows = source.rows;
  rows.insert(rows.end(), rest.rows.begin(), rest.rows.end());
  EXPECT_THAT(rows, ElementsAre("1|1|x", "2|2|y\nz", "3|3|w", "1|4|中"));
  testing::merge(source.committed, {rest.committed.begin(), rest.committed.end()});
  Source again(folder, config);
  ASSERT_TRUE(again.open(source.committed).is_ok());
  again.run();
  EXPECT_THAT(again.rows, IsEmpty());
}

TEST(FileSource, DecidesTheEncodingByRowWhereTheBeginningSaysNothing) {
  TemporaryFolder folder;
  std::string text = "a,b\n";
  while (text.size() < 70'000) text += "1,x\n";
  text += "2,\xD6\xD0\xCE\xC4\n3,行政处罚\n4,\xE4\xB8\xAD\xFF\xE4\xB8\xAD\n";
  folder.write("a.csv", text);
  Source source(folder, "{path: a.csv, fields: [a, b]}");
  ASSERT_TRUE(source.open().is_ok());
  source.run();
  ASSERT_GT(source.rows.size(), 2u);
  EXPECT_THAT(source.rows[source.rows.size() - 2], HasSubstr("|2|中文"));
  EXPECT_THAT(source.rows.back(), HasSubstr("|3|行政处罚"));
  EXPECT_THAT(source.rejects, SizeIs(1));
}

TEST(FileSource, GoesByTheContentAndNamesWhatItDoesNotRead) {
  TemporaryFolder folder;
  folder.write("in/a.xls", formats::testing::XlsBuilder().file().substr(0, 600));
  folder.write("in/b.xlsx", formats::testing::ole_of({{u"EncryptedPackage", "x"}}));
  folder.write("in/c.xls", "\xEF\xBB\xBF<HTML><table><tr><td>a</td></tr></table>");
  folder.write("in/d.xml", "<?xml version=\"1.0\"?><a/>");
  folder.write("in/e.xls",
               "<?xml version='1.0'?><Workbook "
               "xmlns='urn:schemas-microsoft-com:office:spreadsheet'/>");
  folder.write("in/f.csv", "a;b\n1;2\n");
  folder.write("in/g.xlsx", "a,b\n1,2\n");
  folder.write("in/~$h.xlsx", "owner");
  write_book(folder.path("in/i.csv"), {{{}, {{"a", "b"}, {"1", "2"}}}});
  Source source(folder, "{path: in, fields: [a, b], delimiter: ','}");
  ASSERT_TRUE(source.open().is_ok());
  source.run();
  EXPECT_THAT(source.rows, ElementsAre("1|1|2"));
  EXPECT_THAT(source.values,
              ElementsAre(HasSubstr("damaged"), HasSubstr("password"), HasSubstr("web page"),
                          HasSubstr("XML file without"), HasSubstr("Excel 2003"),
                          HasSubstr("separated by ';'"), HasSubstr("no workbook")));
}

/// GB18030 for "龙岩" and "岩".
const std::string kLongyan = "\xC1\xFA\xD1\xD2", kYan = "\xD1\xD2";

std::string utf16_of(const std::string& ascii) {
  std::string wide = "\xFF\xFE";
  for (const char c : ascii) wide.append(1, c).append(1, '\0');
  return wide;
}

TEST(FileSource, ReadsXmlOfTheNationalUploadInEveryEncoding) {
  TemporaryFolder folder;
  const std::string gb = "<?xml version=\"1.0\" encoding=\"GB2312\"?>\n<ROWDATA><ROW><NAME>";
  folder.write("in/a.xml", gb + kLongyan + "</NAME><N>1</N></ROW></ROWDATA>");
  folder.write("in/b.xml", gb + kYan + "</NAME></ROW></ROWDATA>");
  folder.write("in/c.xml", gb + "龙岩市新罗区人民政府办公室</NAME></ROW></ROWDATA>");
  folder.write("in/d.xml",
               "\xEF\xBB\xBF<r><rowdata><row><NAME>龙岩</NAME><N/></row></rowdata></r>");
  folder.write("in/e.xml", utf16_of("<?xml version='1.0' encoding='UTF-16'?><ROWDATA><ROW><NAME>x"
                                    "</NAME></ROW></ROWDATA>"));
  folder.write("in/f.xls",
               "<ROWDATA><ROW><N> 5.0 </N><NOTE>a\n\"b\" &amp; c</NOTE></ROW></ROWDATA>");
  Source source(folder,
                "{path: in, fields: [{name: NAME}, {name: N, type: int64}], "
                "mappings: [{columns: {\"N OTE\": NAME}}]}");
  ASSERT_TRUE(source.open().is_ok());
  source.run();
  EXPECT_THAT(source.rejects, IsEmpty());
  EXPECT_THAT(source.rows, ElementsAre("1|龙岩|1", "1|岩|-", "1|龙岩市新罗区人民政府办公室|-",
                                       "1|龙岩|-", "1|x|-", "1|a\n\"b\" & c|5"));
}

// A value that goes on behind its end would add fields to the outputs.
TEST(FileSource, AJsonFieldIsOneValueInEveryFormat) {
  const std::string config = "{path: in, fields: [{name: j, type: json}, a]}";
  const std::vector<std::string> good = {"{\"x\":[1,null]}", " 1.5 ", "\"x\"", "null", "7"};
  const std::vector<std::string> bad = {"x", "1,\"evil\":2", "{\"a\":}", "1 2", "007", "NaN"};
  std::string csv = "j;a\n";
  std::vector<std::vector<std::string>> sheet = {{"j", "a"}};
  for (const auto* texts : {&good, &bad}) {
    for (const std::string& text : *texts) {
      std::string cell;
      for (const char c : text) cell += c == '"' ? "\"\"" : std::string(1, c);
      csv += "\"" + cell + "\";b\n";
      sheet.push_back({text, "b"});
    }
  }
  TemporaryFolder csvs, books;
  csvs.write("in/a.csv", csv);
  std::filesystem::create_directories(books.path("in"));
  write_book(books.path("in/a.xlsx"), {{formats::XlsxSheetLayout{.name = "s"}, sheet}});
  for (const TemporaryFolder* folder : {&csvs, &books}) {
    Source source(*folder, config);
    ASSERT_TRUE(source.open().is_ok());
    source.run();
    EXPECT_THAT(source.rows, SizeIs(good.size()));
    EXPECT_THAT(source.rejects, SizeIs(bad.size()));
    for (const std::string& reject : source.rejects) {
      EXPECT_THAT(reject, HasSubstr("!E201_FORMAT!j"));
    }
    EXPECT_EQ(source.values, bad);
  }
}

TEST(FileSource, AJsonFieldOfXmlIsItsTextInQuotes) {
  TemporaryFolder folder;
  folder.write("in/a.xml", "<ROWDATA><ROW><j>1,\"evil\":2</j></ROW></ROWDATA>");
  Source source(folder, "{path: in, fields: [{name: j, type: json}]}");
  ASSERT_TRUE(source.open().is_ok());
  source.run();
  EXPECT_THAT(source.rows, ElementsAre("1|\"1,\\\"evil\\\":2\""));
}

TEST(FileSource, ConstantsAndDefaultsOfJsonFieldsAreJson) {
  runtime::Diagnostics diagnostics;
  codecs::parse_file_options(
      testing::config_of("{path: in, fields: [{name: j, type: json, default: x}], "
                         "mappings: [{set: {j: '1,2'}}]}"),
      diagnostics);
  EXPECT_EQ(diagnostics.errors(), 2u) << diagnostics.to_string();
}

TEST(FileSource, RefusesXmlOfWhichNoRowHasARequiredElement) {
  TemporaryFolder folder;
  folder.write("in/a.xml", "<ROWDATA><ROW><A>1</A></ROW><ROW><A>2</A><X/></ROW></ROWDATA>");
  folder.write("in/b.xml", "<ROWDATA><ROW><A>1</A></ROW><ROW><A>2</A><B/></ROW></ROWDATA>");
  folder.write("in/c.xml", "<ROWDATA><ROW/><ROW b='3'/></ROWDATA>");
  folder.write("in/d.xml", "<ROWDATA/>");
  Source source(folder,
                "{path: in, fields: [A, {name: B, required_column: true}],"
                " mappings: [{columns: {b: B}}]}");
  ASSERT_TRUE(source.open().is_ok());
  source.run();
  EXPECT_THAT(source.rejects, ElementsAre("1!E805_BAD_FILE!"));
  EXPECT_THAT(source.values,
              ElementsAre(HasSubstr(
                  "required columns are missing: b (did you mean 'A'?); headings found: A")));
  EXPECT_THAT(source.rows, ElementsAre("1|1|-", "2|2|-", "2|-|3"));
}

TEST(FileSource, TakesTheRowsOfXmlAndArraysBeforeWhatIsBroken) {
  TemporaryFolder folder;
  folder.write("in/a.xml",
               "<ROWDATA>\n<ROW><a>1</a></ROW>\n<ROW/>\n<ROW><a>3</a></ROW>\n<ROW><a>4</b></ROW>");
  folder.write("in/b.json",
               "[\n {\n  \"a\": \"[1\\\"}\",\n \"b\": {\"x\": [ 1 , 2 ]}\n },\n{\"a\":}\n"
               ", {\"a\":\"2\"} x {\"a\":\"3\"}]");
  folder.write("in/c.json", " [{\"a\":\"1\"},{\"a\":\"2\"}] ");
  folder.write("in/d.json", "[{\"a\":\"1\"},{\"a\":\"2\"");
  folder.write("in/e.xml", "<ROWDATA><ROW><c>1</c></ROW></ROWDATA>");
  folder.write("in/f.json", "[\"" + kLongyan + kLongyan + "\"]");
  const std::string config = "{path: in, fields: [a, {name: b, type: json}]}";
  Source whole(folder, config);
  ASSERT_TRUE(whole.open().is_ok());
  whole.run();
  EXPECT_THAT(whole.rows, ElementsAre("1|1|-", "3|3|-", "1|[1\"}|{\"x\": [ 1 , 2 ]}", "3|2|-",
                                      "1|1|-", "2|2|-", "1|1|-"));
  EXPECT_THAT(whole.rejects,
              ElementsAre("4!E805_BAD_FILE!", "2!E801_BAD_JSON!", "4!E805_BAD_FILE!",
                          "2!E805_BAD_FILE!", "1!E805_BAD_FILE!", "1!E805_BAD_FILE!"));
  EXPECT_THAT(whole.values,
              ElementsAre(HasSubstr("XML line 5: mismatched tag; the rows before"), HasSubstr("{"),
                          HasSubstr("array, line 7: neither , nor ]"),
                          HasSubstr("the object that begins in line 1 has no end"),
                          HasSubstr("first row is: c"), HasSubstr("does not begin with {")));
  ReadResult last = ReadResult::kSlice;
  for (int steps = 1; last == ReadResult::kSlice; ++steps) {
    Source first(folder, config);
    ASSERT_TRUE(first.open({}, 1).is_ok());
    for (int i = 0; i < steps && last == ReadResult::kSlice; ++i) last = first.step();
    Source second(folder, config);
    ASSERT_TRUE(second.open(first.committed, 1).is_ok());
    second.run();
    std::vector<std::string> rows = first.rows, rejects = first.rejects;
    rows.insert(rows.end(), second.rows.begin(), second.rows.end());
    rejects.insert(rejects.end(), second.rejects.begin(), second.rejects.end());
    EXPECT_EQ(rows, whole.rows) << steps;
    EXPECT_EQ(rejects, whole.rejects) << steps;
  }
}

TEST(FileSource, ReadsArraysInGb18030WhoseCharactersEndAsABackslash) {
  TemporaryFolder folder;
  std::string much;
  for (int i = 0; i < 100; ++i) much += kLongyan;
  folder.write("in/a.json", "[{\"a\":\"" + kLongyan +
                                "\xD5\\\"},\n{\"a\":\"\xFF\"},{\"a\":1,\"b\":\"" + much + "\"}]");
  Source source(folder, "{path: in, fields: [a]}");
  ASSERT_TRUE(source.open().is_ok());
  source.run();
  EXPECT_THAT(source.rows, ElementsAre("1|龙岩誠", "3|1"));
  EXPECT_THAT(source.rejects, ElementsAre("2!E803_BAD_ENCODING!"));
}

TEST(FileSource, RefusesOnlyTheLongRowOfXmlAndArrays) {
  TemporaryFolder folder;
  const std::string much(3000, 'x');
  folder.write("in/a.xml", "<ROWDATA><ROW><a>" + much + "</a></ROW><ROW><a>2</a></ROW></ROWDATA>");
  folder.write("in/b.json", "[{\"a\":\"" + much + "\"},{\"a\":\"2\"}]");
  Source source(folder, "{path: in, fields: [a, b], max_row_bytes: 2000}");
  ASSERT_TRUE(source.open().is_ok());
  source.run();
  EXPECT_THAT(source.rows, ElementsAre("2|2|-", "2|2|-"));
  EXPECT_THAT(source.rejects, ElementsAre("1!E804_TOO_LONG!", "1!E804_TOO_LONG!"));
}

TEST(FileSource, ReadsCsvByTheDelimiterThatMakesItsHeadingsKnown) {
  TemporaryFolder folder;
  folder.write("in/a.csv", "a;b\n1;\"2;,\n3\"\n4,5;6\n");
  folder.write("in/b.tsv", "title\nb\ta\n2\t1\n");
  folder.write("in/c.txt", "a|b\n1|\"2\" x\n\"3\"|4\n");
  folder.write("in/d.csv", "x;y\n1;2\n");
  Source source(folder, "{path: in, fields: [a, b]}");
  ASSERT_TRUE(source.open({}, 8).is_ok());
  source.run();
  EXPECT_THAT(source.rows, ElementsAre("1|1|2;,\n3", "2|4,5|6", "1|1|2", "2|3|4"));
  EXPECT_THAT(source.rejects, ElementsAre("1!E802_BAD_CSV!", "1!E805_BAD_FILE!"));
  Source told(folder, "{path: in, fields: [a, b], delimiter: ','}");
  ASSERT_TRUE(told.open().is_ok());
  told.run();
  EXPECT_THAT(told.values.front(), HasSubstr("separated by ';'"));
}

TEST(FileSource, RefusesDelimitersThatAreNone) {
  for (const char* text : {"'||'", "'，'", "'\"'", "a", "'5'"}) {
    runtime::Diagnostics diagnostics;
    codecs::parse_file_options(
        config_of("{path: x, fields: [a], delimiter: " + std::string(text) + "}"), diagnostics);
    EXPECT_THAT(diagnostics.to_string(), HasSubstr("one ASCII sign")) << text;
  }
  for (const char* text : {"tab", "';'", "'|'", "','", "' '"}) {
    runtime::Diagnostics diagnostics;
    codecs::parse_file_options(
        config_of("{path: x, fields: [a], delimiter: " + std::string(text) + "}"), diagnostics);
    EXPECT_FALSE(diagnostics.has_errors()) << text;
  }
}

TEST(FileSource, TakesTheEventTimeFromItsField) {
  TemporaryFolder folder;
  folder.write("in.ndjson", "{\"t\":1710000000000}\n{\"t\":\"2024-03-10 00:00\"}\n{}\n");
  Source source(folder, "{path: in.ndjson, event_time: t, fields: [{name: t, type: timestamp}]}");
  ASSERT_TRUE(source.open().is_ok());
  source.run();
  EXPECT_THAT(source.times, ElementsAre(1710000000000, 1710000000000, runtime::kNoEventTime));
}

TEST(FileSource, ConfigErrorsNameTheNearestField) {
  runtime::Diagnostics diagnostics;
  codecs::parse_file_options(
      config_of("{path: x, fields: [amount], mappings: [{columns: {金额: amuont}}]}"), diagnostics);
  EXPECT_THAT(diagnostics.to_string(), HasSubstr("amount"));
  EXPECT_TRUE(diagnostics.has_errors());
}

TEST(FileSource, ExampleOfTheDescriptorIsValid) {
  const runtime::SourceType* type = runtime::Registry::linked().source("file");
  ASSERT_NE(type, nullptr);
  runtime::Diagnostics diagnostics;
  const runtime::Config config = config_of(type->descriptor.example);
  runtime::check_config(config, type->descriptor.options, {"type"}, diagnostics);
  runtime::SourceDeclaration declaration(config, {}, diagnostics);
  type->declare(declaration);
  EXPECT_FALSE(diagnostics.has_errors()) << diagnostics.to_string();
  EXPECT_EQ(declaration.output.width(), 3u);
}

}  // namespace
}  // namespace huiliu::connectors
