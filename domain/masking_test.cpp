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

}  // namespace
}  // namespace huiliu::domain
