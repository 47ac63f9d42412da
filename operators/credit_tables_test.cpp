#include <filesystem>

#include <gmock/gmock.h>

#include "operators/harness.h"

// The tables of the credit topology, read as its rules read them.
namespace huiliu::operators {
namespace {

using ::testing::ElementsAre;
using testing::Harness;

std::string file(const std::string& name) {
  const auto root = std::filesystem::current_path();
  return (root / "topologies/credit/tables" / (name + ".csv")).string();
}

std::string synonyms(const std::string& name, const std::string& more) {
  return "  - {field: a, synonyms: " + file(name) + ", " + more + "}\n";
}

TEST(CreditTablesTest, SynonymsLeadToTheirTables) {
  const std::vector<std::string> fields = {
      synonyms("subject_types", "to_table: " + file("subject_categories")),
      synonyms("status", "department: b, to_table: " + file("statuses")),
      synonyms("levels_synonyms", "to_table: " + file("levels")),
      synonyms("document_types_synonyms", "to_table: " + file("document_types")),
      synonyms("authority_codes", "department: b, to_table: " + file("authorities")),
      synonyms("list_kinds_synonyms", "to_table: " + file("list_kinds")),
      synonyms("category_words", "department: [b, c], to_table: [" + file("licence_categories") +
                                     ", " + file("penalty_categories") + "]")};
  for (const std::string& field : fields) {
    Harness harness("type: normalise\nfields:\n" + field, "a, b, c");
    EXPECT_EQ(harness.problems(), "") << field;
  }
}

TEST(CreditTablesTest, CodesOf2015BecomeWordsBeforeNullWordsGo) {
  Harness harness("type: normalise\nfields:\n" +
                      synonyms("category_words", "steps: [half_width, trim], department: [b, c]") +
                      "  - {field: a, as: text}\n",
                  "a, b, c");
  harness.push({{"a", "0"}, {"b", "2015"}, {"c", "licence"}});
  harness.push({{"a", "０ "}, {"b", "2015"}, {"c", "penalty"}});
  harness.push({{"a", "0"}, {"b", "2018"}, {"c", "penalty"}});
  EXPECT_THAT(harness.take("", {"a"}), ElementsAre("普通", "警告", "~"));
}

TEST(CreditTablesTest, NamesOfAuthoritiesAreThoseOfTheirTime) {
  Harness harness("type: normalise\nfields:\n" +
                      synonyms("authority_codes", "department: b, unknown: absent, into: code"),
                  "a, b");
  harness.push({{"a", "龙岩市环境保护局"}, {"b", "2015"}});
  EXPECT_THAT(harness.take("", {"code"}), ElementsAre("113508000040020381"));
  Harness names(
      "type: validate\nrules:\n  - {id: r, check: name_of_code, field: a, code_field: b, "
      "date: c, table: " +
          file("authorities") + "}\n",
      "a, b, c");
  names.push({{"a", "龙岩市环境保护局"}, {"b", "113508000040020381"}, {"c", "2016-02-22"}});
  names.push({{"a", "龙岩市环境保护局"}, {"b", "113508000040020381"}, {"c", "2020-02-22"}});
  names.push({{"a", "龙岩市交通运输局"}, {"b", "11350800004000016A"}, {"c", "2024-05-30"}});
  EXPECT_THAT(names.take("rejects", {"c"}), ElementsAre("2020-02-22", "2024-05-30"));
}

TEST(CreditTablesTest, KindsOfPenaltiesFollowTheLawOfTheDay) {
  Harness harness(
      "type: validate\nrules:\n  - {id: r, check: table, field: a, date: b, separator: [;, ；, "
      "\",\", ，, 、], other_prefix: 其他-, table: " +
          file("penalty_categories") +
          "}\n"
          "  - {id: kinds, check: table, field: c, date: b, table: " +
          file("list_kinds") +
          "}\n"
          "  - {id: region, check: table, field: d, table: " +
          file("regions") +
          "}\n"
          "  - {id: days, check: working_days, field: b, after: b, days: 7, table: " +
          file("workdays") + "}\n",
      "a, b, c, d");
  harness.push({{"a", "吊销许可证件、没收违法所得"}, {"b", "2024-03-29"}, {"d", "350405"}});
  harness.push({{"a", "吊销许可证件"}, {"b", "2021-07-14"}});
  harness.push({{"a", "没收违法所得、没收非法财物；吊销营业执照"}, {"b", "2016-07-14"}});
  harness.push({{"c", "严重违法失信"}, {"b", "2021-08-31"}});
  harness.push({{"c", "统计严重失信"}, {"b", "2021-08-31"}});
  EXPECT_THAT(harness.take("rejects", {"a", "c"}), ElementsAre("吊销许可证件|~", "~|统计严重失信"));
}

}  // namespace
}  // namespace huiliu::operators
