#include "domain/identifiers.h"

#include <functional>

#include <gtest/gtest.h>

#include "domain/test_vectors.h"
#include "domain/text.h"

namespace huiliu::domain {
namespace {

using Check = std::function<CodeError(std::string_view)>;

void expect_vectors(const char* kind, const Check& check) {
  const auto document = testing::read_vectors("code_vectors.json");
  ASSERT_TRUE(document.IsObject());
  for (const char* part : {"valid", "invalid"}) {
    for (const auto& row : document[kind][part].GetArray()) {
      std::string code;
      normalise_code(testing::text_of(row[0]), code);
      const std::string expected = testing::text_of(row[1]);
      if (expected == "LEGACY13") {
        EXPECT_TRUE(is_legacy_registration_number(code));
        EXPECT_EQ(check(code), CodeError::kOk);
      } else if (expected == "HEAD") {  // reported apart from the errors
        EXPECT_FALSE(uscc_head_known(code));
        EXPECT_NE(check(code), CodeError::kOk);
      } else {
        EXPECT_EQ(name(check(code)), expected) << code;
      }
    }
  }
}

TEST(Identifiers, CreditCodesFollowTheVectors) { expect_vectors("uscc", check_uscc); }
TEST(Identifiers, OrganisationCodesFollowTheVectors) { expect_vectors("org", check_org_code); }
TEST(Identifiers, RegistrationNumbersFollowTheVectors) {
  expect_vectors("reg15", check_registration_number);
}

TEST(Identifiers, OrganisationCodeWithinCreditCodeHolds) {
  const auto document = testing::read_vectors("code_vectors.json");
  for (const auto& row : document["uscc"]["inner_gb11714"].GetArray()) {
    const std::string code = testing::text_of(row[0]);
    EXPECT_EQ(uscc_warning(code) == CodeError::kOk, row[1].GetBool()) << code;
  }
  EXPECT_EQ(org_code_of_uscc("91350100M000100Y43"), "M000100Y4");
  EXPECT_EQ(org_code_of_uscc("91350100M000100Y4"), "");
}

TEST(Identifiers, EverySingleSubstitutionOfTheExampleIsDetected) {
  const std::string good = "91350100M000100Y43";
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const char c : std::string_view("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
      std::string bad = good;
      bad[i] = c;
      EXPECT_EQ(uscc_check_digit_ok(bad), bad == good) << bad;
      EXPECT_EQ(check_uscc(bad) == CodeError::kOk, bad == good) << bad;
    }
  }
}

TEST(Identifiers, AllZerosAreNoCode) {
  EXPECT_EQ(check_org_code("000000000"), CodeError::kNull);
  EXPECT_EQ(check_uscc("000000000000000000"), CodeError::kNull);
  EXPECT_EQ(check_registration_number("0000000000000"), CodeError::kNull);
}

TEST(Identifiers, LengthIsCountedInCharacters) {
  EXPECT_EQ(check_uscc("一二三四五六"), CodeError::kLength);
  EXPECT_EQ(check_uscc("9135010汉M000100Y43"), CodeError::kCharset);
}

TEST(Identifiers, UnknownHeadIsOnlyAWarning) {
  EXPECT_TRUE(uscc_head_known("91350100M000100Y43"));
  EXPECT_FALSE(uscc_head_known("94"));
  EXPECT_FALSE(uscc_head_known(""));
  EXPECT_EQ(uscc_warning("94350100M000100Y43"), CodeError::kHead);
}

}  // namespace
}  // namespace huiliu::domain
