#include "formats/encoding.h"

#include <string>

#include <gtest/gtest.h>
#include <iconv.h>

namespace huiliu::formats {
namespace {

TEST(Utf16, BecomesUtf8WhereverItIsCut) {
  const std::string little("a\0\x2D\x4E\x3D\xD8\x00\xDE\n\0", 10);
  for (std::size_t cut = 0; cut <= little.size(); ++cut) {
    std::string rest;
    std::string out;
    append_utf16(std::string_view(little).substr(0, cut), false, rest, out);
    append_utf16(std::string_view(little).substr(cut), false, rest, out);
    EXPECT_EQ(out, "a中😀\n") << cut;
    EXPECT_TRUE(rest.empty());
  }
  std::string rest;
  std::string out;
  append_utf16(std::string_view("\x4E\x2D\xDC\x00\0b\xFF", 7), true, rest, out);
  EXPECT_EQ(out, "中\uFFFDb");
  EXPECT_EQ(rest, "\xFF");
  EXPECT_EQ(utf16_mark("\xFE\xFFx"), 'B');
  EXPECT_EQ(utf16_mark("\xFF\xFEx"), 'L');
  EXPECT_EQ(utf16_mark("x"), '\0');
}

TEST(Utf8, IsSureWithSomeChineseCharacters) {
  EXPECT_TRUE(is_surely_utf8("行政处罚,1"));
  EXPECT_FALSE(is_surely_utf8("行政,1"));
  EXPECT_FALSE(is_surely_utf8("行政处罚\xFF"));
}

std::string gb18030_of(std::string utf8) {
  iconv_t descriptor = iconv_open("GB18030", "UTF-8");
  std::string out(utf8.size() * 4 + 8, '\0');
  char* from = utf8.data();
  char* to = out.data();
  std::size_t from_left = utf8.size();
  std::size_t to_left = out.size();
  EXPECT_EQ(iconv(descriptor, &from, &from_left, &to, &to_left), 0U);
  iconv_close(descriptor);
  out.resize(out.size() - to_left);
  return out;
}

constexpr const char* kText =
    "证券代码,名称,备注\n600519,贵州茅台,\"上海, 主板\"\n000001,平安银行,深圳\n";

TEST(DetectEncoding, TellsTheFourKindsApart) {
  EXPECT_EQ(detect_encoding(""), Encoding::kUtf8);
  EXPECT_EQ(detect_encoding("plain,ascii\n"), Encoding::kUtf8);
  EXPECT_EQ(detect_encoding(kText), Encoding::kUtf8);
  EXPECT_EQ(detect_encoding(std::string("\xEF\xBB\xBF") + kText), Encoding::kUtf8Bom);
  EXPECT_EQ(detect_encoding(gb18030_of(kText)), Encoding::kGb18030);
  EXPECT_EQ(detect_encoding(std::string_view("PK\x03\x04\x00\x00", 6)), Encoding::kBinary);
  EXPECT_EQ(detect_encoding("\xFF\xFF\xFF\xFF\xFF"), Encoding::kBinary);
}

TEST(DetectEncoding, ForgivesACharacterCutOffAtTheEnd) {
  const std::string utf8 = kText;
  const std::string gb = gb18030_of(kText);
  for (std::size_t size = 1; size <= utf8.size(); ++size) {
    EXPECT_EQ(detect_encoding(utf8.substr(0, size)), Encoding::kUtf8) << size;
  }
  // The first four bytes happen to be valid UTF-8 as well.
  for (std::size_t size = 6; size <= gb.size(); ++size) {
    EXPECT_EQ(detect_encoding(gb.substr(0, size)), Encoding::kGb18030) << size;
  }
}

TEST(DetectEncoding, KeepsTheVerdictWhenOneRowIsDamaged) {
  EXPECT_EQ(detect_encoding(std::string(kText) + "\xFF\xFE," + kText), Encoding::kUtf8);
  EXPECT_EQ(detect_encoding(gb18030_of(kText) + "\xFF," + gb18030_of(kText)), Encoding::kGb18030);
}

TEST(Utf8, RefusesOverlongSurrogateAndOutOfRangeForms) {
  EXPECT_TRUE(is_valid_utf8("汇流 𠮷 é"));
  for (const char* bad : {"\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80",
                          "\xE6\xB1", "\xF5\x80\x80\x80"}) {
    EXPECT_FALSE(is_valid_utf8(bad));
    EXPECT_EQ(valid_utf8_prefix(std::string("汇a") + bad + "b"), 4U);
  }
}

TEST(Gb18030Converter, RoundTripsTwoAndFourByteForms) {
  Gb18030Converter converter;
  // 𠮷 (U+20BB7) and 𪛖 are extension B, é and ㈱ need their own forms, 😀 is beyond CJK.
  const std::string text = "ascii 汇流 贵州茅台 镕 㐀 𠮷𪛖 é 😀 €\n";
  std::string out = "kept:";
  ASSERT_TRUE(converter.append_utf8(gb18030_of(text), out).ok());
  EXPECT_EQ(out, "kept:" + text);
}

TEST(Gb18030Converter, RoundTripsEveryAssignedPlaneZeroAndTwoCharacter) {
  std::string text;
  for (char32_t code = 0x4E00; code <= 0x9FA5; ++code) {
    text += static_cast<char>(0xE0 | (code >> 12));
    text += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    text += static_cast<char>(0x80 | (code & 0x3F));
  }
  for (char32_t code = 0x20000; code <= 0x2A6D6; ++code) {
    text += static_cast<char>(0xF0 | (code >> 18));
    text += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
    text += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    text += static_cast<char>(0x80 | (code & 0x3F));
  }
  Gb18030Converter converter;
  std::string out;
  ASSERT_TRUE(converter.append_utf8(gb18030_of(text), out).ok());
  EXPECT_TRUE(out == text);
}

TEST(Gb18030Converter, ReportsWhereABadSequenceStarts) {
  Gb18030Converter converter;
  const std::string good = "ab" + gb18030_of("汇流");
  std::string out;
  const Conversion bad = converter.append_utf8(good + "\xFF" + "cd", out);
  EXPECT_EQ(bad.error, ConversionError::kBadSequence);
  EXPECT_EQ(bad.bad_offset, good.size());
  EXPECT_EQ(out, "ab汇流");
}

TEST(Gb18030Converter, TellsTruncatedFromBadAndRecovers) {
  Gb18030Converter converter;
  const std::string four_bytes = gb18030_of("𠮷");
  ASSERT_EQ(four_bytes.size(), 4U);
  std::string out;
  const Conversion cut = converter.append_utf8("x" + four_bytes.substr(0, 3), out);
  EXPECT_EQ(cut.error, ConversionError::kTruncated);
  EXPECT_EQ(cut.bad_offset, 1U);
  out.clear();
  EXPECT_TRUE(converter.append_utf8(four_bytes, out).ok());
  EXPECT_EQ(out, "𠮷");
}

TEST(Gb18030Converter, SurvivesBeingMoved) {
  Gb18030Converter first;
  Gb18030Converter second = std::move(first);
  std::string out;
  EXPECT_TRUE(second.append_utf8(gb18030_of("汇"), out).ok());
  EXPECT_EQ(out, "汇");
}

}  // namespace
}  // namespace huiliu::formats
