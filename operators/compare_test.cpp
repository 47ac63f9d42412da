#include <gmock/gmock.h>

#include "operators/harness.h"
#include "operators/version_state.h"

namespace huiliu::operators {
namespace {

using testing::damage_found;
using ::testing::ElementsAre;
using testing::Harness;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Row;

constexpr const char* kYaml =
    "type: compare\n"
    "key: [k]\n"
    "version: [v, t]\n"
    "source: s\n"
    "priority: [A, B]\n"
    "withdrawn: {status: '2'}\n";
constexpr const char* kFields = "k, v: int64, t, s, text, status";

Row row(const std::string& text, const std::string& v, const std::string& t,
        const std::string& s = "A", const std::string& status = "1") {
  return {{"k", "1"}, {"v", v}, {"t", t}, {"s", s}, {"text", text}, {"status", status}};
}

/// Outcomes of rows of one key, in order.
std::string outcomes(const std::vector<Row>& rows) {
  Harness harness(kYaml, kFields);
  for (const Row& one : rows) harness.push(one);
  std::string result;
  for (const std::string& outcome : harness.take("outcomes", {"outcome"})) result += outcome + " ";
  return result;
}

TEST(CompareTest, TellsNewUpdatedStaleAndDuplicateByVersion) {
  EXPECT_EQ(outcomes({row("a", "1", "~"), row("a", "1", "~"), row("b", "2", "~"),
                      row("a", "1", "~"), row("c", "10", "~"), row("d", "9", "~")}),
            "ACCEPTED DUPLICATE UPDATED STALE UPDATED STALE ");
}

TEST(CompareTest, NumbersBelowZeroAreVersionsToo) {
  EXPECT_EQ(outcomes({row("a", "-10", "~"), row("b", "-9.5", "~"), row("c", "-10.5", "~"),
                      row("d", "-0", "~"), row("e", "-9", "~"), row("f", "0.0", "~"),
                      row("g", "1", "~"), row("h", "-1", "~")}),
            "ACCEPTED UPDATED STALE UPDATED STALE UPDATED UPDATED STALE ");
}

TEST(CompareTest, FallsBackToTheStampAndThenToTheOrderOfOneSource) {
  EXPECT_EQ(outcomes({row("a", "~", "2019-01-02"), row("b", "~", "2019-01-01"),
                      row("c", "5", "2019-01-03"), row("d", "~", "~"), row("e", "~", "2019")}),
            "ACCEPTED STALE UPDATED UPDATED UPDATED ");
}

TEST(CompareTest, SettlesEqualVersionsOfTwoSourcesByPriority) {
  EXPECT_EQ(outcomes({row("a", "1", "~", "B"), row("b", "1", "~", "C"), row("c", "1", "~", "A"),
                      row("d", "1", "~", "B")}),
            "ACCEPTED STALE UPDATED STALE ");
  EXPECT_EQ(outcomes({row("a", "1", "~", "X"), row("b", "1", "~", "Y"), row("a", "1", "~", "Y")}),
            "ACCEPTED CONFLICT DUPLICATE ");
}

TEST(CompareTest, WithdrawsAndReactivatesOnlyByANewerVersion) {
  EXPECT_EQ(outcomes({row("a", "1", "~"), row("a", "2", "~", "A", "2"), row("b", "1", "~"),
                      row("b", "2", "~"), row("b", "~", "~"), row("a", "2", "~", "A", "2"),
                      row("b", "3", "~"), row("a", "2", "~", "A", "2")}),
            "ACCEPTED WITHDRAWN STALE STALE STALE DUPLICATE REACTIVATED STALE ");
  EXPECT_EQ(outcomes({row("a", "1", "~", "A", "2"), row("a", "1", "~")}), "WITHDRAWN STALE ");
}

TEST(CompareTest, TakesTheVersionOfADuplicateAsKnown) {
  EXPECT_EQ(outcomes({row("a", "1", "~"), row("a", "3", "~"), row("b", "2", "~")}),
            "ACCEPTED DUPLICATE STALE ");
}

TEST(CompareTest, SendsCurrentVersionsHistoryAndConflictsToTheirOutputs) {
  Harness harness(kYaml, kFields);
  harness.push(row("a", "1", "~", "X"));
  harness.push(row("a", "1", "~", "X"));
  harness.push(row("b", "1", "~", "Y"));
  harness.push(row("c", "0", "~", "X"));
  harness.push(row("d", "2", "~", "X", "2"));
  EXPECT_THAT(harness.take("", {"text", "outcome"}), ElementsAre("a|ACCEPTED", "d|WITHDRAWN"));
  EXPECT_THAT(harness.take("history", {"text", "outcome"}),
              ElementsAre("a|ACCEPTED", "b|CONFLICT", "c|STALE", "d|WITHDRAWN"));
  EXPECT_THAT(harness.take("conflicts", {"text"}), ElementsAre("b"));
  EXPECT_THAT(harness.take("outcomes", {"text"}), ElementsAre("a", "a", "b", "c", "d"));
}

TEST(CompareTest, RemembersCurrentVersionsAcrossRestarts) {
  Harness harness(kYaml, kFields);
  harness.push(row("a", "1", "2019", "X"));
  harness.restart();
  harness.push(row("a", "1", "2019", "X"));
  harness.push(row("b", "1", "2018", "X"));
  harness.push(row("b", "1", "2019", "Y"));
  EXPECT_THAT(harness.take("outcomes", {"outcome"}),
              ElementsAre("ACCEPTED", "DUPLICATE", "STALE", "CONFLICT"));
}

TEST(CompareTest, RejectsRecordsWithoutAKey) {
  Harness harness(kYaml, kFields);
  harness.push({{"text", "a"}});
  EXPECT_THAT(harness.take("rejects", {"reject_code", "reject_field", "reject_message_zh"}),
              ElementsAre("E101_MISSING|k|业务主键缺项，无法与其他记录区分"));
}

TEST(CompareTest, ComparesNumbersAndTimesAsSuch) {
  EXPECT_EQ(outcomes({row("a", "~", "2023/7/30"), row("b", "~", "2023/10/1"),
                      row("c", "~", "2023-07-31T00:00:00Z"), row("d", "~", "1696176000000"),
                      row("e", "~", "2023-10-01T16:00:01Z")}),
            "ACCEPTED UPDATED STALE UPDATED UPDATED ");
  Harness texts("type: compare\nkey: [k]\nversion: [v]\n", "k, v, text");
  for (const auto& [v, text] : {std::pair{"9", "a"},
                                {"10", "b"},
                                {"9.5", "c"},
                                {"10.0", "d"},
                                {"10.25", "e"},
                                {"10.3", "f"},
                                {"010", "g"}}) {
    texts.push({{"k", "1"}, {"v", v}, {"text", text}});
  }
  EXPECT_THAT(
      texts.take("outcomes", {"outcome"}),
      ElementsAre("ACCEPTED", "UPDATED", "STALE", "UPDATED", "UPDATED", "UPDATED", "STALE"));
}

TEST(CompareTest, AnothersWithdrawalIsAConflictAsItsUpdateIs) {
  EXPECT_EQ(outcomes({row("a", "~", "~", "X"), row("b", "~", "~", "Y", "2"),
                      row("c", "~", "~", "X", "2")}),
            "ACCEPTED CONFLICT WITHDRAWN ");
  EXPECT_EQ(outcomes({row("a", "1", "~", "B"), row("b", "1", "~", "C", "2"),
                      row("c", "1", "~", "A", "2")}),
            "ACCEPTED STALE WITHDRAWN ");
}

TEST(CompareTest, TheOwnerGoesBeforeAllOthers) {
  Harness harness("type: compare\nkey: [o]\nsource: s\nowner: o\n", "o, s, text");
  for (const auto& [s, text] : {std::pair{"X", "a"}, {"Y", "b"}, {"O", "c"}, {"X", "a"}}) {
    harness.push({{"o", "O"}, {"s", s}, {"text", text}});
  }
  EXPECT_THAT(harness.take("outcomes", {"outcome"}),
              ElementsAre("ACCEPTED", "CONFLICT", "UPDATED", "CONFLICT"));
}

TEST(CompareTest, EveryFieldIsContentButThoseToIgnore) {
  Harness harness("type: compare\nkey: [k]\nsource: s\nignore: [b]\n", "k, s, a, b");
  for (const auto& [a, b] : {std::pair{"1", "1"}, {"1", "2"}, {"2", "2"}}) {
    harness.push({{"k", "1"}, {"s", "X"}, {"a", a}, {"b", b}});
  }
  EXPECT_THAT(harness.take("outcomes", {"outcome"}),
              ElementsAre("ACCEPTED", "DUPLICATE", "UPDATED"));
}

constexpr const char* kBodies =
    "type: compare\nkey: [k]\nidentity: [org, reg]\nidentity_as: known_as\n"
    "withdrawn: {text: gone}\nplace: [shelf]\nchanges: [day]\n";
constexpr const char* kBodyFields = "k, org, reg, shelf, day, text";

Row body(const std::string& org, const std::string& reg, const std::string& text,
         const std::string& day = "d1", const std::string& shelf = "s1") {
  return {{"k", "1"}, {"org", org}, {"reg", reg}, {"text", text}, {"day", day}, {"shelf", shelf}};
}

TEST(CompareTest, FindsARecordUnderEachOfItsIdentities) {
  Harness harness(kBodies, kBodyFields);
  harness.push(body("org:A", "reg:1", "a"));
  harness.push(body("~", "reg:1", "b"));
  harness.restart();
  harness.push(body("org:A", "~", "c"));
  harness.push(body("org:B", "~", "c"));
  harness.push(body("~", "~", "c"));
  EXPECT_THAT(harness.take("outcomes", {"outcome", "known_as"}),
              ElementsAre("ACCEPTED|org:A", "UPDATED|org:A", "UPDATED|org:A", "ACCEPTED|org:B"));
  EXPECT_THAT(harness.take("rejects", {"reject_code"}), ElementsAre("E403_PARTY_FIELDS"));
}

TEST(CompareTest, TheOrderOfTheComparedFieldsSaysNothing) {
  const auto yaml = [](const std::string& content) {
    return "type: compare\nkey: [k]\nversion: [v]\n" + content;
  };
  Harness harness(yaml("content: [text, status]\n"), kFields);
  harness.push(row("a", "1", "~"));
  const std::string layout = harness.declaration().tables[0].layout;
  EXPECT_THAT(layout, HasSubstr("content=(status string, text string)"));
  harness.restart();
  harness.change(yaml("content: [status, text]\n"));
  EXPECT_EQ(harness.declaration().tables[0].layout, layout);
  harness.push(row("a", "1", "~"));
  harness.restart();
  harness.change(yaml("content: [status, text, s]\ncontent_before: [text, status]\n"));
  EXPECT_NE(harness.declaration().tables[0].layout, layout);
  EXPECT_TRUE(harness.declaration().tables[0].accepts(layout));
  harness.push(row("a", "1", "~"));
  harness.restart();
  harness.change(yaml("content: [status, text, s]\n"));
  EXPECT_FALSE(harness.declaration().tables[0].accepts(layout));
  harness.push(row("a", "1", "~"));
  EXPECT_THAT(harness.take("outcomes", {"outcome"}),
              ElementsAre("ACCEPTED", "DUPLICATE", "DUPLICATE", "DUPLICATE"));
}

TEST(CompareTest, NumbersRecordsWhoseIdentityMustNotBeShown) {
  const std::string yaml = std::string(kBodies) + "numbered: [reg]\n";
  Harness harness(yaml, kBodyFields);
  harness.push(body("~", "reg:1", "a"));
  harness.push(body("~", "reg:2", "a"));
  harness.restart();
  harness.push(body("~", "reg:1", "b"));
  harness.push(body("org:C", "reg:3", "a"));
  harness.push(body("org:A", "reg:1", "c", "d1", "s2"));
  harness.push(body("~", "reg:4", "a"));
  EXPECT_THAT(harness.take("outcomes", {"outcome", "known_as"}),
              ElementsAre("ACCEPTED|reg:#1", "ACCEPTED|reg:#2", "UPDATED|reg:#1", "ACCEPTED|org:C",
                          "UPDATED|reg:#1", "ACCEPTED|reg:#3"));
  EXPECT_THAT(harness.take("left", {"known_as", "outcome"}), ElementsAre("reg:#1|LEFT"));
  EXPECT_THAT(Harness(std::string(kBodies) + "numbered: [rag]\n", kBodyFields).problems(),
              HasSubstr("'rag' is not in `identity`"));
}

TEST(CompareTest, ABetterIdentityThatDiffersMakesAnotherRecord) {
  Harness harness(kBodies, kBodyFields);
  harness.push(body("org:A", "reg:1", "a"));
  harness.push(body("org:B", "reg:1", "b"));
  harness.push(body("~", "reg:1", "c"));
  EXPECT_THAT(harness.take("outcomes", {"outcome", "known_as"}),
              ElementsAre("ACCEPTED|org:A", "ACCEPTED|org:B", "UPDATED|org:A"));
}

TEST(CompareTest, AnIdentityThatBecomesKnownLaterLeadsToTheSameRecord) {
  Harness harness(kBodies, kBodyFields);
  harness.push(body("~", "reg:1", "a"));
  harness.push(body("org:A", "reg:1", "b"));
  harness.push(body("org:A", "~", "c"));
  EXPECT_THAT(harness.take("outcomes", {"outcome", "known_as"}),
              ElementsAre("ACCEPTED|reg:1", "UPDATED|reg:1", "UPDATED|reg:1"));
}

TEST(CompareTest, TwoRecordsThatTurnOutToBeOneAreCountedAndKeptOnce) {
  Harness harness(kBodies, kBodyFields);
  harness.push(body("~", "reg:1", "a"));
  harness.push(body("org:A", "~", "b"));
  harness.push(body("org:A", "reg:1", "c"));
  harness.restart();
  harness.push(body("~", "reg:1", "d"));
  EXPECT_THAT(harness.take("outcomes", {"outcome", "known_as"}),
              ElementsAre("ACCEPTED|reg:1", "ACCEPTED|org:A", "UPDATED|org:A", "UPDATED|org:A"));
  EXPECT_THAT(harness.take("left", {"k", "known_as", "shelf", "outcome"}),
              ElementsAre("1|reg:1|s1|MERGED"));
  EXPECT_THAT(harness.take("changes", {"known_as", "change"}),
              ElementsAre("reg:1|insert", "org:A|insert", "reg:1|delete"));
}

TEST(CompareTest, CountsRecordsAndNotVersions) {
  Harness harness(kBodies, kBodyFields);
  harness.push(body("org:A", "~", "a", "d1"));
  harness.push(body("org:A", "~", "b", "d1"));
  harness.restart();
  harness.push(body("org:A", "~", "c", "d2"));
  harness.push(body("org:A", "~", "gone", "d2"));
  harness.push(body("org:A", "~", "gone", "d2"));
  EXPECT_THAT(harness.take("changes", {"day", "change"}),
              ElementsAre("d1|insert", "d1|delete", "d2|insert", "d2|delete"));
}

TEST(CompareTest, SaysWhereARecordIsNoLonger) {
  Harness harness(kBodies, kBodyFields);
  harness.push(body("org:A", "~", "a", "d1", "s1"));
  harness.push(body("org:A", "~", "b", "d1", "s2"));
  harness.push(body("org:A", "~", "c", "d1", "s2"));
  harness.push(body("org:A", "~", "gone", "d1", "s2"));
  EXPECT_THAT(harness.take("left", {"known_as", "shelf", "outcome"}), ElementsAre("org:A|s1|LEFT"));
  EXPECT_THAT(harness.take("", {"text", "outcome"}),
              ElementsAre("a|ACCEPTED", "b|UPDATED", "c|UPDATED", "gone|WITHDRAWN"));
}

TEST(CompareTest, KeepsAValueAndThatOfTheFirstVersion) {
  Harness harness("type: compare\nkey: [k]\nkeep: [code]\nfirst: [on_time]\nignore: [on_time]\n",
                  "k, code, on_time, text");
  harness.push({{"k", "1"}, {"code", "C"}, {"on_time", "yes"}, {"text", "a"}});
  harness.push({{"k", "1"}, {"code", "~"}, {"on_time", "no"}, {"text", "b"}});
  harness.push({{"k", "1"}, {"code", "D"}, {"on_time", "no"}, {"text", "b"}});
  harness.push({{"k", "1"}, {"code", "~"}, {"on_time", "no"}, {"text", "b"}});
  EXPECT_THAT(harness.take("", {"code", "on_time", "text"}),
              ElementsAre("C|yes|a", "C|yes|b", "D|yes|b"));
}

constexpr const char* kAmended =
    "type: compare\nkey: [k]\nversion: [t]\nignore: [act]\nwithdrawn: {text: gone}\n"
    "amend: {when: {act: repair}, set: [state, on], of: {kind: penalty}}\n";
constexpr const char* kAmendedFields = "k, t, act, kind, text, state, on";

Row act(const std::string& what, const std::string& t, const std::string& text,
        const std::string& state = "~", const std::string& on = "~") {
  return {{"k", "1"},     {"t", t},         {"act", what}, {"kind", "penalty"},
          {"text", text}, {"state", state}, {"on", on}};
}

TEST(CompareTest, AnAmendmentChangesTheRecordAndAllItsLaterVersions) {
  Harness harness(kAmended, kAmendedFields);
  harness.push(act("~", "1", "a"));
  harness.restart();
  harness.push(act("repair", "2", "~", "repaired", "today"));
  harness.push(act("repair", "2", "~", "repaired", "today"));
  harness.push(act("repair", "1", "~", "broken"));
  harness.push(act("~", "3", "b"));
  EXPECT_THAT(
      harness.take("", {"text", "state", "on", "outcome"}),
      ElementsAre("a|~|~|ACCEPTED", "a|repaired|today|AMENDED", "b|repaired|today|UPDATED"));
  EXPECT_THAT(harness.take("outcomes", {"outcome"}),
              ElementsAre("ACCEPTED", "AMENDED", "DUPLICATE", "STALE", "UPDATED"));
}

TEST(CompareTest, AnAmendmentWaitsForItsRecord) {
  Harness harness(kAmended, kAmendedFields);
  harness.push(act("repair", "2", "~", "repaired"));
  harness.restart();
  harness.push(act("~", "1", "a"));
  EXPECT_THAT(harness.take("", {"text", "state", "outcome"}), ElementsAre("a|repaired|ACCEPTED"));
  EXPECT_THAT(harness.take("outcomes", {"outcome"}), ElementsAre("WAITING", "ACCEPTED"));
  harness.push(act("~", "3", "gone"));
  harness.push(act("repair", "4", "~", "restored"));
  EXPECT_THAT(harness.take("", {"outcome"}), ElementsAre("WITHDRAWN"));
  EXPECT_THAT(harness.take("outcomes", {"outcome"}), ElementsAre("WITHDRAWN", "AMENDED"));
}

TEST(CompareTest, ANewRecordHasNothingOfTheRecordBefore) {
  Harness amended(kAmended, kAmendedFields);
  amended.push(act("~", "1", "a"));
  amended.push(act("repair", "2", "~", "repaired"));
  Row other = act("~", "1", "b");
  other["k"] = "2";
  amended.push(other);
  EXPECT_THAT(amended.take("", {"k", "text", "state", "outcome"}),
              ElementsAre("1|a|~|ACCEPTED", "1|a|repaired|AMENDED", "2|b|~|ACCEPTED"));
  Harness counted("type: compare\nkey: [k]\nchanges: [text]\n", "k, text");
  counted.push({{"k", "1"}, {"text", "a"}});
  counted.push({{"k", "2"}, {"text", "b"}});
  EXPECT_THAT(counted.take("changes", {"k", "text", "change"}),
              ElementsAre("1|a|insert", "2|b|insert"));
}

TEST(CompareTest, GoesOverToAnotherListOfContent) {
  const std::string first = "type: compare\nkey: [k]\ncontent: [a]\n";
  Harness harness(first, "k, a, b");
  harness.push({{"k", "1"}, {"a", "1"}, {"b", "1"}});
  harness.push({{"k", "2"}, {"a", "1"}, {"b", "1"}});
  harness.restart();
  harness.change("type: compare\nkey: [k]\ncontent_before: [a]\n");
  harness.push({{"k", "1"}, {"a", "1"}, {"b", "1"}});
  harness.push({{"k", "1"}, {"a", "1"}, {"b", "2"}});
  harness.push({{"k", "2"}, {"a", "2"}, {"b", "1"}});
  EXPECT_THAT(harness.take("outcomes", {"outcome"}),
              ElementsAre("ACCEPTED", "ACCEPTED", "DUPLICATE", "UPDATED", "UPDATED"));
}

TEST(CompareTest, TakesOverStatesOfTheFirstForm) {
  Harness harness(
      "type: compare\nkey: [a]\nidentity: [org]\nidentity_as: who\n"
      "identity_before: subject_identity\nversion: [v]\nchanges: [day]\n",
      "a, org, v, day");
  const auto& table = harness.declaration().tables.front();
  EXPECT_FALSE(table.adopt("compare key=(a string) version=(v)"));
  EXPECT_FALSE(table.adopt("compare key=(a string, who string) version=(w)"));
  EXPECT_FALSE(table.adopt("compare key=(a string, who int64) version=(v)"));
  const auto adoption = table.adopt("compare key=(a string, who string) version=(v)");
  ASSERT_TRUE(adoption);
  const runtime::Schema schema({{"a", runtime::Type::kString}, {"who", runtime::Type::kString}});
  const runtime::Value values[] = {runtime::Value::of_text("1"),
                                   runtime::Value::of_text("91350803MAGBQ59331")};
  runtime::Record record;
  record.values = const_cast<runtime::Value*>(values);
  record.width = 2;
  runtime::KeyBuilder old_key(schema, {"a", "who"}), new_key(schema, {"a"});
  VersionState state({.versions = 1});
  state.version = {"7"};
  state.source = "S";
  state.content = 42;
  std::string bytes;
  encode_state(state, bytes);
  const auto row = adoption->row(old_key.build(record), bytes);
  ASSERT_TRUE(row);
  EXPECT_EQ(row->record_key, new_key.build(record));
  EXPECT_EQ(row->key, row->record_key + "org:MAGBQ5933");
  VersionState taken({.versions = 1, .remembered = 1, .identities = 1});
  ASSERT_TRUE(read_state(row->value, taken));
  EXPECT_EQ(taken.name, "91350803MAGBQ59331");
  EXPECT_EQ(taken.version, state.version);
  EXPECT_EQ(taken.content, 42u);
  EXPECT_FALSE(taken.announced || taken.awaited || taken.withdrawn);
}

TEST(CompareTest, StatesOfAnyBytesAreReadOrRefused) {
  VersionState state({.versions = 2, .remembered = 2, .amended = 1, .identities = 2});
  std::string bytes;
  state.source = "S";
  state.remembered[1] = "r";
  state.identities = {"a", "b"};
  state.row = "row";
  encode_state(state, bytes);
  VersionState again({.versions = 2, .remembered = 2, .amended = 1, .identities = 2});
  ASSERT_TRUE(read_state(bytes, again));
  EXPECT_EQ(again.identities, state.identities);
  EXPECT_EQ(again.row, "row");
  for (std::size_t size = 0; size + 3 < bytes.size(); ++size) {
    EXPECT_FALSE(read_state(std::string_view(bytes).substr(0, size), again)) << size;
  }
}

TEST(CompareTest, ADamagedStateIsNamedWithItsTable) {
  const auto is_named = HasSubstr("table current");
  Harness plain(kBodies, kBodyFields);
  plain.push(body("org:A", "~", "a"));
  plain.damage(0, [](std::string_view value) { return std::string(value.substr(0, 3)); });
  EXPECT_THAT(damage_found([&] { plain.push(body("org:A", "~", "b")); }), is_named);

  Harness alias(kBodies, kBodyFields);
  alias.push(body("org:A", "reg:1", "a"));
  alias.damage(0, [](std::string_view) {
    std::string to_itself;
    encode_alias("reg:1", to_itself);
    return to_itself;
  });
  EXPECT_THAT(damage_found([&] { alias.push(body("~", "reg:1", "b")); }), is_named);

  Harness row(kAmended, kAmendedFields);
  row.push(act("~", "1", "a"));
  row.damage(0, testing::without_end);
  EXPECT_THAT(damage_found([&] { row.push(act("repair", "2", "~", "repaired")); }), is_named);
}

TEST(CompareTest, ReportsMistakes) {
  EXPECT_THAT(Harness("type: compare\nkey: [k]\noptional: [q]\n", "k, text").problems(),
              HasSubstr("not in the `key`"));
  EXPECT_THAT(Harness("type: compare\nkey: [k]\nidentity: [q]\n", "k, text").problems(),
              HasSubstr("'q'"));
  EXPECT_THAT(Harness("type: compare\nkey: [k]\nowner: k\n", "k, text").problems(),
              HasSubstr("`source"));
  EXPECT_THAT(
      Harness("type: compare\nkey: [k]\ncontent: [text]\nignore: [text]\n", "k, text").problems(),
      HasSubstr("exclude"));
  EXPECT_THAT(Harness("type: compare\nkey: [q]\n", "k, text").problems(), HasSubstr("'q'"));
  EXPECT_THAT(Harness("type: compare\nkey: [k]\n", "k").problems(), HasSubstr("`content`"));
  EXPECT_THAT(Harness("type: compare\nkey: [k]\npriority: [a]\n", "k, text").problems(),
              HasSubstr("`source"));
}

}  // namespace
}  // namespace huiliu::operators
