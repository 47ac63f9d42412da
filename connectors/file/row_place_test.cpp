#include "connectors/file/row_place.h"

#include <gtest/gtest.h>

#include "connectors/testing.h"
#include "formats/xls_testing.h"
#include "formats/xlsx_writer.h"

namespace huiliu::connectors {
namespace {

using testing::config_of;
using testing::TemporaryFolder;

std::optional<runtime::RecordPlace> place_of(const TemporaryFolder& folder, const std::string& path,
                                             const std::string& name, std::uint64_t row) {
  runtime::Diagnostics ignored;
  const codecs::FileOptions options = codecs::parse_file_options(
      config_of("type: file\npath: " + path + "\nmax_row_bytes: 64\nfields: [a, b]\n"), ignored);
  return find_row_place(options, folder.path(), name, row);
}

TEST(RowPlace, CountsTheHeaderAndLineBreaksWithinCells) {
  const TemporaryFolder folder;
  folder.write("in/x.csv", "a,b\n1,2\n\"two\nlines\",3\n\n4,5\n");
  EXPECT_EQ(place_of(folder, "in", "x.csv", 1)->line, 2u);
  EXPECT_EQ(place_of(folder, "in", "x.csv", 2)->line, 3u);
  EXPECT_EQ(place_of(folder, "in", "x.csv", 4)->line, 6u);
  EXPECT_EQ(place_of(folder, "in", "x.csv", 4)->sheet, "");
}

TEST(RowPlace, CountsLineBreaksWithinCellsOfAnyDelimiter) {
  const TemporaryFolder folder;
  folder.write("in/x.csv", "a;b\n1;\"2\n2\"\n3;4\n");
  EXPECT_EQ(place_of(folder, "in", "x.csv", 2)->line, 4u);
}

TEST(RowPlace, CountsDamagedRowsAsTheSourceDoes) {
  const TemporaryFolder folder;
  folder.write("in/x.csv", "a,b\n1,\"" + std::string(100, 'x') + "\n4,5\n");
  EXPECT_EQ(place_of(folder, "in", "x.csv", 1)->line, 2u);
  EXPECT_EQ(place_of(folder, "in", "x.csv", 2)->line, 3u);
}

TEST(RowPlace, OfNdjsonIsTheLine) {
  const TemporaryFolder folder;
  folder.write("in/sub/x.ndjson", "{}\n\n{}\n");
  const auto place = place_of(folder, "in", "sub/x.ndjson", 3);
  EXPECT_EQ(place->line, 3u);
  EXPECT_EQ(place->path, folder.path("in/sub/x.ndjson"));
}

TEST(RowPlace, OfXmlAndOfAnArrayIsTheLineOfTheFile) {
  const TemporaryFolder folder;
  folder.write("in/x.xml", "\n<ROWDATA>\n<ROW>\n<a>1</a>\n</ROW>\n<ROW><a>2</a></ROW>\n</ROWDATA>");
  folder.write("in/y.json", "[\n{\n\"a\": 1\n},\n{\"a\": 2}]");
  EXPECT_EQ(place_of(folder, "in", "x.xml", 1)->line, 3u);
  EXPECT_EQ(place_of(folder, "in", "x.xml", 2)->line, 6u);
  EXPECT_EQ(place_of(folder, "in", "y.json", 2)->line, 5u);
}

TEST(RowPlace, FindsTheFileOfASingleFileAndOfAGlob) {
  const TemporaryFolder folder;
  folder.write("in/x.csv", "a,b\n1,2\n");
  EXPECT_EQ(place_of(folder, "in/x.csv", "x.csv", 1)->line, 2u);
  EXPECT_EQ(place_of(folder, "in/*.csv", "x.csv", 1)->line, 2u);
}

TEST(RowPlace, OfAWorkbookIsTheSheetAndItsRow) {
  const TemporaryFolder folder;
  formats::XlsxWriter writer(folder.path("x.xlsx"));
  ASSERT_TRUE(writer.add_sheet({.name = "数据"}).ok());
  ASSERT_TRUE(writer.write_text(0, "a title").ok());
  ASSERT_TRUE(writer.end_row().ok());
  ASSERT_TRUE(writer.write_header(std::vector<std::string>{"a", "b"}).ok());
  ASSERT_TRUE(writer.write_text(0, "1").ok());
  ASSERT_TRUE(writer.end_row().ok());
  ASSERT_TRUE(writer.close().ok());
  const auto place = place_of(folder, "x.xlsx", "x.xlsx", 1);
  EXPECT_EQ(place->sheet, "数据");
  EXPECT_EQ(place->line, 3u);
}

TEST(RowPlace, OfAnOldWorkbookIsTheSheetAndItsRow) {
  const TemporaryFolder folder;
  formats::testing::XlsBuilder book;
  auto& sheet = book.sheet(u"数据");
  sheet.cells = book.text(1, 0, u"a title") + book.text(2, 0, u"a") + book.text(2, 1, u"b") +
                book.text(5, 0, u"1");
  folder.write("x.xls", book.file());
  const auto place = place_of(folder, "x.xls", "x.xls", 3);
  EXPECT_EQ(place->sheet, "数据");
  EXPECT_EQ(place->line, 5u);
}

TEST(RowPlace, IsEmptyWhenTheFileIsGone) {
  const TemporaryFolder folder;
  folder.write("in/x.csv", "a,b\n1,2\n");
  EXPECT_FALSE(place_of(folder, "in", "y.csv", 1));
}

}  // namespace
}  // namespace huiliu::connectors
