#include "service/explain/layout.h"

#include <gtest/gtest.h>

namespace huiliu::service {
namespace {

TEST(Layout, ChineseAndFullWidthCharactersTakeTwoColumns) {
  EXPECT_EQ(display_width("abc"), 3u);
  EXPECT_EQ(display_width("许可"), 4u);
  EXPECT_EQ(display_width("９１Ａ"), 6u);
  EXPECT_EQ(display_width("〔2019〕24号"), 12u);
  EXPECT_EQ(display_width("é–→"), 3u);
  EXPECT_EQ(display_width("𠀀"), 2u);
}

TEST(Layout, PadsByColumns) {
  EXPECT_EQ(padded("许可", 6), "许可  ");
  EXPECT_EQ(padded("许可", 3), "许可");
}

TEST(Layout, MakesControlCharactersAndBadBytesVisible) {
  EXPECT_EQ(printable("a\nb\tc\x1B[31m"), "a\\nb\\tc\\u001B[31m");
  EXPECT_EQ(printable("\xFFz"), "\\xFFz");
  EXPECT_EQ(printable("零\u200B宽"), "零\\u200B宽");
  EXPECT_EQ(printable("　全角"), "　全角");
}

TEST(Layout, SaysInOneLanguageOrBoth) {
  EXPECT_EQ(say(Language::kEnglish, "code", "代码"), "code");
  EXPECT_EQ(say(Language::kChinese, "code", "代码"), "代码");
  EXPECT_EQ(say(Language::kBoth, "code", "代码"), "code 代码");
}

}  // namespace
}  // namespace huiliu::service
