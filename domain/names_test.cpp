#include "domain/names.h"

#include <gtest/gtest.h>

#include "domain/test_vectors.h"

namespace huiliu::domain {
namespace {

using Normalise = void (*)(std::string_view, std::string&);

std::string applied(Normalise normalise, std::string_view in) {
  std::string out = "left over";
  normalise(in, out);
  return out;
}

void expect_vectors(const char* kind, Normalise normalise) {
  const auto document = testing::read_vectors("text_vectors.json");
  ASSERT_TRUE(document.IsObject());
  for (const auto& row : document[kind].GetArray()) {
    EXPECT_EQ(applied(normalise, testing::text_of(row[0])), testing::text_of(row[1]));
  }
}

TEST(Names, NamesFollowTheVectors) { expect_vectors("norm_name", normalise_name); }
TEST(Names, KeysFollowTheVectors) { expect_vectors("name_key", name_key); }
TEST(Names, DocumentNumbersFollowTheVectors) { expect_vectors("norm_docno", normalise_docno); }

TEST(Names, DotsStayWithoutHanOnBothSides) {
  EXPECT_EQ(applied(normalise_name, "A.B. Co"), "A.B. Co");
  EXPECT_EQ(applied(normalise_name, "阿.B"), "阿.B");
  EXPECT_EQ(applied(normalise_name, "甲●乙.丙.A"), "甲·乙·丙·A");
}

TEST(Names, KeyKeepsRareHan) { EXPECT_EQ(applied(name_key, "𠮷𬭎（ａ1）"), "𠮷𬭎A1"); }

TEST(Names, SerialIsRewrittenOnlyAfterAYear) {
  EXPECT_EQ(applied(normalise_docno, "(2019)000"), "〔2019〕0号");
  EXPECT_EQ(applied(normalise_docno, "(1819)012号"), "(1819)012号");
  EXPECT_EQ(applied(normalise_docno, "甲《2019》012之1号"), "甲〔2019〕012之1号");
  EXPECT_EQ(applied(normalise_docno, "甲(2019)号"), "甲〔2019〕号");
  EXPECT_EQ(applied(normalise_docno, "(2019"), "(2019");
  EXPECT_EQ(applied(normalise_docno, "（20"), "（20");
}

}  // namespace
}  // namespace huiliu::domain
