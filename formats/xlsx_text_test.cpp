#include "formats/xlsx_text.h"

#include <gtest/gtest.h>

#include "formats/encoding.h"

namespace huiliu::formats {
namespace {

std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

TEST(XlsxText, TextThatFitsStaysAsItIs) {
  std::string text;
  for (const std::string& value : {std::string(), std::string("=1+1 @ -汇流𠮷\n\x01"),
                                   repeated("汉", 32767), repeated("𠮷", 16383)}) {
    const CellText found = fit_cell_text(value, text);
    EXPECT_FALSE(found.replaced || found.shortened);
    EXPECT_EQ(text, value);
  }
}

TEST(XlsxText, LongTextEndsWithAMark) {
  std::string text;
  EXPECT_TRUE(fit_cell_text(repeated("汉", 32768), text).shortened);
  EXPECT_EQ(text, repeated("汉", 32762) + "…(截断)");
  // A character of two units is not cut in the middle.
  EXPECT_TRUE(fit_cell_text(repeated("𠮷", 16384), text).shortened);
  EXPECT_EQ(text, repeated("𠮷", 16381) + "…(截断)");
  EXPECT_TRUE(fit_cell_text(repeated("_x0041_", 5000), text).shortened);
  EXPECT_TRUE(is_valid_utf8(text));
}

TEST(XlsxText, WhatXmlForbidsIsReplaced) {
  std::string text;
  EXPECT_TRUE(fit_cell_text(std::string_view("a\0b\xFF\xEF\xBF\xBE", 7), text).replaced);
  EXPECT_EQ(text, "a\uFFFDb\uFFFD\uFFFD");
}

TEST(XlsxText, WhatLooksLikeAnEscapeIsEscaped) {
  std::string text;
  EXPECT_FALSE(fit_cell_text("_x0041_ _x004_", text).replaced);
  EXPECT_EQ(text, "_x005F_x0041_ _x004_");
}

}  // namespace
}  // namespace huiliu::formats
