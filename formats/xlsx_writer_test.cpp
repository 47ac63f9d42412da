#include "formats/xlsx_writer.h"

#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "formats/xlsx_reader.h"

namespace huiliu::formats {
namespace {

// A sanitizer keeps freed memory back, so that the high-water mark says nothing.
#if defined(HUILIU_SANITIZED)
constexpr bool kMemoryIsMeasurable = false;
#else
constexpr bool kMemoryIsMeasurable = true;
#endif

class XlsxWriterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "xlsx_writer_XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string path() const { return (folder_ / "out.xlsx").string(); }

  std::filesystem::path folder_;
};

long peak_memory_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stol(line.substr(6));
  }
  return -1;
}

// The high-water mark starts anew at the present size.
void reset_peak_memory() { std::ofstream("/proc/self/clear_refs") << "5"; }

void write_sample(XlsxWriter& writer) {
  ASSERT_TRUE(writer.add_sheet({"数据", {12, 0, 30}, true}).ok());
  ASSERT_TRUE(writer.write_header(std::vector<std::string>{"代码", "价格", "日期"}).ok());
  ASSERT_TRUE(writer.write_text(0, "000001").ok());
  ASSERT_TRUE(writer.write_number(1, 12.5, CellMark::kError).ok());
  ASSERT_TRUE(writer.write_date(2, "2024-02-29").ok());
  ASSERT_TRUE(writer.end_row().ok());
  ASSERT_TRUE(writer.write_text(2, " <a&b>\n\x01 _x0041_ 汇流𠮷 ", CellMark::kError).ok());
  ASSERT_TRUE(writer.end_row().ok());
  ASSERT_TRUE(writer.close().ok());
}

void expect_sample(const std::string& path) {
  XlsxReader reader;
  ASSERT_TRUE(reader.open(path).ok()) << reader.outcome().message;
  ASSERT_EQ(reader.sheets().size(), 1U);
  ASSERT_TRUE(reader.select_sheet("数据").ok()) << reader.outcome().message;
  XlsxRow row;
  ASSERT_TRUE(reader.next_row(row)) << reader.outcome().message;
  EXPECT_EQ(row.at(0).text, "代码");
  ASSERT_TRUE(reader.next_row(row));
  EXPECT_EQ(row.number, 2U);
  EXPECT_EQ(row.at(0).kind, CellKind::kString);
  EXPECT_EQ(row.at(0).text, "000001");
  EXPECT_EQ(row.at(1).kind, CellKind::kNumber);
  EXPECT_EQ(row.at(1).number, 12.5);
  EXPECT_EQ(row.at(2).kind, CellKind::kDate);
  EXPECT_EQ(row.at(2).text, "2024-02-29");
  ASSERT_TRUE(reader.next_row(row));
  EXPECT_EQ(row.at(0).kind, CellKind::kEmpty);
  EXPECT_EQ(row.at(2).text, " <a&b>\n\x01 _x0041_ 汇流𠮷 ");
  EXPECT_FALSE(reader.next_row(row));
  EXPECT_TRUE(reader.outcome().ok()) << reader.outcome().message;
}

TEST_F(XlsxWriterTest, WritesInlineStringsInConstantMemory) {
  XlsxWriter writer(path(), {true, folder_.string()});
  write_sample(writer);
  expect_sample(path());
}

TEST_F(XlsxWriterTest, WritesSharedStringsWhenMemoryIsFree) {
  XlsxWriter writer(path(), {false, {}});
  write_sample(writer);
  expect_sample(path());
}

TEST_F(XlsxWriterTest, RefusesWhatASheetCannotHold) {
  XlsxWriter writer(path());
  EXPECT_EQ(writer.write_text(0, "x").code, OutcomeCode::kInvalid);
  EXPECT_EQ(writer.add_sheet({"a/b", {}, true}).code, OutcomeCode::kInvalid);
  ASSERT_TRUE(writer.add_sheet({"one", {}, true}).ok());
  EXPECT_EQ(writer.add_sheet({"ONE", {}, true}).code, OutcomeCode::kInvalid);
  EXPECT_EQ(writer.write_text(16384, "x").code, OutcomeCode::kLimit);
  EXPECT_EQ(writer.write_number(0, std::numeric_limits<double>::infinity()).code,
            OutcomeCode::kInvalid);
  EXPECT_EQ(writer.write_date(0, "2023-02-29").code, OutcomeCode::kInvalid);
  EXPECT_EQ(writer.write_date(0, "1900-02-28").code, OutcomeCode::kInvalid);
  EXPECT_TRUE(writer.close().ok());
  EXPECT_EQ(writer.close().code, OutcomeCode::kInvalid);
}

TEST_F(XlsxWriterTest, DropsNoCell) {
  const std::string longest(40000, 'x');
  XlsxWriter writer(path());
  ASSERT_TRUE(writer.add_sheet({}).ok());
  CellText altered;
  ASSERT_TRUE(writer.write_text(0, longest, CellMark::kNote, &altered).ok());
  EXPECT_TRUE(altered.shortened);
  ASSERT_TRUE(writer.write_text(1, std::string_view("a\0b", 3), CellMark::kPlain, &altered).ok());
  EXPECT_TRUE(altered.replaced);
  ASSERT_TRUE(writer.write_text(2, "=SUM(A1)").ok());
  // Escapes make it longer than the library's limit, but not than Excel's.
  ASSERT_TRUE(writer.write_text(3, std::string(32767, '\x02')).ok());
  ASSERT_TRUE(writer.write_comment(0, "a comment <&> \x01 with 汉字").ok());
  ASSERT_TRUE(writer.end_row().ok());
  ASSERT_TRUE(writer.close().ok());
  XlsxReader reader;
  ASSERT_TRUE(reader.open(path()).ok()) << reader.outcome().message;
  ASSERT_TRUE(reader.select_sheet(std::size_t{0}).ok());
  XlsxRow row;
  ASSERT_TRUE(reader.next_row(row)) << reader.outcome().message;
  EXPECT_EQ(row.at(0).text, longest.substr(0, 32762) + std::string(kShortenedMark));
  EXPECT_EQ(row.at(1).text, "a\uFFFDb");
  EXPECT_EQ(row.at(2).text, "=SUM(A1)");
  EXPECT_EQ(row.at(3).text, std::string(32767, '\x02'));
}

TEST_F(XlsxWriterTest, ReportsAPathItCannotWrite) {
  XlsxWriter writer((folder_ / "absent" / "out.xlsx").string());
  ASSERT_TRUE(writer.add_sheet({}).ok());
  EXPECT_EQ(writer.close().code, OutcomeCode::kIo);
}

TEST_F(XlsxWriterTest, LeavesNoFileWhenNotClosed) {
  {
    XlsxWriter writer(path());
    ASSERT_TRUE(writer.add_sheet({}).ok());
    ASSERT_TRUE(writer.write_text(0, "x").ok());
  }
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(XlsxWriterTest, WritesAndReadsManyRowsInBoundedMemory) {
  constexpr int kRows = 200000;
  constexpr long kBoundKib = 32 * 1024;
  reset_peak_memory();
  const long before = peak_memory_kib();
  const auto start = std::chrono::steady_clock::now();
  {
    XlsxWriter writer(path(), {true, folder_.string()});
    ASSERT_TRUE(writer.add_sheet({}).ok());
    for (int i = 0; i < kRows; ++i) {
      ASSERT_TRUE(writer.write_text(0, std::to_string(600000 + i)).ok());
      ASSERT_TRUE(writer.write_text(1, "贵州茅台酒股份有限公司").ok());
      ASSERT_TRUE(writer.write_number(2, i * 0.25).ok());
      ASSERT_TRUE(writer.write_date(3, "2024-01-31").ok());
      ASSERT_TRUE(writer.end_row().ok());
    }
    ASSERT_TRUE(writer.close().ok());
  }
  const auto written = std::chrono::steady_clock::now();
  const long writer_kib = peak_memory_kib() - before;
  reset_peak_memory();
  const long middle = peak_memory_kib();
  XlsxReader reader;
  ASSERT_TRUE(reader.open(path()).ok());
  ASSERT_TRUE(reader.select_sheet(std::size_t{0}).ok());
  XlsxRow row;
  int rows = 0;
  while (reader.next_row(row)) {
    ASSERT_EQ(row.at(2).number, rows * 0.25);
    ++rows;
  }
  const auto read = std::chrono::steady_clock::now();
  EXPECT_TRUE(reader.outcome().ok()) << reader.outcome().message;
  EXPECT_EQ(rows, kRows);
  const long reader_kib = peak_memory_kib() - middle;
  if (kMemoryIsMeasurable) {
    EXPECT_LT(writer_kib, kBoundKib);
    EXPECT_LT(reader_kib, kBoundKib);
  }
  const std::chrono::duration<double> write_s = written - start;
  const std::chrono::duration<double> read_s = read - written;
  std::cout << "write " << kRows / write_s.count() << " rows/s, +" << writer_kib << " KiB; read "
            << kRows / read_s.count() << " rows/s, +" << reader_kib << " KiB\n";
}

}  // namespace
}  // namespace huiliu::formats
