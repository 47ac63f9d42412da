// Arbitrary bytes through every function: nothing to expect but that the sanitizers stay silent.
#include "domain/robustness.h"

#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace huiliu::domain {
namespace {

TEST(Robustness, RandomBytesAreSafe) {
  const std::string_view pieces[] = {
      "\xE3\x80\x80", "\xE3\x80", "\xEF\xBC", "\xF0\x9F", "２", "0",  "19",    "2019", "年", "月",
      "日",           "-",        "/",        ".",        "元", "亿", "万",    "十",   "贰", "〔",
      "〕",           "（",       "第",       "号",       " ",  "X",  "35080", ",",    "\n", "•",
      "龙",           "A",        "99999999"};
  std::mt19937 random(11);
  for (int round = 0; round < 20000; ++round) {
    std::string in;
    for (auto n = random() % 20; n > 0; --n) {
      if (random() % 4 == 0) {
        in.push_back(static_cast<char>(random() % 256));
      } else {
        in += pieces[random() % std::size(pieces)];
      }
    }
    const std::vector<char> exact(in.begin(), in.end());  // a read past the end is seen
    EXPECT_TRUE(feed_texts({exact.data(), exact.size()}));
    feed_parsers({exact.data(), exact.size()});
  }
}

}  // namespace
}  // namespace huiliu::domain
