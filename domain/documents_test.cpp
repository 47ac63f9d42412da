#include "domain/documents.h"

#include <functional>

#include <gtest/gtest.h>

#include "domain/test_vectors.h"
#include "domain/text.h"

namespace huiliu::domain {
namespace {

constexpr int kToday = 20260101;
using Check = std::function<CodeError(std::string_view)>;

std::string normalised(const rapidjson::Value& value) {
  std::string code;
  normalise_code(testing::text_of(value), code);
  return code;
}

void expect_vectors(const char* kind, const Check& check) {
  const auto document = testing::read_vectors("code_vectors.json");
  ASSERT_TRUE(document.IsObject());
  for (const char* part : {"valid", "invalid"}) {
    for (const auto& row : document[kind][part].GetArray()) {
      EXPECT_EQ(name(check(normalised(row[0]))), testing::text_of(row[1])) << row[0].GetString();
    }
  }
}

void expect_formats(const char* kind, const Check& check) {
  const auto document = testing::read_vectors("code_vectors.json");
  ASSERT_TRUE(document.IsObject());
  for (const auto& code : document["formats"][kind]["valid"].GetArray()) {
    EXPECT_EQ(check(normalised(code)), CodeError::kOk) << code.GetString();
  }
  for (const auto& code : document["formats"][kind]["invalid"].GetArray()) {
    EXPECT_EQ(check(normalised(code)), CodeError::kPattern) << code.GetString();
  }
}

TEST(Documents, IdCardsFollowTheVectors) {
  expect_vectors("id18", [](auto code) { return check_id_card(code, kToday); });
}

TEST(Documents, ResidencePermitsFollowTheVectors) {
  expect_vectors("hmt_residence", [](auto code) { return check_residence_permit(code, kToday); });
}

TEST(Documents, ForeignResidentCardsFollowTheVectors) {
  expect_vectors("frp2023", check_foreign_resident_card_2023);
  expect_vectors("frp_old", check_foreign_resident_card_old);
  EXPECT_EQ(check_foreign_resident_card("USA350000000107"), CodeError::kOk);
  EXPECT_EQ(check_foreign_resident_card("935840190001010014"), CodeError::kOk);
}

TEST(Documents, PatternsFollowTheVectors) {
  expect_formats("passport_cn", check_passport_chinese);
  expect_formats("hkmo_permit", check_hk_macau_permit);
  expect_formats("tw_permit", check_taiwan_permit);
  expect_formats("mainland_to_hkmo", check_travel_to_hk_macau);
  expect_formats("mainland_to_tw", check_travel_to_taiwan);
}

TEST(Documents, OldIdNumbersGetEighteenDigits) {
  const auto document = testing::read_vectors("code_vectors.json");
  for (const auto& row : document["id15to18"].GetArray()) {
    char longer[18];
    ASSERT_TRUE(id15_to_id18(testing::text_of(row[0]), longer));
    EXPECT_EQ(std::string_view(longer, 18), testing::text_of(row[1]));
    EXPECT_TRUE(id_card_check_digit_ok({longer, 18}));
  }
  EXPECT_EQ(check_id_card("110105491231002", kToday), CodeError::kOk);
  EXPECT_EQ(check_id_card("350881111231999", kToday), CodeError::kBirthdateRange);  // 1811
  char unused[18];
  EXPECT_FALSE(id15_to_id18("11010549123100X", unused));
  EXPECT_EQ(check_id_card("11010549123100X", kToday), CodeError::kCharset);
}

TEST(Documents, BirthOnTodayIsNotInTheFuture) {
  EXPECT_EQ(check_id_card("11010519491231002X", 19491231), CodeError::kOk);
  EXPECT_EQ(check_id_card("11010519491231002X", 19491230), CodeError::kBirthdateRange);
}

TEST(Documents, TypeChoosesTheCheck) {
  EXPECT_EQ(check_document("身份证", "11010519491231002X", kToday), CodeError::kOk);
  EXPECT_EQ(check_document("身份证", "G12345678", kToday), CodeError::kLength);
  EXPECT_EQ(check_document("护照号", "G12345678", kToday), CodeError::kOk);
  EXPECT_EQ(check_document("港澳居民来往内地通行证", "H12345678", kToday), CodeError::kOk);
  EXPECT_EQ(check_document("台湾居民来往大陆通行证", "H12345678", kToday), CodeError::kPattern);
  EXPECT_EQ(check_document("外国人永久居留身份证", "USA350000000109", kToday), CodeError::kCheck);
  EXPECT_EQ(check_document("其他-军官证", "123", kToday), CodeError::kOk);
  EXPECT_EQ(check_document("其他-军官证", "", kToday), CodeError::kLength);
  EXPECT_EQ(check_document("会员卡", "123", kToday), CodeError::kDocumentType);
}

}  // namespace
}  // namespace huiliu::domain
