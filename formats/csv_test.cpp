#include "formats/csv.h"

#include <chrono>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace huiliu::formats {
namespace {

using ::testing::ElementsAre;

constexpr std::size_t kBound = 1 << 20;

TEST(SplitCsv, FindsTheEndOfTheLastCompleteRow) {
  const CsvSplit split = split_csv("a,b\nc,d\r\ne,f", kBound, false);
  EXPECT_EQ(split.error, CsvError::kNone);
  EXPECT_EQ(split.complete_bytes, 9U);
  EXPECT_EQ(split.complete_rows, 2U);
}

TEST(SplitCsv, KeepsEmbeddedNewlinesAndDoubledQuotesInTheRow) {
  const std::string row = "\"a\n\"\"b\"\"\r\n\",\"\"\n";
  EXPECT_EQ(split_csv(row + "x", kBound, false).complete_bytes, row.size());
}

TEST(SplitCsv, LetsAStrayOrUnclosedQuoteSpoilOnlyItsOwnRow) {
  EXPECT_EQ(split_csv("a\"b,c\nd,e\n", kBound, true).complete_rows, 2U);
  // The quote opened in the first row seems to close in the third.
  EXPECT_EQ(split_csv("a,\"b\nc,d\ne,\"f\"\ng,h\n", kBound, true).complete_rows, 4U);
  const CsvSplit open = split_csv("x\na,\"b\nc,d\n", kBound, true);
  EXPECT_EQ(open.error, CsvError::kUnterminatedQuote);
  EXPECT_EQ(open.complete_bytes, 2U);
  EXPECT_EQ(split_csv("a,\"b\nc,d\n", kBound, false).error, CsvError::kNone);
  EXPECT_EQ(split_csv("a,\"b\nc,d\n", 6, false).error, CsvError::kUnterminatedQuote);
}

TEST(SplitCsv, WorksOnRawGb18030) {
  const std::string row = "\xB9\xF3\xD6\xDD,\"\xC3\xA9\xCC\xA8\"\n";
  EXPECT_EQ(split_csv(row, kBound, true).complete_bytes, row.size());
  EXPECT_EQ(csv_row_end(row, 0), row.size());
}

TEST(SplitCsv, RefusesARowBeyondItsBound) {
  EXPECT_EQ(split_csv("1234567\n", 8, true).error, CsvError::kNone);
  EXPECT_EQ(split_csv("ab\n12345678\n", 8, true).error, CsvError::kRowTooLong);
  EXPECT_EQ(split_csv("ab\n123456789", 8, false).error, CsvError::kRowTooLong);
  EXPECT_EQ(split_csv("ab\n12345678", 8, false).error, CsvError::kNone);
}

TEST(CsvRowParser, TakesALineEndOfSeveralReturnsOff) {
  CsvRowParser parser;
  ASSERT_EQ(parser.parse("a,b\r\r\n"), CsvError::kNone);
  EXPECT_THAT(parser.cells(), ElementsAre("a", "b"));
}

TEST(CsvRowParser, SplitsPlainAndQuotedCells) {
  CsvRowParser parser;
  ASSERT_EQ(parser.parse("a,,\"b,\"\"c\"\"\n\",\"\"\"\",d\r\n"), CsvError::kNone);
  EXPECT_THAT(parser.cells(), ElementsAre("a", "", "b,\"c\"\n", "\"", "d"));
  EXPECT_FALSE(parser.is_blank());
}

TEST(CsvRowParser, TellsABlankLineFromAnEmptyQuotedCell) {
  CsvRowParser parser;
  ASSERT_EQ(parser.parse("\r\n"), CsvError::kNone);
  EXPECT_TRUE(parser.is_blank());
  EXPECT_THAT(parser.cells(), ElementsAre(""));
  ASSERT_EQ(parser.parse("\"\"\n"), CsvError::kNone);
  EXPECT_FALSE(parser.is_blank());
  ASSERT_EQ(parser.parse(",\n"), CsvError::kNone);
  EXPECT_THAT(parser.cells(), ElementsAre("", ""));
}

TEST(CsvRowParser, NamesWhatIsWrongAndWhere) {
  CsvRowParser parser(3);
  EXPECT_EQ(parser.parse("a,\"b"), CsvError::kUnterminatedQuote);
  EXPECT_EQ(parser.error_cell(), 1U);
  EXPECT_EQ(parser.parse("\"a\"\"\n"), CsvError::kUnterminatedQuote);
  EXPECT_EQ(parser.parse("a,b,c\"d"), CsvError::kStrayQuote);
  EXPECT_EQ(parser.error_cell(), 2U);
  EXPECT_EQ(parser.parse("\"a\"b,c"), CsvError::kStrayQuote);
  EXPECT_EQ(parser.parse("a,b,c,d"), CsvError::kTooManyCells);
  EXPECT_EQ(parser.parse("a,b,c"), CsvError::kNone);
}

TEST(CsvRowParser, KeepsEarlierUnescapedCellsWhenTheArenaFills) {
  CsvRowParser parser(100000);
  std::string row;
  for (int i = 0; i < 1000; ++i) row += "\"cell \"\"number\"\" " + std::to_string(i) + "\",";
  ASSERT_EQ(parser.parse(row), CsvError::kNone);
  ASSERT_EQ(parser.cells().size(), 1001U);
  EXPECT_EQ(parser.cells()[0], "cell \"number\" 0");
  EXPECT_EQ(parser.cells()[999], "cell \"number\" 999");
}

TEST(CsvRowParser, TakesAnyDelimiter) {
  CsvRowParser parser(10, CsvDialect{'\t', '\''});
  ASSERT_EQ(parser.parse("a,b\t'c\t''d'\n"), CsvError::kNone);
  EXPECT_THAT(parser.cells(), ElementsAre("a,b", "c\t'd"));
}

TEST(CsvWriter, QuotesOnlyWhatNeedsIt) {
  const CsvWriter writer;
  std::string out;
  writer.append_row(std::vector<std::string>{"a b", "c,d", "e\"f", "g\nh", "", "汇流"}, out);
  EXPECT_EQ(out, "a b,\"c,d\",\"e\"\"f\",\"g\nh\",,汇流\n");
}

TEST(CsvWriter, WritesWhatTheParserReadsBack) {
  std::mt19937 random(11);
  const std::string_view alphabet = "a,\"\n\r b";
  CsvRowParser parser;
  const CsvWriter writer({}, CsvLineEnd::kCrLf);
  for (int round = 0; round < 20000; ++round) {
    std::vector<std::string> cells(1 + random() % 4);
    for (std::string& cell : cells) {
      for (std::size_t left = random() % 6; left > 0; --left) {
        cell += alphabet[random() % alphabet.size()];
      }
    }
    std::string out;
    writer.append_row(cells, out);
    ASSERT_EQ(csv_row_end(out, 0), out.size()) << out;
    ASSERT_EQ(parser.parse(out), CsvError::kNone) << out;
    ASSERT_THAT(parser.cells(), ::testing::ElementsAreArray(cells));
    ASSERT_FALSE(parser.is_blank());
  }
}

TEST(CsvThroughput, IsReported) {
  std::string text;
  for (int i = 0; i < 200000; ++i) {
    text += std::to_string(600000 + i) + ",贵州茅台,1234.56,\"上海, 主板\",2024-01-31,,买入\n";
  }
  const auto begin = std::chrono::steady_clock::now();
  const CsvSplit split = split_csv(text, kBound, true);
  const auto split_done = std::chrono::steady_clock::now();
  CsvRowParser parser;
  std::size_t cells = 0;
  for (std::size_t at = 0; at < split.complete_bytes;) {
    const std::size_t end = csv_row_end(text, at);
    ASSERT_EQ(parser.parse(std::string_view(text).substr(at, end - at)), CsvError::kNone);
    cells += parser.cells().size();
    at = end;
  }
  const auto parsed = std::chrono::steady_clock::now();
  EXPECT_EQ(cells, 200000U * 7);
  const std::chrono::duration<double> split_s = split_done - begin;
  const std::chrono::duration<double> parse_s = parsed - split_done;
  std::cout << "split " << static_cast<double>(text.size()) / split_s.count() / 1e6
            << " MB/s, parse " << 200000 / parse_s.count() << " rows/s\n";
}

}  // namespace
}  // namespace huiliu::formats
