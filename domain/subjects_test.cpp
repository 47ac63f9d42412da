#include "domain/subjects.h"

#include <gtest/gtest.h>

namespace huiliu::domain {
namespace {

template <auto kIdentity, class... Texts>
std::string made(Texts... texts) {
  std::string out = "before";
  kIdentity(texts..., out);
  return out;
}

TEST(Subjects, OneBodyUnderEachOfItsCodes) {
  EXPECT_EQ(made<org_identity_of_uscc>("91350803MAGBQ59331"), "org:MAGBQ5933");
  EXPECT_EQ(made<org_identity_of_org_code>("MAGBQ5933"), "org:MAGBQ5933");
  EXPECT_EQ(made<org_identity_of_tax_no>("350803MAGBQ5933"), "org:MAGBQ5933");
  EXPECT_EQ(made<org_identity_of_tax_no>("91350803MAGBQ59331"), "org:MAGBQ5933");
  EXPECT_EQ(made<org_identity_of_tax_no>("350802000101001"), "") << "an owner's number";
  EXPECT_EQ(made<org_identity_of_tax_no>("35080219000101001301"), "");
  EXPECT_EQ(made<org_identity_of_uscc>("9135"), "");
}

TEST(Subjects, OnePersonUnderEachFormOfTheNumber) {
  EXPECT_EQ(made<person_identity>("身份证", "350802000101001"), "身份证:350802190001010013");
  EXPECT_EQ(made<person_identity>("居民身份证", "350802190001010013"), "身份证:350802190001010013");
  EXPECT_EQ(made<person_identity>("港澳居民来往内地通行证", "H1234567801"),
            made<person_identity>("港澳居民来往内地通行证", "H12345678"));
  EXPECT_EQ(made<person_identity>("台湾居民来往大陆通行证", "1234567801A"),
            made<person_identity>("台湾居民来往大陆通行证", "12345678"));
  EXPECT_EQ(made<person_identity>("护照号", "E12345678"), "护照号:E12345678");
  EXPECT_EQ(made<person_identity>("身份证", ""), "");
}

TEST(Subjects, KeysOfEarlierStatesAreUnderstood) {
  EXPECT_EQ(made<identity_of_subject_key>("91350803MAGBQ59331"), "org:MAGBQ5933");
  EXPECT_EQ(made<identity_of_subject_key>("org:MAGBQ5933"), "org:MAGBQ5933");
  EXPECT_EQ(made<identity_of_subject_key>("reg:350802100007779"), "reg:350802100007779");
  EXPECT_EQ(made<identity_of_subject_key>("身份证:350802000101001"), "身份证:350802190001010013");
}

}  // namespace
}  // namespace huiliu::domain
