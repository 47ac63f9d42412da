#include "formats/xlsx_strings.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace huiliu::formats {
namespace {

TEST(XlsxStrings, DecodesEscapedCharacters) {
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"a_x000D__x000a_b", "a\r\nb"},
           {"_x005F_x0041_", "_x0041_"},
           {"_x6C47_", "汇"},
           {"_x00E9_", "é"},
           {"_x0000__xD800__x12_ _x", "_x0000__xD800__x12_ _x"}}) {
    std::string text = "_x0041_" + from;
    decode_xstring(text, 7);
    EXPECT_EQ(text, "_x0041_" + to);
  }
}

TEST(XlsxStrings, HoldsTextUpToItsBound) {
  SharedStrings table(100000);
  std::size_t added = 0;
  while (table.add(std::string(added % 97, 'x'))) ++added;
  EXPECT_LE(table.memory_bytes(), table.max_bytes());
  ASSERT_EQ(table.size(), added);
  for (std::size_t i = 0; i < added; ++i) ASSERT_EQ(table.at(i), std::string(i % 97, 'x'));
  EXPECT_FALSE(SharedStrings(300000).add(std::string(300000, 'x')));
  SharedStrings large(300000);
  ASSERT_TRUE(large.add(std::string(200000, 'y')));
  EXPECT_EQ(large.at(0), std::string(200000, 'y'));
}

}  // namespace
}  // namespace huiliu::formats
