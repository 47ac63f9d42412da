#include "formats/xls_reader.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/encoding.h"
#include "formats/ole_file.h"
#include "formats/xls_testing.h"

namespace huiliu::formats {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::little;
using testing::xls_record;
using testing::xls_text;
using testing::XlsBuilder;

// Every row of a sheet as "number: A=text B=text".
std::vector<std::string> rows_of(XlsReader& reader, std::size_t sheet = 0) {
  std::vector<std::string> rows;
  EXPECT_TRUE(reader.select_sheet(sheet).ok()) << reader.outcome().message;
  XlsxRow row;
  while (reader.next_row(row)) {
    std::string text = std::to_string(row.number) + ":";
    for (const XlsxCell& cell : row.cells) {
      text += " ";
      text += static_cast<char>('A' + cell.column);
      text += std::to_string(static_cast<int>(cell.kind)) + "=" + std::string(cell.text);
    }
    rows.push_back(text);
  }
  EXPECT_TRUE(reader.outcome().ok()) << reader.outcome().message;
  return rows;
}

std::vector<std::string> rows_of_file(const std::string& file) {
  XlsReader reader;
  EXPECT_TRUE(reader.open_bytes(file).ok()) << reader.outcome().message;
  return rows_of(reader);
}

constexpr unsigned kEverySecondMove = 7919;  // a prime, so that damage falls everywhere

TEST(XlsReader, GivesEachKindOfCell) {
  XlsBuilder builder;
  auto& sheet = builder.sheet(u"一");
  sheet.cells =
      builder.text(1, 0, u"名称") +
      xls_record(0x0204, XlsBuilder::place(1, 1, 0) + little(2, 2) + '\0' + "a\xE9") +
      XlsBuilder::number(2, 0, 100) + XlsBuilder::number(2, 1, 0.1) +
      XlsBuilder::number(2, 2, -3.5) +
      xls_record(0x027E, XlsBuilder::place(3, 0, 0) + little((1234U << 2) | 2, 4)) +
      xls_record(0x027E, XlsBuilder::place(3, 1, 0) + little((1234U << 2) | 3, 4)) +
      xls_record(0x00BD, little(3, 2) + little(0, 2) + little(0, 2) + little((7U << 2) | 2, 4) +
                             little(0, 2) + little(0x3FF00000U, 4) + little(1, 2)) +
      xls_record(0x0205, XlsBuilder::place(5, 0, 0) + '\1' + '\0') +
      xls_record(0x0205, XlsBuilder::place(5, 1, 0) + '\x2A' + '\1');
  EXPECT_THAT(rows_of_file(builder.file()),
              ElementsAre("1: A1=名称 B1=aé", "2: A2=100 B2=0.1 C2=-3.5", "3: A2=1234 B2=12.34",
                          "4: A2=7 B2=1", "5: A4=TRUE B5=#N/A"));
}

TEST(XlsReader, ShowsNumbersAndDatesByTheirFormat) {
  XlsBuilder builder;
  const auto day = builder.style(14), code = builder.style(u"000000"),
             part = builder.style(u"000-0000");
  const auto moment = builder.style(u"yyyy\"年\"m\"月\"d\"日\" h:mm"), hours = builder.style(46);
  const auto time = builder.style(20);
  builder.sheet(u"s").cells =
      XlsBuilder::number(1, 0, 45442, day) + XlsBuilder::number(1, 1, 1234, code) +
      XlsBuilder::number(1, 2, 1234567, part) + XlsBuilder::number(1, 3, 45442.5, moment) +
      XlsBuilder::number(1, 4, 1.5, hours) + XlsBuilder::number(1, 5, 0.25, time) +
      XlsBuilder::number(1, 6, -1, day) + XlsBuilder::number(1, 7, 913508001234567890.0);
  EXPECT_THAT(rows_of_file(builder.file()),
              ElementsAre("1: A3=2024-05-30 B2=001234 C2=123-4567 D3=2024-05-30 12:00:00 "
                          "E3=36:00:00 F3=06:00:00 G5=-1 H2=913508001234567936"));
  builder.dates_from_1904 = true;
  EXPECT_THAT(rows_of_file(builder.file()).front(), HasSubstr("A3=2028-05-31"));
}

TEST(XlsReader, GivesResultsOfFormulas) {
  XlsBuilder builder;
  const auto formula = [](unsigned column, const std::string& result, unsigned flags = 0) {
    return xls_record(0x0006, XlsBuilder::place(1, column, 0) + result + little(flags, 2) +
                                  little(0, 4) + little(0, 2));
  };
  const auto special = [](char kind, char value) {
    return std::string{kind, '\0', value, '\0', '\0', '\0', '\xFF', '\xFF'};
  };
  builder.sheet(u"s").cells = formula(0, little(std::bit_cast<std::uint64_t>(2.0), 8)) +
                              formula(1, special(0, 0)) + xls_record(0x04BC, "shared") +
                              xls_record(0x0207, xls_text(u"结果")) + formula(2, special(1, 1)) +
                              formula(3, special(2, 7)) + formula(4, special(3, 0)) +
                              formula(5, special(3, 0), 2) + formula(6, little(0, 8), 3) +
                              formula(7, little(0, 8)) + formula(8, special(0, 0));
  EXPECT_THAT(rows_of_file(builder.file()),
              ElementsAre("1: A2=2 B1=结果 C4=TRUE D5=#DIV/0! E0= F6==… G6==… H2=0 I6==…"));
}

TEST(XlsReader, KnowsHiddenSheetsChartsAndMerges) {
  XlsBuilder builder;
  builder.sheet(u"可见").cells =
      builder.text(3, 1, u"x") + XlsBuilder::begin(32) + XlsBuilder::number(9, 9, 9) +
      xls_record(0x000A, "") +
      xls_record(0x00E5, little(2, 2) + little(2, 2) + little(4, 2) + little(1, 2) + little(1, 2) +
                             little(5, 2) + little(5, 2) + little(0, 2) + little(3, 2));
  builder.sheet(u"隐藏").visible = false;
  builder.sheet(u"图表").kind = 2;
  XlsReader reader;
  const std::string file = builder.file();
  ASSERT_TRUE(reader.open_bytes(file).ok()) << reader.outcome().message;
  ASSERT_EQ(reader.sheets().size(), 3U);
  EXPECT_EQ(reader.sheets()[0].name, "可见");
  EXPECT_TRUE(reader.sheets()[0].visible);
  EXPECT_FALSE(reader.sheets()[1].visible);
  EXPECT_EQ(reader.sheets()[2].part, "");
  EXPECT_THAT(rows_of(reader), ElementsAre("3: B1=x"));
  ASSERT_EQ(reader.merges().size(), 1U);
  EXPECT_EQ(reader.merges()[0].range, "B3:B5");
  EXPECT_EQ(reader.merges()[0].first_row, 3U);
}

TEST(XlsReader, OrdersCellsThatWereWrittenInAnyOrderAndResumes) {
  XlsBuilder builder;
  builder.sheet(u"s").cells = builder.text(3, 0, u"c") + builder.text(1, 1, u"b") +
                              builder.text(1, 0, u"a") + builder.text(1, 0, u"again");
  XlsReader reader;
  const std::string file = builder.file();
  ASSERT_TRUE(reader.open_bytes(file).ok());
  EXPECT_THAT(rows_of(reader), ElementsAre("1: A1=again B1=b", "3: A1=c"));
  ASSERT_TRUE(reader.select_sheet(0).ok());
  ASSERT_TRUE(reader.skip_rows(1).ok());
  XlsxRow row;
  ASSERT_TRUE(reader.next_row(row));
  EXPECT_EQ(row.number, 3U);
  EXPECT_EQ(row.at(0).text, "c");
}

TEST(XlsReader, ReadsTextsThatRunOnInFurtherRecords) {
  XlsBuilder builder;
  builder.sheet(u"s").cells = xls_record(0x00FD, XlsBuilder::place(1, 0, 0) + little(0, 4)) +
                              xls_record(0x00FD, XlsBuilder::place(1, 1, 0) + little(1, 4));
  std::string stream = builder.stream();
  // "ab" in one byte, "中" in two behind the cut; then a text with fonts of its parts.
  const std::string shared =
      xls_record(0x00FC, little(2, 4) + little(2, 4) + little(3, 2) + '\0' + "ab") +
      xls_record(0x003C, std::string("\1\x2D\x4E", 3) + little(1, 2) + '\x08' + little(1, 2) + "z" +
                             little(0, 2)) +
      xls_record(0x003C, little(0, 2));
  const std::string empty = xls_record(0x00FC, little(0, 8));
  const std::size_t at = stream.find(empty);
  ASSERT_NE(at, std::string::npos);
  stream.replace(at, empty.size(), shared);
  // The sheet has moved by as much.
  const std::size_t head = stream.find(xls_text(u"s", 1)) - 6;
  const std::size_t offset = stream.rfind(XlsBuilder::begin(16));
  stream.replace(head, 4, little(offset, 4));
  EXPECT_THAT(rows_of_file(testing::ole_of({{u"Workbook", stream}})),
              ElementsAre("1: A1=ab中 B1=z"));
}

TEST(XlsReader, SaysInBothLanguagesWhatItDoesNotRead) {
  const auto refused = [](const std::string& file) {
    XlsReader reader;
    EXPECT_FALSE(reader.open_bytes(file).ok());
    EXPECT_FALSE(reader.outcome().zh.empty());
    EXPECT_TRUE(reader.sheets().empty());
    return reader.outcome().message;
  };
  XlsBuilder locked;
  locked.more_globals = xls_record(0x002F, std::string(6, '\1'));
  EXPECT_THAT(refused(locked.file()), HasSubstr("password"));
  EXPECT_THAT(refused(testing::ole_of({{u"EncryptedPackage", "x"}})), HasSubstr("password"));
  EXPECT_THAT(refused(testing::ole_of({{u"Book", "x"}})), HasSubstr("Excel 95"));
  EXPECT_THAT(refused(testing::ole_of({{u"WordDocument", "x"}})), HasSubstr("no workbook"));
  EXPECT_THAT(refused(XlsBuilder().file().substr(0, 1000)), HasSubstr("damaged"));
  EXPECT_THAT(refused("PK"), HasSubstr("damaged"));
  XlsBuilder cut;
  cut.sheet(u"s").cells = xls_record(0x0203, XlsBuilder::place(1, 0, 0));
  XlsReader reader;
  ASSERT_TRUE(reader.open_bytes(cut.file()).ok());
  EXPECT_THAT(reader.select_sheet(0).message, HasSubstr("damaged"));
}

// Made with xlwt 1.3, which no test needs.
TEST(XlsReader, ReadsAFileOfAnotherProgram) {
  XlsReader reader;
  ASSERT_TRUE(reader.open("formats/testdata/xlwt.xls").ok()) << reader.outcome().message;
  ASSERT_EQ(reader.sheets().size(), 2U);
  EXPECT_FALSE(reader.sheets()[1].visible);
  const std::vector<std::string> rows = rows_of(reader);
  ASSERT_EQ(rows.size(), 7U);
  EXPECT_EQ(rows[1],
            "2: A1=名称1 B3=2024-05-30 C2=000001 D4=FALSE E0= F2=3.25 G3=2024-05-30 10:00:00 "
            "H3=36:00:00");
  ASSERT_EQ(reader.merges().size(), 1U);
  EXPECT_EQ(reader.merges()[0].range, "A7:A9");
}

TEST(XlsReader, BoundsTheSizeOfAFile) {
  XlsReader reader({.max_file_bytes = 100});
  EXPECT_FALSE(reader.open("/proc/self/exe").ok());
  EXPECT_EQ(reader.outcome().code, OutcomeCode::kLimit);
}

TEST(XlsReader, NeverCrashesOnDamage) {
  XlsBuilder builder;
  builder.sheet(u"s").cells =
      builder.text(1, 0, u"名称") + XlsBuilder::number(2, 0, 45442) +
      xls_record(0x0006, XlsBuilder::place(2, 1, 0) + std::string(16, '\0'));
  const std::string file = builder.file();
  XlsxRow row;
  for (std::size_t i = 0; i < 4000; ++i) {
    std::string damaged = file;
    damaged[i * kEverySecondMove % file.size()] ^= static_cast<char>(1 << (i % 8));
    if (i % 4 == 0) damaged.resize(i * kEverySecondMove % file.size());
    XlsReader reader;
    if (!reader.open_bytes(damaged).ok()) continue;
    for (std::size_t sheet = 0; sheet < reader.sheets().size(); ++sheet) {
      if (!reader.select_sheet(sheet).ok()) continue;
      while (reader.next_row(row)) {
        for (const XlsxCell& cell : row.cells) EXPECT_TRUE(is_valid_utf8(cell.text));
      }
    }
  }
}

TEST(OleFile, ReadsShortStreams) {
  // The header, the table, the folder with the short sectors' stream as its root, the table of
  // short sectors and these themselves.
  std::string file = testing::ole_of({{u"Workbook", std::string(4096, 'x')}});
  const std::size_t root = 512 + 512, table = 512;
  file.replace(0x3C, 4, little(10, 4));
  file.replace(table + 9 * 4, 8, little(0xFFFFFFFE, 4) + little(0xFFFFFFFE, 4));
  file.resize(512 + 11 * 512, '\0');
  file.replace(512 + 10 * 512, 8, little(1, 4) + little(0xFFFFFFFE, 4));
  file.replace(root + 0x74, 8, little(2, 4) + little(4096, 4));
  file.replace(root + 128 + 0x74, 8, little(0, 4) + little(100, 4));
  OleFile ole;
  std::string content;
  ASSERT_TRUE(ole.open(file).ok());
  ASSERT_TRUE(ole.read("Workbook", content).ok());
  EXPECT_EQ(content, std::string(100, 'x'));
}

TEST(OleFile, DoesNotGoInCircles) {
  std::string file = testing::ole_of({{u"Workbook", std::string(5000, 'x')}});
  OleFile ole;
  std::string content;
  ASSERT_TRUE(ole.open(file).ok());
  ASSERT_TRUE(ole.read("workbook", content).ok());
  EXPECT_EQ(content, std::string(5000, 'x'));
  file.replace(512 + 3 * 4, 4, little(2, 4));  // the second sector leads back to the first
  ASSERT_TRUE(ole.open(file).ok());
  EXPECT_EQ(ole.read("Workbook", content).code, OutcomeCode::kCorrupt);
}

}  // namespace
}  // namespace huiliu::formats
