#include <gmock/gmock.h>

#include "operators/harness.h"

namespace huiliu::operators {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::Harness;
using ::testing::HasSubstr;

/// What is wrong with a code table, found before start.
std::string problems(const std::string& table, const std::string& more = "") {
  Harness harness(
      "type: validate\nrules:\n  - {id: r, check: table, field: a, table: table.csv" + more + "}\n",
      "a, b");
  harness.file("table.csv", table);
  return harness.problems();
}

std::string synonym_problems(const std::string& table, const std::string& codes = "code\nx\ny\n") {
  Harness harness(
      "type: normalise\nfields:\n  - {field: a, synonyms: table.csv, to_table: codes.csv}\n", "a");
  harness.file("table.csv", table);
  harness.file("codes.csv", codes);
  return harness.problems();
}

TEST(CodeTableTest, NamesTheLineAndTheRemedyOfWrongRows) {
  EXPECT_THAT(problems("# c\ncode,valid_from,valid_to\nx,,\n\ny,2019-01-01\n"),
              AllOf(HasSubstr("table.csv:5: error: the row has 2 cells, expected 3"),
                    HasSubstr("leave an empty cell for no value")));
  EXPECT_THAT(
      problems("code,valid_from\nx,2019-2-1\n"),
      AllOf(HasSubstr("table.csv:2: error: '2019-2-1' is no day"), HasSubstr("write YYYY-MM-DD")));
  EXPECT_THAT(problems("code,valid_to\nx,2019-02-30\n"), HasSubstr("'2019-02-30' is no day"));
  EXPECT_THAT(problems("code,valid_from,valid_to\nx,2019-01-02,2019-01-01\n"),
              HasSubstr("table.csv:2: error: valid_from 2019-01-02 comes after valid_to"));
  EXPECT_THAT(problems("code\n\"x\ny\n"), HasSubstr("table.csv:2: error: "));
  EXPECT_THAT(problems("code,remark\n,x\n"), HasSubstr("the column 'code' is empty"));
}

TEST(CodeTableTest, NamesColumnsThatNothingReads) {
  EXPECT_THAT(problems("code,valid_form\nx,2019-01-01\n"),
              AllOf(HasSubstr("table.csv:1: error: nothing reads the column 'valid_form'"),
                    HasSubstr("did you mean 'valid_from'?")));
  EXPECT_THAT(problems("code,code\nx,y\n"), HasSubstr("the column 'code' is there twice"));
  EXPECT_THAT(problems("name,remark\nx,y\n"), HasSubstr("has no column 'code'"));
  EXPECT_EQ(problems("word,remark\nx,y\n", ", column: word"), "");
}

TEST(CodeTableTest, PeriodsOfACodeNeitherOverlapNorLeaveAGap) {
  const std::string head = "code,valid_from,valid_to\n";
  EXPECT_EQ(problems(head + "x,2019-01-01,\nx,,2018-12-31\ny,,\n"), "");
  EXPECT_THAT(problems(head + "x,2019-01-01,\nx,,2019-01-01\n"),
              HasSubstr("table.csv:2: error: the period of 'x' overlaps that of line 3"));
  EXPECT_THAT(problems(head + "x,,\nx,,\n"), HasSubstr("overlaps"));
  EXPECT_THAT(problems(head + "x,,2018-11-30\nx,2019-01-01,\n"),
              HasSubstr("table.csv:3: error: 'x' is not in force from 2018-12-01 to 2018-12-31"));
  EXPECT_EQ(problems("# gaps: allowed\n" + head + "x,,2018-11-30\nx,2019-01-01,\n"), "");
  EXPECT_EQ(problems("# overlaps: allowed\ncode,name\nx,a\nx,b\n"), "");
}

TEST(CodeTableTest, SaysWhatValidToMeans) {
  const std::string out = "# valid_to: first day no longer in force\n";
  const std::string rows = "code,valid_from,valid_to\nx,,2019-01-01\nx,2019-01-01,\n";
  EXPECT_EQ(problems(out + rows), "");
  EXPECT_THAT(problems(rows), HasSubstr("overlaps"));
  EXPECT_THAT(problems("# valid_to: soon\n" + rows), HasSubstr("`# valid_to: soon` is not known"));
}

TEST(CodeTableTest, RefusesATableThatIsOutOfDate) {
  EXPECT_THAT(problems("# valid until: 2001-12-31\n# renew: with tools/x.py\ncode\nx\n"),
              AllOf(HasSubstr("was valid until 2001-12-31, today is "),
                    HasSubstr("replace the table with tools/x.py")));
  EXPECT_EQ(problems("# valid until: 2999-12-31\ncode\nx\n"), "");
  EXPECT_THAT(problems("# valid until: 2001-12-31\ncode\nx\n", ", out_of_date: warn"),
              HasSubstr("warning: the table "));
  // As a spreadsheet saves it.
  EXPECT_THAT(problems("\xEF\xBB\xBF# valid until: 2001-12-31,\r\ncode,name\r\nx,y\r\n"),
              HasSubstr("was valid until 2001-12-31"));
  EXPECT_THAT(problems("# valid until: soon\ncode\nx\n"), HasSubstr("is no day"));
}

TEST(CodeTableTest, RefusesSynonymsThatContradictOrLeadNowhere) {
  EXPECT_EQ(synonym_problems("from,to,department\na,x,\na,y,d\nb,y,\nb,y,\n"), "");
  EXPECT_THAT(synonym_problems("from,to\na,x\na,y\n"),
              AllOf(HasSubstr("table.csv:3: error: 'a' becomes 'y' here and 'x' in line 2"),
                    HasSubstr("keep one of the two")));
  EXPECT_EQ(synonym_problems("from,to,valid_from,valid_to\na,x,,2018-12-31\na,y,2019-01-01,\n"),
            "");
  EXPECT_THAT(synonym_problems("from,to\na,xx\n", "code\nxy\nother\n"),
              AllOf(HasSubstr("table.csv:2: error: 'a' becomes 'xx', which is not in"),
                    HasSubstr("did you mean 'xy'?")));
  Harness harness("type: normalise\nfields:\n  - {field: a, as: text, to_table: codes.csv}\n", "a");
  EXPECT_THAT(harness.problems(), HasSubstr("goes with `synonyms`"));
}

TEST(CodeTableTest, SynonymsOfTwoFieldsLeadToOneOfTwoTables) {
  Harness harness(
      "type: normalise\nfields:\n  - {field: a, synonyms: table.csv, department: [b, c], "
      "to_table: [x.csv, y.csv]}\n",
      "a, b, c");
  harness.file("table.csv", "from,to,department\n0,x,2015/licence\n0,y,2015/penalty\n");
  harness.file("x.csv", "code\nx\n");
  harness.file("y.csv", "code\ny\n");
  harness.push({{"a", "0"}, {"b", "2015"}, {"c", "licence"}});
  harness.push({{"a", "0"}, {"b", "2015"}, {"c", "penalty"}});
  harness.push({{"a", "0"}, {"b", "2018"}, {"c", "penalty"}});
  EXPECT_THAT(harness.take("", {"a"}), ElementsAre("x", "y", "0"));
}

TEST(CodeTableTest, SynonymsAreJudgedByTheDay) {
  Harness harness(
      "type: normalise\nfields:\n  - {field: a, synonyms: table.csv, date: b, unknown: absent}\n",
      "a, b");
  harness.file("table.csv", "from,to,valid_from,valid_to\nw,old,,2018-12-31\nv,new,2019-01-01,\n");
  harness.push({{"a", "w"}, {"b", "2018-12-31"}});
  harness.push({{"a", "w"}, {"b", "2019-01-01"}});
  harness.push({{"a", "v"}, {"b", "2019-01-01 10:00:00"}});
  harness.push({{"a", "w"}, {"b", "soon"}});
  EXPECT_THAT(harness.take("", {"a"}), ElementsAre("old", "~", "new", "old"));
}

}  // namespace
}  // namespace huiliu::operators
