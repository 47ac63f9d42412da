#include "formats/xlsx_reader.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace huiliu::formats {
namespace {

using Parts = std::vector<std::pair<std::string, std::string>>;

std::string zip_of(const Parts& parts, const char* compression = "deflate") {
  std::size_t total = 4096;
  for (const auto& [name, content] : parts) total += 2 * content.size() + 4096;
  std::string bytes(total, '\0');
  std::size_t used = 0;
  archive* const zip = archive_write_new();
  archive_write_set_format_zip(zip);
  archive_write_set_format_option(zip, "zip", "compression", compression);
  EXPECT_EQ(archive_write_open_memory(zip, bytes.data(), bytes.size(), &used), ARCHIVE_OK);
  for (const auto& [name, content] : parts) {
    archive_entry* const entry = archive_entry_new();
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    EXPECT_EQ(archive_write_header(zip, entry), ARCHIVE_OK);
    EXPECT_EQ(archive_write_data(zip, content.data(), content.size()),
              static_cast<la_ssize_t>(content.size()));
    archive_entry_free(entry);
  }
  archive_write_close(zip);
  archive_write_free(zip);
  bytes.resize(used);
  return bytes;
}

std::string relationship(const std::string& id, const std::string& type, const std::string& to) {
  return "<Relationship Id=\"" + id +
         "\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/" + type +
         "\" Target=\"" + to + "\"/>";
}

constexpr const char* kStyles =
    "<styleSheet><numFmts><numFmt numFmtId=\"164\" "
    "formatCode=\"yyyy&quot;年&quot;m&quot;月&quot;\"/>"
    "<numFmt numFmtId=\"165\" formatCode=\"0.00&quot;day&quot;\"/></numFmts>"
    "<cellStyleXfs><xf numFmtId=\"14\"/></cellStyleXfs>"
    "<cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"164\"/>"
    "<xf numFmtId=\"165\"/><xf numFmtId=\"57\"/></cellXfs></styleSheet>";

// A package whose first sheet holds `rows`; the shared strings come last in the zip.
Parts package(const std::string& rows, const std::string& shared = "",
              const std::string& workbook_properties = "") {
  Parts parts;
  parts.emplace_back("_rels/.rels", "<Relationships>" +
                                        relationship("a", "officeDocument", "/xl/workbook.xml") +
                                        "</Relationships>");
  parts.emplace_back("xl/workbook.xml",
                     "<workbook xmlns:r=\"x\">" + workbook_properties +
                         "<sheets><sheet name=\"第一\" sheetId=\"1\" r:id=\"r1\"/>"
                         "<sheet name=\"Hidden\" state=\"hidden\" r:id=\"r2\"/>"
                         "<sheet name=\"Chart\" r:id=\"r3\"/></sheets></workbook>");
  parts.emplace_back("xl/_rels/workbook.xml.rels",
                     "<Relationships>" + relationship("r1", "worksheet", "worksheets/sheet1.xml") +
                         relationship("r2", "worksheet", "/xl/worksheets/sheet2.xml") +
                         relationship("r3", "chartsheet", "chartsheets/sheet1.xml") +
                         relationship("s", "styles", "styles.xml") +
                         relationship("t", "sharedStrings", "SharedStrings.xml") +
                         "</Relationships>");
  parts.emplace_back("xl/styles.xml", kStyles);
  parts.emplace_back("xl/worksheets/sheet1.xml",
                     "<worksheet><cols><col/></cols><sheetData>" + rows +
                         "</sheetData><mergeCells><mergeCell ref=\"A1:B2\"/></mergeCells>"
                         "</worksheet>");
  parts.emplace_back("xl/worksheets/sheet2.xml",
                     "<x:worksheet xmlns:x=\"y\"><x:sheetData><x:row><x:c><x:v>7</x:v></x:c>"
                     "</x:row></x:sheetData></x:worksheet>");
  if (!shared.empty()) parts.emplace_back("xl/sharedStrings.xml", "<sst>" + shared + "</sst>");
  return parts;
}

// Opens the first sheet; the rows of it are read with next().
struct OpenSheet {
  std::string bytes;
  XlsxReader reader;
  XlsxRow row;

  explicit OpenSheet(const Parts& parts, XlsxLimits limits = {})
      : bytes(zip_of(parts)), reader(limits) {
    if (reader.open_bytes(bytes).ok()) (void)reader.select_sheet(std::size_t{0});
  }
  bool next() { return reader.next_row(row); }
  OutcomeCode drain() {
    while (next()) {
    }
    return reader.outcome().code;
  }
};

TEST(XlsxReader, ListsSheetsAndChoosesByNameOrIndex) {
  OpenSheet sheet(package("<row r=\"1\"/>"));
  const auto& sheets = sheet.reader.sheets();
  ASSERT_EQ(sheets.size(), 3U);
  EXPECT_EQ(sheets[0].name, "第一");
  EXPECT_TRUE(sheets[0].visible);
  EXPECT_FALSE(sheets[1].visible);
  ASSERT_TRUE(sheet.reader.select_sheet("Hidden").ok());
  ASSERT_TRUE(sheet.next());
  EXPECT_EQ(sheet.row.number, 1U);
  EXPECT_EQ(sheet.row.at(0).text, "7");
  EXPECT_EQ(sheet.reader.select_sheet("Chart").code, OutcomeCode::kUnsupported);
  EXPECT_FALSE(sheet.next());
  EXPECT_EQ(sheet.reader.select_sheet("none").code, OutcomeCode::kNotFound);
  EXPECT_EQ(sheet.reader.select_sheet(std::size_t{9}).code, OutcomeCode::kNotFound);
  EXPECT_TRUE(sheet.reader.select_sheet(std::size_t{0}).ok());
}

TEST(XlsxReader, GivesEachKindOfCell) {
  OpenSheet sheet(
      package("<row r=\"3\"><c r=\"A3\" t=\"s\"><v>1</v></c>"
              "<c r=\"B3\"><v> 3.50802190001010016E17 </v></c>"
              "<c r=\"D3\" t=\"b\"><v>1</v></c><c t=\"e\"><v>#N/A</v></c>"
              "<c t=\"str\"><f>A1&amp;\"x\"</f><v>a_x000D_b</v></c>"
              "<c t=\"inlineStr\"><is><r><t>汇</t></r><r><t>流</t></r>"
              "<rPh><t>hui</t></rPh></is></c><c r=\"AB3\" s=\"1\"/>"
              "<c><v>+1e999</v></c><c t=\"d\"><v>2024-02-29T10:00:00</v></c></row>",
              "<si><t>zero</t></si><si><r><t xml:space=\"preserve\"> one</t></r>"
              "<r><t>!</t></r><rPh><t>no</t></rPh></si>"));
  ASSERT_TRUE(sheet.next()) << sheet.reader.outcome().message;
  const XlsxRow& row = sheet.row;
  EXPECT_EQ(row.number, 3U);
  EXPECT_EQ(row.cells.size(), 9U);
  EXPECT_EQ(row.at(0).kind, CellKind::kString);
  EXPECT_EQ(row.at(0).text, " one!");
  EXPECT_EQ(row.at(1).kind, CellKind::kNumber);
  EXPECT_EQ(row.at(1).text, "3.50802190001010016E17");
  EXPECT_EQ(row.at(2).kind, CellKind::kEmpty);
  EXPECT_EQ(row.at(3).kind, CellKind::kBool);
  EXPECT_EQ(row.at(3).text, "TRUE");
  EXPECT_EQ(row.at(4).kind, CellKind::kError);
  EXPECT_EQ(row.at(4).text, "#N/A");
  EXPECT_EQ(row.at(5).text, "a\rb");
  EXPECT_EQ(row.at(6).text, "汇流");
  EXPECT_EQ(row.at(27).kind, CellKind::kEmpty);
  EXPECT_EQ(row.at(28).kind, CellKind::kError);
  EXPECT_EQ(row.at(29).kind, CellKind::kDate);
  EXPECT_EQ(row.at(29).text, "2024-02-29 10:00:00");
  EXPECT_FALSE(sheet.next());
  EXPECT_TRUE(sheet.reader.outcome().ok());
}

TEST(XlsxReader, GivesNumbersAsAPersonSeesThemHoweverTheWriterSpeltThem) {
  const std::pair<const char*, const char*> spellings[] = {
      {"100.0", "100"},
      {"2.0190012E7", "20190012"},
      {"1E2", "100"},
      {"-1.0E7", "-10000000"},
      {"-0.0", "0"},
      {"0.1", "0.1"},
      {"1.5E-3", "1.5E-3"},
      {"007", "7"},
      {"999999999999999", "999999999999999"},
      // Beyond 15 digits nobody knows which digits were meant.
      {"1.0E15", "1.0E15"},
      {"9007199254740993", "9007199254740993"}};
  std::string row = "<row>";
  for (const auto& [literal, shown] : spellings)
    row += "<c><v>" + std::string(literal) + "</v></c>";
  OpenSheet sheet(package(row + "</row>"));
  ASSERT_TRUE(sheet.next());
  std::uint32_t column = 0;
  for (const auto& [literal, shown] : spellings) {
    EXPECT_EQ(sheet.row.at(column).kind, CellKind::kNumber) << literal;
    EXPECT_EQ(sheet.row.at(column++).text, shown) << literal;
  }
}

TEST(XlsxReader, KnowsMergesOverSeveralRowsWhenTheSheetEnds) {
  const std::string rows =
      "<row r=\"1\"><c><v>1</v></c></row></sheetData><mergeCells>"
      "<mergeCell ref=\"A1:B1\"/><mergeCell ref=\"AB2:AC5\"/>"
      "<mergeCell ref=\"bad\"/><mergeCell ref=\"A:B\"/></mergeCells><sheetData>";
  OpenSheet sheet(package(rows));
  ASSERT_TRUE(sheet.next());
  EXPECT_FALSE(sheet.next());
  // The sheet of package() ends with a merge of its own.
  ASSERT_EQ(sheet.reader.merges().size(), 2U);
  const XlsxMerge& merge = sheet.reader.merges().front();
  EXPECT_EQ(merge.range, "AB2:AC5");
  EXPECT_EQ(merge.column, 27U);
  EXPECT_EQ(merge.first_row, 2U);
  EXPECT_EQ(merge.last_row, 5U);
}

TEST(XlsxReader, ShowsFormulasWithoutAResultAndReadsLowerCaseReferences) {
  OpenSheet sheet(
      package("<row r=\"1\"><c r=\"a1\"><f>1+1</f><v/></c><c r=\"c1\"><f>SUM(A1)</f></c>"
              "<c t=\"str\"><f>\"\"</f><v></v></c><c><f>2*3</f><v>6.0</v></c></row>"));
  ASSERT_TRUE(sheet.next());
  EXPECT_EQ(sheet.row.at(0).kind, CellKind::kNoValue);
  EXPECT_EQ(sheet.row.at(0).text, "=1+1");
  EXPECT_EQ(sheet.row.at(2).kind, CellKind::kNoValue);
  EXPECT_EQ(sheet.row.at(3).kind, CellKind::kString);
  EXPECT_EQ(sheet.row.at(3).text, "");
  EXPECT_EQ(sheet.row.at(4).text, "6");
}

constexpr const char* kDateRow =
    "<row><c s=\"1\"><v>45322.75</v></c><c s=\"2\"><v>45351</v></c><c s=\"3\"><v>45322</v></c>"
    "<c s=\"4\"><v>61</v></c><c s=\"1\"><v>60</v></c><c s=\"1\"><v>0.5</v></c>"
    "<c s=\"9\"><v>45322</v></c></row>";

TEST(XlsxReader, RendersDatesByStyle) {
  OpenSheet sheet(package(kDateRow));
  ASSERT_TRUE(sheet.next()) << sheet.reader.outcome().message;
  EXPECT_EQ(sheet.row.at(0).kind, CellKind::kDate);
  EXPECT_EQ(sheet.row.at(0).text, "2024-01-31");
  EXPECT_EQ(sheet.row.at(0).number, 45322.75);
  EXPECT_EQ(sheet.row.at(1).text, "2024-02-29");
  EXPECT_EQ(sheet.row.at(2).kind, CellKind::kNumber);
  EXPECT_EQ(sheet.row.at(3).text, "1900-03-01");
  EXPECT_EQ(sheet.row.at(4).kind, CellKind::kError);
  EXPECT_EQ(sheet.row.at(4).text, "60");
  EXPECT_EQ(sheet.row.at(5).kind, CellKind::kError);
  EXPECT_EQ(sheet.row.at(6).kind, CellKind::kNumber);
}

TEST(XlsxReader, CountsDatesFrom1904WhenTheWorkbookSaysSo) {
  OpenSheet sheet(package(kDateRow, "", "<workbookPr date1904=\"1\"/>"));
  ASSERT_TRUE(sheet.next());
  EXPECT_EQ(sheet.row.at(0).text, "2028-02-01");
  EXPECT_EQ(sheet.row.at(5).text, "1904-01-01");
}

TEST(XlsxReader, SkipsRowsToResume) {
  std::string rows;
  for (int i = 1; i <= 1000; ++i) {
    rows +=
        "<row r=\"" + std::to_string(2 * i) + "\"><c><v>" + std::to_string(i) + "</v></c></row>";
  }
  OpenSheet sheet(package(rows));
  ASSERT_TRUE(sheet.reader.skip_rows(0).ok());
  ASSERT_TRUE(sheet.next());
  ASSERT_TRUE(sheet.reader.skip_rows(498).ok());
  ASSERT_TRUE(sheet.next());
  EXPECT_EQ(sheet.row.number, 1000U);
  EXPECT_EQ(sheet.row.at(0).text, "500");
  ASSERT_TRUE(sheet.reader.skip_rows(100000).ok());
  EXPECT_FALSE(sheet.next());
  EXPECT_TRUE(sheet.reader.outcome().ok());
}

TEST(XlsxReader, BoundsWhatTheFileMayAskFor) {
  const std::string text(5000, 'x');
  const std::string shared = "<si><t>" + text + "</t></si>";
  const std::string rows =
      "<row><c t=\"s\"><v>0</v></c><c/><c t=\"str\"><v>" + text + "</v></c></row><row/><row/>";
  EXPECT_EQ(OpenSheet(package(rows, shared)).drain(), OutcomeCode::kOk);
  XlsxLimits limits;
  limits.max_shared_strings_bytes = 4999;
  EXPECT_EQ(OpenSheet(package(rows, shared), limits).drain(), OutcomeCode::kLimit);
  limits = {};
  limits.max_row_text_bytes = 4999;
  EXPECT_EQ(OpenSheet(package(rows, shared), limits).drain(), OutcomeCode::kLimit);
  limits = {};
  limits.max_rows = 2;
  EXPECT_EQ(OpenSheet(package(rows, shared), limits).drain(), OutcomeCode::kLimit);
  limits = {};
  limits.max_columns = 2;
  EXPECT_EQ(OpenSheet(package(rows, shared), limits).drain(), OutcomeCode::kLimit);
  limits = {};
  limits.max_sheet_bytes = 5000;
  EXPECT_EQ(OpenSheet(package(rows), limits).drain(), OutcomeCode::kLimit);
  limits = {};
  limits.max_metadata_bytes = 100;
  EXPECT_EQ(OpenSheet(package(rows), limits).reader.outcome().code, OutcomeCode::kLimit);
  limits = {};
  limits.max_depth = 3;
  EXPECT_EQ(OpenSheet(package(rows, shared), limits).drain(), OutcomeCode::kLimit);
  limits = {};
  limits.max_sheets = 2;
  EXPECT_EQ(OpenSheet(package(rows), limits).reader.outcome().code, OutcomeCode::kLimit);
  limits = {};
  limits.max_zip_entries = 2;
  EXPECT_EQ(OpenSheet(package(rows), limits).reader.outcome().code, OutcomeCode::kLimit);
}

TEST(XlsxReader, StopsAtAnEndlessTag) {
  const std::string endless = "<row r=\"" + std::string(3 << 20, '1');
  EXPECT_EQ(OpenSheet(package(endless)).drain(), OutcomeCode::kLimit);
}

TEST(XlsxReader, RefusesADoctype) {
  Parts parts = package("<row/>");
  for (auto& [name, content] : parts) {
    if (name == "xl/worksheets/sheet1.xml") {
      content = "<!DOCTYPE worksheet [<!ENTITY a \"b\">]>" + content;
    }
  }
  OpenSheet sheet(parts);
  EXPECT_EQ(sheet.drain(), OutcomeCode::kCorrupt);
  EXPECT_THAT(sheet.reader.outcome().message, ::testing::HasSubstr("DOCTYPE"));
}

TEST(XlsxReader, ReportsABrokenSheet) {
  for (const char* rows :
       {"<row r=\"2\"/><row r=\"2\"/>", "<row r=\"x\"/>", "<row r=\"0\"/>", "<row><row/></row>",
        "<row><c r=\"B1\"/><c r=\"A1\"/></row>", "<row><c r=\"11\"/></row>",
        "<row><c r=\"ABCD1\"/></row>", "<row><c t=\"s\"><v>0</v></c></row>",
        "<row><c t=\"huh\"/></row>", "<row><c s=\"-1\"/></row>", "<row></c></row>",
        "<row><c><c/></c></row>", "<row><c t=\"str\"><v>&undefined;</v></c></row>"}) {
    OpenSheet sheet(package(rows));
    EXPECT_EQ(sheet.drain(), OutcomeCode::kCorrupt) << rows;
    EXPECT_FALSE(sheet.reader.outcome().message.empty());
    EXPECT_FALSE(sheet.next());
  }
}

TEST(XlsxReader, ReportsEveryTruncationAndNeverCrashes) {
  const std::string whole = zip_of(package(kDateRow, "<si><t>a</t></si>"));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string cut = whole.substr(0, size);
    XlsxReader reader;
    EXPECT_FALSE(reader.open_bytes(cut).ok()) << size;
    XlsxRow row;
    EXPECT_FALSE(reader.next_row(row));
  }
}

TEST(XlsxReader, NoticesAFlippedByteOfTheSheetByItsChecksum) {
  std::string bytes = zip_of(package("<row><c><v>12345</v></c></row>"), "store");
  const std::size_t at = bytes.find("<v>12345");
  ASSERT_NE(at, std::string::npos);
  bytes[at + 3] = '9';
  XlsxReader reader;
  ASSERT_TRUE(reader.open_bytes(bytes).ok());
  ASSERT_TRUE(reader.select_sheet(std::size_t{0}).ok());
  XlsxRow row;
  while (reader.next_row(row)) {
  }
  EXPECT_EQ(reader.outcome().code, OutcomeCode::kCorrupt);
}

TEST(XlsxReader, TellsOtherFilesApart) {
  XlsxReader reader;
  EXPECT_EQ(reader.open("/nonexistent/file.xlsx").code, OutcomeCode::kIo);
  EXPECT_EQ(reader.open("/").code, OutcomeCode::kIo);
  EXPECT_EQ(reader.open_bytes("a,b,c\n1,2,3\n").code, OutcomeCode::kCorrupt);
  EXPECT_EQ(reader.open_bytes("").code, OutcomeCode::kCorrupt);
  const std::string other = zip_of({{"readme.txt", "hello"}});
  EXPECT_EQ(reader.open_bytes(other).code, OutcomeCode::kUnsupported);
  XlsxRow row;
  EXPECT_FALSE(reader.next_row(row));
  EXPECT_EQ(reader.outcome().code, OutcomeCode::kUnsupported);
}

}  // namespace
}  // namespace huiliu::formats
