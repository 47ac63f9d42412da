#include "domain/masking.h"

#include <gtest/gtest.h>

#include "domain/test_vectors.h"

namespace huiliu::domain {
namespace {

TEST(Masking, FollowsTheVectors) {
  const auto document = testing::read_vectors("code_vectors.json");
  ASSERT_TRUE(document.IsObject());
  for (const auto& row : document["mask"].GetArray()) {
    const std::string in = testing::text_of(row[0]);
    std::string out;
    in.size() >= 15 ? mask_id(in, out) : mask_name(in, out);
    EXPECT_EQ(out, testing::text_of(row[1]));
  }
}

TEST(Masking, ShortOrOddIdsShowNothing) {
  std::string out;
  mask_id("G12345678", out);
  EXPECT_EQ(out, "*********");
  mask_id("1101051949123100龙", out);
  EXPECT_EQ(out, std::string(17, '*'));
  mask_name("", out);
  EXPECT_EQ(out, "");
}

std::string masked(std::string_view text, Certainty certainty = Certainty::kLikely) {
  std::string out;
  return std::string(mask_citizen_numbers(text, certainty, out));
}

TEST(Masking, FindsCitizensNumbersInTexts) {
  EXPECT_EQ(masked("350802190303081239"), "350802********1239");
  EXPECT_EQ(masked("身份证号:350802190303081239，电话"), "身份证号:350802********1239，电话");
  EXPECT_EQ(masked("11010519491231002x和350802190303081239"),
            "110105********002X和350802********1239");
  EXPECT_EQ(masked("３５０８０２１９０３０３０８１２３９"), "350802********1239");
  EXPECT_EQ(masked("35080219030308123901"), "350802********123901") << "a household's tax number";
  EXPECT_EQ(masked("3508021903030812395"), "350802********12395");
  EXPECT_EQ(masked("350802190303081230"), "350802********1230") << "mistyped";
  EXPECT_EQ(masked("350802000101001"), "350802*****1001");
}

TEST(Masking, LeavesOtherNumbersAlone) {
  for (const char* text : {"91350803MAGBQ59331", "113508000040020381", "350802100007779",
                           "110108000000016", "20240530100000123", "JY135080010000001", "无",
                           "第〔2024〕12号", "123456789012345678", "", "１２３"}) {
    EXPECT_EQ(masked(text), text);
  }
}

TEST(Masking, AltersARecordOnlyWhereItIsSure) {
  EXPECT_EQ(masked("罚款，350802190303081239", Certainty::kSure), "罚款，350802********1239");
  EXPECT_EQ(masked("编号350802190303081230", Certainty::kSure), "编号350802190303081230");
  EXPECT_EQ(masked("编号350802000101001", Certainty::kSure), "编号350802000101001");
  EXPECT_EQ(masked("身份证350802000101001", Certainty::kSure), "身份证350802*****1001");
}

}  // namespace
}  // namespace huiliu::domain
