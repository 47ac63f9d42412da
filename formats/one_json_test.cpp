#include "formats/one_json.h"

#include <string>

#include <gtest/gtest.h>

namespace huiliu::formats {
namespace {

TEST(OneJson, TakesOneValue) {
  for (const char* text : {"1", " -2.5e3 ", "null", "true", "\"a\"", "{\"a\": [1, {}]}", "[]\n"}) {
    EXPECT_TRUE(is_one_json(text)) << text;
  }
}

TEST(OneJson, RefusesWhatWouldGoOnBehindIt) {
  for (const char* text : {"", " ", "1,\"evil\":2", "1 2", "{}{}", "a", "'a'", "{\"a\":1", "1e999",
                           "NaN", "\"\xff\"", "\"a\nb\"", "01", "1}", "// 1"}) {
    EXPECT_FALSE(is_one_json(text)) << text;
  }
}

TEST(OneJson, RefusesWhatIsTooDeep) {
  const auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']');
  };
  EXPECT_TRUE(is_one_json(nested(60)));
  EXPECT_FALSE(is_one_json(nested(100)));
  EXPECT_FALSE(is_one_json(nested(100'000)));
}

}  // namespace
}  // namespace huiliu::formats
