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

TEST(CsvSplitter, FindsTheEndOfTheLastCompleteRow) {
  CsvSplitter splitter;
  const CsvSplit split = splitter.feed("a,b\nc,d\r\ne,f");
  EXPECT_EQ(split.error, CsvError::kNone);
  EXPECT_EQ(split.complete_bytes, 9U);
  EXPECT_EQ(split.complete_rows, 2U);
  EXPECT_EQ(splitter.pending_bytes(), 3U);
}

TEST(CsvSplitter, KeepsEmbeddedNewlinesAndDoubledQuotesInTheRow) {
  CsvSplitter splitter;
  const std::string row = "\"a\n\"\"b\"\"\r\n\",\"\"\n";
  EXPECT_EQ(splitter.feed(row + "x").complete_bytes, row.size());
}

TEST(CsvSplitter, GivesTheSameRowsForEveryCutOfTheStream) {
  const std::string text = "a,\"b\n\"\"\",c\n\"\"\r\nx\"y,z\n,\n\"q\"r\"\n,\"\n\"\nlast";
  CsvSplitter whole;
  const CsvSplit expected = whole.feed(text);
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    CsvSplitter splitter;
    const CsvSplit first = splitter.feed(std::string_view(text).substr(0, cut));
    const CsvSplit second = splitter.feed(std::string_view(text).substr(cut));
    EXPECT_EQ(first.complete_rows + second.complete_rows, expected.complete_rows) << cut;
    const std::size_t end =
        second.complete_rows > 0 ? cut + second.complete_bytes : first.complete_bytes;
    EXPECT_EQ(end, expected.complete_bytes) << cut;
    EXPECT_EQ(splitter.pending_bytes(), 4U);
  }
}

TEST(CsvSplitter, LetsAStrayQuoteSpoilOnlyItsOwnRow) {
  CsvSplitter splitter;
  EXPECT_EQ(splitter.feed("a\"b,c\nd,e\n\"f\"g\"\nh\n").complete_rows, 4U);
}

TEST(CsvSplitter, WorksOnRawGb18030) {
  // Second bytes 7C, 5C and 4-byte digits are no separators.
  const std::string row = "\x81\x7C,\x95\x5C,\"\x95\x32\x82\x36\n\"\n";
  CsvSplitter splitter;
  EXPECT_EQ(splitter.feed(row).complete_bytes, row.size());
  EXPECT_EQ(csv_row_end(row, 0), row.size());
}

TEST(CsvSplitter, RefusesARowBeyondItsBoundAndCanSkipIt) {
  CsvSplitter splitter(8);
  EXPECT_EQ(splitter.feed("1234567\n").error, CsvError::kNone);
  const CsvSplit split = splitter.feed("ab\n\"345678");
  EXPECT_EQ(split.error, CsvError::kNone);
  EXPECT_EQ(split.complete_bytes, 3U);
  EXPECT_TRUE(splitter.inside_quotes());
  EXPECT_EQ(splitter.feed("xyz").error, CsvError::kRowTooLong);
  splitter.skip_damaged_row();
  EXPECT_EQ(splitter.feed("more").complete_bytes, 4U);
  const CsvSplit after = splitter.feed("rest\nok\n");
  EXPECT_EQ(after.complete_bytes, 8U);
  EXPECT_EQ(after.complete_rows, 1U);
}

TEST(CsvRowEnd, AgreesWithTheSplitter) {
  std::mt19937 random(7);
  const std::string_view alphabet = "a,\"\n\r\"";
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (std::size_t i = 0; i < 14; ++i) text += alphabet[random() % alphabet.size()];
    CsvSplitter splitter;
    const CsvSplit split = splitter.feed(text);
    std::size_t at = 0;
    std::size_t rows = 0;
    for (std::size_t end; (end = csv_row_end(text, at)) != std::string_view::npos; at = end) ++rows;
    ASSERT_EQ(at, split.complete_bytes) << text;
    ASSERT_EQ(rows, split.complete_rows) << text;
  }
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
  CsvSplitter splitter;
  const CsvSplit split = splitter.feed(text);
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
