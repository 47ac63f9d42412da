#include "formats/xml_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace huiliu::formats {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Read {
  std::vector<std::string> rows;  // "line: name=text name=text"
  Outcome outcome;
  bool found = false;
};

Read read(std::string_view text, std::size_t piece = 7, XmlRowsLimits limits = {}) {
  Read result;
  XmlRows rows(limits, [&](const XmlRow& row) {
    std::string shown = std::to_string(row.line) + ":";
    for (const auto& [name, value] : row.fields) shown += " " + name + "=" + value;
    result.rows.push_back(shown + (row.too_long ? " ..." : ""));
  });
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
    if (!rows.feed(text.substr(0, piece))) break;
  }
  rows.finish();
  result.outcome = rows.outcome();
  result.found = rows.found();
  return result;
}

TEST(XmlRows, GivesElementsOfEveryRow) {
  const Read got = read(
      "<?xml version=\"1.0\" encoding=\"GBK\"?>\n<ROWDATA>\n<ROW>\n <A>甲</A>\n <B> 1 &lt; 2 </B>\n"
      "</ROW><ROW><A><![CDATA[<x>]]>y</A><B/><C></C></ROW><ROW/>\n</ROWDATA>\n");
  EXPECT_THAT(got.rows, ElementsAre("3: A=甲 B=1 < 2", "6: A=<x>y B= C=", "6:"));
  EXPECT_TRUE(got.outcome.ok());
}

TEST(XmlRows, KnowsRowsInAnyCaseWithinOtherElementsAndAttributes) {
  const Read got = read(
      "\xEF\xBB\xBF\n <x:package xmlns:x='u'><head><A>no</A></head><rowdata n='1'>"
      "<Row id='7' xml:lang='zh'><x:A t='s'>1</x:A></Row><other><ROW><A>no</A></ROW></other>"
      "</rowdata><RowData><ROW A='2'/></RowData></x:package>");
  EXPECT_THAT(got.rows, ElementsAre("2: id=7 A=1", "2: A=2"));
  EXPECT_TRUE(got.outcome.ok()) << got.outcome.message;
}

TEST(XmlRows, GivesTheRowsBeforeTheLineThatIsBroken) {
  const std::string good = "<ROWDATA>\n<ROW><A>1</A></ROW>\n<ROW><A>2</A></ROW>\n";
  for (const auto& [rest, reason] : std::vector<std::pair<std::string, std::string>>{
           {"<ROW><A>3</B></ROW></ROWDATA>", "line 4: mismatched tag"},
           {"<ROW><A>3", "line 4: no element found"},
           {"<ROW><A>a & b</A></ROW>", "line 4: not well-formed"},
           {"<ROW><A>&nbsp;</A></ROW>", "line 4: undefined entity"},
           {"<ROW><A><B>3</B></A></ROW>", "line 4: an element within"},
           {"<ROW>3</ROW>", "line 4: text between"},
           {"\n<ROW><A>\xC0\xAF</A></ROW>", "line 5: not well-formed"}}) {
    const Read got = read(good + rest);
    EXPECT_THAT(got.rows, ElementsAre("2: A=1", "3: A=2")) << rest;
    EXPECT_THAT(got.outcome.message, HasSubstr(reason));
    EXPECT_THAT(got.outcome.zh, HasSubstr("行："));
  }
}

TEST(XmlRows, RefusesADoctypeAndBoundsDepthTagsAndRows) {
  EXPECT_THAT(read("<!DOCTYPE a [<!ENTITY b 'c'>]><ROWDATA/>").outcome.message,
              HasSubstr("DOCTYPE"));
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "<a>";
  EXPECT_EQ(read(deep).outcome.code, OutcomeCode::kLimit);
  EXPECT_EQ(read("<" + std::string(2 << 20, 'a'), 4096).outcome.code, OutcomeCode::kLimit);
  const std::string row = "<ROW><A>" + std::string(100, 'x') + "</A><B>1</B></ROW>";
  const Read got =
      read("<ROWDATA>" + row + "<ROW><A>1</A></ROW></ROWDATA>", 7, {.max_row_bytes = 80});
  EXPECT_THAT(got.rows, ElementsAre(HasSubstr("..."), "1: A=1"));
}

TEST(XmlRows, SaysWhetherThereWereRowsToFind) {
  EXPECT_FALSE(read("<Workbook><ROW/></Workbook>").found);
  EXPECT_THAT(read("<Workbook><ROW/></Workbook>").rows, IsEmpty());
  EXPECT_TRUE(read("<ROWDATA/>").found);
}

}  // namespace
}  // namespace huiliu::formats
