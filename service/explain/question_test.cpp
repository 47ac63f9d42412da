#include "service/explain/question.h"

#include <gtest/gtest.h>

namespace huiliu::service {
namespace {

TEST(AskedRow, IsAFileAndARow) {
  const auto asked = parse_asked_row("in/a.csv:12");
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->file, "in/a.csv");
  EXPECT_EQ(asked->sheet, "");
  EXPECT_EQ(asked->row, 12u);
}

TEST(AskedRow, NamesTheSheetOfAWorkbookOnly) {
  const auto asked = parse_asked_row("许可.XLSX:数据:3");
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->file, "许可.XLSX");
  EXPECT_EQ(asked->sheet, "数据");
  EXPECT_EQ(parse_asked_row("a:b.csv:3")->file, "a:b.csv");
}

TEST(AskedRow, RefusesWhatIsNoRow) {
  for (const char* text : {"", "a.csv", "a.csv:", "a.csv:x", "a.csv:0", "a.csv:-1", ":3", "a:3x"}) {
    EXPECT_FALSE(parse_asked_row(text)) << text;
  }
}

TEST(AskedValue, SplitsAtTheFirstEqualsSign) {
  auto asked = parse_asked_values({"content=a=b", "content="});
  ASSERT_TRUE(asked.is_ok());
  EXPECT_EQ(asked->front().field, "content");
  EXPECT_EQ(asked->front().value, "a=b");
  EXPECT_EQ(asked->back().value, "");
  for (const char* wrong : {"content", "=x"}) {
    EXPECT_FALSE(parse_asked_values({wrong}).is_ok()) << wrong;
  }
}

TEST(AskedFile, IsMeantByAnyEndOfItsPath) {
  EXPECT_TRUE(means_file("a.csv", "a.csv"));
  EXPECT_TRUE(means_file("a.csv", "2018/a.csv"));
  EXPECT_TRUE(means_file("incoming/2018/a.csv", "2018/a.csv"));
  EXPECT_FALSE(means_file("a.csv", "2018/aa.csv"));
  EXPECT_FALSE(means_file("b.csv", "a.csv"));
}

}  // namespace
}  // namespace huiliu::service
