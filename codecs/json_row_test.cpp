#include "codecs/json_row.h"

#include <random>

#include <gtest/gtest.h>
#include <simdjson.h>

namespace huiliu::codecs {
namespace {

using runtime::Type;
using runtime::Value;

class JsonRowTest : public ::testing::Test {
 protected:
  JsonRowTest() {
    keys_.add("a", 0);
    keys_.add("n", 1);
    keys_.add("amount", 2);
  }
  /// Whether the line is one complete object whose values fit.
  JsonFault parse(const std::string& text) {
    line_ = text;
    line_.reserve(line_.size() + 64);
    row_.assign(3, Value());
    arena_.reset();
    const char* end = nullptr;
    const JsonFault fault = json_.parse(line_.data(), keys_, row_.data(), arena_, end);
    if (end == nullptr) return fault == JsonFault::kNone ? JsonFault::kBadJson : fault;
    return end == line_.data() + line_.size() ? fault : JsonFault::kBadJson;
  }

  KeyTable keys_;
  JsonRow json_{{Type::kString, Type::kInt64, Type::kFloat64}, 64};
  std::string line_;
  std::vector<Value> row_;
  runtime::Arena arena_;
};

TEST_F(JsonRowTest, AgreesWithSimdjsonOnDamagedObjects) {
  const std::string good =
      "{\"a\":\"x\\n\\u4e2d "
      "\\ud83d\\ude00\",\"n\":-12,\"amount\":1.5e-3,\"z\":[true,null,{\"q\":[]}]}";
  const std::string alphabet = "{}[]\",:\\ntu0129-+.eE ax/\x01\t";
  std::mt19937 random(7);
  simdjson::dom::parser parser;
  int agreed_good = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string text = good;
    for (auto changes = random() % 3; changes > 0; --changes) {
      const std::size_t at = random() % text.size();
      const char c = alphabet[random() % alphabet.size()];
      switch (random() % 3) {
        case 0:
          text[at] = c;
          break;
        case 1:
          text.insert(at, 1, c);
          break;
        default:
          text.erase(at, 1);
      }
    }
    simdjson::dom::element element;
    const bool expected =
        parser.parse(text).get(element) == simdjson::SUCCESS && element.is_object();
    const JsonFault fault = parse(text);
    if (fault == JsonFault::kWrongType) continue;
    const bool accepted = fault == JsonFault::kNone;
    // Where the two differ on purpose: a number beyond 64 bits or a double is JSON all the same.
    if (accepted && !expected && text.find_first_of("eE") != std::string::npos) continue;
    ASSERT_EQ(accepted, expected) << text;
    agreed_good += accepted ? 1 : 0;
  }
  EXPECT_GT(agreed_good, 10'000);
}

TEST_F(JsonRowTest, PutsValuesInTheirFieldsWhateverTheOrder) {
  for (int round = 0; round < 3; ++round) {
    ASSERT_EQ(parse("{\"a\":\"1\",\"n\":2,\"amount\":3}"), JsonFault::kNone);
    EXPECT_EQ(row_[0].text(), "1");
    EXPECT_EQ(row_[1].integer(), 2);
    EXPECT_EQ(row_[2].real(), 3);
    ASSERT_EQ(parse("{\"amount\":0.5,\"amo\":1,\"\\u006e\":7}"), JsonFault::kNone);
    EXPECT_TRUE(row_[0].is_null());
    EXPECT_EQ(row_[1].integer(), 7);
    EXPECT_EQ(row_[2].real(), 0.5);
  }
}

TEST_F(JsonRowTest, LargeNumbersStayAsTheyAreInTextAndAreRefusedAsIntegers) {
  ASSERT_EQ(parse("{\"a\":12345678901234567890123}"), JsonFault::kNone);
  EXPECT_EQ(row_[0].text(), "12345678901234567890123");
  EXPECT_EQ(parse("{\"n\":12345678901234567890123}"), JsonFault::kWrongType);
  EXPECT_EQ(json_.field(), 1);
}

TEST_F(JsonRowTest, WholeNumbersAreKnownAsJavaWritesThem) {
  for (const char* text : {"{\"n\":10000000}", "{\"n\":10000000.0}", "{\"n\":1.0E7}"}) {
    ASSERT_EQ(parse(text), JsonFault::kNone) << text;
    EXPECT_EQ(row_[1].integer(), 10'000'000);
  }
  EXPECT_EQ(parse("{\"n\":1.5}"), JsonFault::kWrongType);
  EXPECT_EQ(parse("{\"n\":1.0E17}"), JsonFault::kWrongType);
}

TEST_F(JsonRowTest, NestingIsBounded) {
  const auto nested = [](std::size_t depth) {
    return "{\"z\":" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  EXPECT_EQ(parse(nested(60)), JsonFault::kNone);
  EXPECT_EQ(parse(nested(64)), JsonFault::kTooDeep);
  EXPECT_EQ(parse(nested(1'000'000)), JsonFault::kTooDeep);
}

}  // namespace
}  // namespace huiliu::codecs
