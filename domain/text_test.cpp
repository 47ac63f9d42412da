#include "domain/text.h"

#include <random>

#include <gtest/gtest.h>

#include "domain/test_vectors.h"
#include "domain/utf8.h"

namespace huiliu::domain {
namespace {

std::string half_width(std::string_view in, bool collapse) {
  std::string scratch;
  return std::string(half_width_trim(in, scratch, collapse));
}

// The plain, slow meaning of half_width_trim.
std::string half_width_model(std::string_view in, bool collapse) {
  std::string wide;
  for (std::size_t at = 0; at < in.size();) {
    const Utf8Char c = decode_utf8(in, at);
    const bool folds = c.code_point == 0x3000 || (c.code_point >= 0xFF01 && c.code_point <= 0xFF5E);
    if (folds) {
      wide.push_back(static_cast<char>(fold_width(c.code_point)));
    } else {
      wide.append(in, at, c.size);
    }
    at += c.size;
  }
  std::string out;
  if (collapse) {
    collapse_blanks(wide, out);
  } else {
    out = trim(wide);
  }
  return out;
}

TEST(Text, NullWordsFollowTheVectors) {
  const auto document = testing::read_vectors("text_vectors.json");
  ASSERT_TRUE(document.IsObject());
  for (const auto& row : document["is_null"].GetArray()) {
    EXPECT_EQ(is_null_word(testing::text_of(row[0])), row[1].GetBool()) << row[0].GetString();
  }
  for (const char* word :
       {"", "　", "（无）", "无统一社会信用代码", "xxxxx", "＊＊", "---", "待 补"}) {
    EXPECT_TRUE(is_null_word(word)) << word;
  }
  for (const char* word : {"0000", "XXXX", "无锡", "无统一社会信用代码的", "12345"}) {
    EXPECT_FALSE(is_null_word(word)) << word;
  }
  EXPECT_TRUE(is_null_word(std::string(1000, '0')));
  EXPECT_FALSE(is_null_word(std::string(1000, '1')));
}

TEST(Text, HalfWidthNarrowsAsciiAndBlanksOnly) {
  EXPECT_EQ(half_width("　ＡＢＣ（中国）～　", false), "ABC(中国)~");
  EXPECT_EQ(half_width("龙岩。、【】￥", false), "龙岩。、【】￥");
  EXPECT_EQ(half_width("a　 b", false), "a  b");
  EXPECT_EQ(half_width("a　 b\t\nc d", true), "a b c d");
  EXPECT_EQ(half_width(" \t　", true), "");
  std::string out;
  half_width_all("　Ａ ", out);
  EXPECT_EQ(out, " A ");
}

TEST(Text, UnchangedTextIsNotCopied) {
  const std::string in = "  龙岩市新罗区某某贸易有限公司 12  ";
  std::string scratch = "untouched";
  const std::string_view out = half_width_trim(in, scratch, true);
  EXPECT_EQ(out.data(), in.data() + 2);
  EXPECT_EQ(scratch, "untouched");
  EXPECT_TRUE(is_half_width(in, true));
  EXPECT_FALSE(is_half_width("a  b", true));
  EXPECT_TRUE(is_half_width("a  b", false));
}

TEST(Text, FreeTextKeepsChinesePunctuation) {
  std::string out;
  normalise_text("\ufeff 罚款（２０００元），Ａ\u00a0 \u3000b\u200b ", out);
  EXPECT_EQ(out, "罚款（2000元），A b");
}

TEST(Text, CodesLoseSeparatorsAndCase) {
  std::string out;
  normalise_code("d2143569－x \u3000\u00ad_·.—", out);
  EXPECT_EQ(out, "D2143569X");
  std::string scratch;
  const std::string_view plain = "91350100M000100Y43";
  EXPECT_EQ(normalised_code(plain, scratch).data(), plain.data());
  EXPECT_EQ(normalised_code("9-1", scratch), "91");
}

TEST(Text, Utf8IsJudgedByTheStandard) {
  EXPECT_TRUE(is_valid_utf8("abcdefgh龙岩𠮷"));
  for (const char* bad : {"\x80", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                          "\xE9\xBE", "abcdefgh\xFF"}) {
    EXPECT_FALSE(is_valid_utf8(bad));
  }
  std::string again;
  for (const char32_t c : {U'a', U'é', U'龙', U'𠮷'}) append_utf8(again, c);
  EXPECT_EQ(again, "aé龙𠮷");
  EXPECT_EQ(count_characters("龙岩\xFFx"), 4u);
}

TEST(Text, HalfWidthEqualsItsModelOnRandomText) {
  const std::string_view pieces[] = {"a",  " ",    "\t",   "\n",   "　",       "Ａ",
                                     "（", "龙",   "。",   "～",   "｟",       "é",
                                     "𠮷", "\xE3", "\xEF", "\xBC", "bcdefghij"};
  std::mt19937 random(7);
  for (int round = 0; round < 20000; ++round) {
    std::string in;
    for (auto n = random() % 24; n > 0; --n) in += pieces[random() % std::size(pieces)];
    for (const bool collapse : {false, true}) {
      ASSERT_EQ(half_width(in, collapse), half_width_model(in, collapse)) << in;
    }
  }
}

}  // namespace
}  // namespace huiliu::domain
