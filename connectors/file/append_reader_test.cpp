#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "connectors/file/source_harness.h"

namespace huiliu::connectors {
namespace {

using runtime::ReadResult;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Source = testing::FileSourceHarness;
using testing::TemporaryFolder;
namespace fs = std::filesystem;

const std::string kOnce = "{path: in, append: true, fields: [a, n]}";
const std::string kWatched = "{path: in, append: true, watch: true, poll: 1s, fields: [a, n]}";

void append(const TemporaryFolder& folder, const std::string& name, const std::string& text) {
  std::ofstream(folder.path(name), std::ios::binary | std::ios::app) << text;
}

/// What comes after another look.
std::vector<std::string> look(Source& source) {
  source.rows.clear();
  source.pass(2000);
  source.run();
  source.pass(2000);
  source.run();
  return source.rows;
}

TEST(AppendReader, GivesWholeLinesAndGoesOnAfterARestart) {
  TemporaryFolder folder;
  folder.write("in/a.csv", "a,n\n1,100\n2,2");
  Source first(folder, kOnce);
  ASSERT_TRUE(first.open().is_ok());
  EXPECT_EQ(first.run(), ReadResult::kEnd);
  EXPECT_THAT(first.rows, ElementsAre("1|1|100"));
  append(folder, "in/a.csv", "50\n3,300\n4");
  Source second(folder, kOnce);
  ASSERT_TRUE(second.open(first.committed).is_ok());
  second.run();
  EXPECT_THAT(second.rows, ElementsAre("2|2|250", "3|3|300"));
  EXPECT_THAT(second.rejects, IsEmpty());
}

TEST(AppendReader, FollowsAFileWhileItGrowsAndIsRotated) {
  TemporaryFolder folder;
  folder.write("in/a.log", "{\"a\":\"1\"}\n");
  Source source(folder, kWatched);
  ASSERT_TRUE(source.open().is_ok());
  source.run();
  EXPECT_THAT(source.rows, ElementsAre("1|1|-"));
  append(folder, "in/a.log", "{\"a\":\"2\"}\n{\"a\":");
  EXPECT_THAT(look(source), ElementsAre("2|2|-"));
  // The last line comes just before the file is renamed and begun anew.
  append(folder, "in/a.log", "\"3\"}\n");
  fs::rename(folder.path("in/a.log"), folder.path("in/a.log.1"));
  folder.write("in/a.log", "{\"a\":\"10\"}\n");
  EXPECT_THAT(look(source), ElementsAre("3|3|-", "1|10|-"));
  EXPECT_THAT(look(source), IsEmpty());
  EXPECT_THAT(source.rejects, IsEmpty());
}

TEST(AppendReader, KnowsARotatedFileAfterARestart) {
  TemporaryFolder folder;
  folder.write("in/a.csv", "a,n\n1,x\n");
  Source first(folder, kOnce);
  ASSERT_TRUE(first.open().is_ok());
  first.run();
  append(folder, "in/a.csv", "2,x\n");
  fs::rename(folder.path("in/a.csv"), folder.path("in/a.csv.1"));
  // Begins with the same bytes.
  folder.write("in/a.csv", "a,n\n1,x\n7,y\n");
  Source second(folder, kOnce);
  ASSERT_TRUE(second.open(first.committed).is_ok());
  second.run();
  std::vector<std::string> rows = second.rows;
  std::sort(rows.begin(), rows.end());
  // Which of the two was read nobody can know, for both begin with it; no row is lost or doubled.
  EXPECT_THAT(rows, ::testing::SizeIs(3));
}

TEST(AppendReader, AFileThatIsCopiedAndEmptiedIsReadOnce) {
  TemporaryFolder folder;
  folder.write("in/a.csv", "a,n\n1,x\n2,x\n");
  Source source(folder, kWatched);
  ASSERT_TRUE(source.open().is_ok());
  source.run();
  fs::copy(folder.path("in/a.csv"), folder.path("in/a.csv.1"));
  fs::resize_file(folder.path("in/a.csv"), 0);
  EXPECT_THAT(look(source), IsEmpty());
  append(folder, "in/a.csv", "a,n\n8,y\n");
  EXPECT_THAT(look(source), ElementsAre("1|8|y"));
  append(folder, "in/a.csv", "9,y\n");
  EXPECT_THAT(look(source), ElementsAre("2|9|y"));
}

TEST(AppendReader, LogsWithTheSameHeadingsAreToldApart) {
  TemporaryFolder folder;
  folder.write("in/a.csv", "a,n\n");
  folder.write("in/b.csv", "a,n\n1,b\n");
  Source first(folder, kWatched);
  ASSERT_TRUE(first.open().is_ok());
  first.run();
  EXPECT_THAT(first.rows, ElementsAre("1|1|b"));
  // What was read of b is known by a number behind the key that a, without a row, has not used.
  Source second(folder, kWatched);
  ASSERT_TRUE(second.open(first.committed).is_ok());
  second.committed = first.committed;
  second.run();
  EXPECT_THAT(second.rows, IsEmpty());
  append(folder, "in/a.csv", "1,a\n");
  EXPECT_THAT(look(second), ElementsAre("1|1|a"));
  append(folder, "in/b.csv", "2,b\n");
  EXPECT_THAT(look(second), ElementsAre("2|2|b"));
  Source third(folder, kOnce);
  ASSERT_TRUE(third.open(second.committed).is_ok());
  third.run();
  EXPECT_THAT(third.rows, IsEmpty());
}

TEST(AppendReader, ACopyIsHeldBackUntilItsLogIsEmptied) {
  TemporaryFolder folder;
  folder.write("in/a.csv", "a,n\n1,x\n2,x\n");
  Source source(folder, kWatched);
  ASSERT_TRUE(source.open().is_ok());
  source.run();
  folder.write("in/a.csv.1", "a,n\n1,x\n");
  EXPECT_THAT(look(source), IsEmpty());
  append(folder, "in/a.csv", "3,x\n");
  append(folder, "in/a.csv.1", "2,x\n3,x\n");
  EXPECT_THAT(look(source), ElementsAre("3|3|x"));
  fs::resize_file(folder.path("in/a.csv"), 0);
  append(folder, "in/a.csv", "a,n\n4,x\n");
  EXPECT_THAT(look(source), ElementsAre("1|4|x"));
}

TEST(AppendReader, ALogThatStaysLikeAnotherIsReadInTheEnd) {
  TemporaryFolder folder;
  folder.write("in/a.csv", "a,n\n1,x\n");
  folder.write("in/b.csv", "a,n\n1,x\n");
  Source source(folder, kWatched);
  ASSERT_TRUE(source.open().is_ok());
  source.run();
  EXPECT_THAT(source.rows, ElementsAre("1|1|x"));
  source.pass(10'000);
  EXPECT_THAT(look(source), ElementsAre("1|1|x"));
}

TEST(AppendReader, ALogThatWasEmptiedAndGrewBeyondItsOldSizeIsReadFromItsStart) {
  TemporaryFolder folder;
  folder.write("in/a.csv", "a,n\n1,x\n");
  Source source(folder, kWatched);
  ASSERT_TRUE(source.open().is_ok());
  source.run();
  fs::resize_file(folder.path("in/a.csv"), 0);
  append(folder, "in/a.csv", "a,n\n2,x\n3,x\n4,x\n");
  EXPECT_THAT(look(source), ElementsAre("1|2|x", "2|3|x", "3|4|x"));
}

TEST(AppendReader, WhatIsRefusedAsAWholeIsRefusedOnce) {
  TemporaryFolder folder;
  folder.write("in/a.csv", "other,headings\n1,x\n");
  testing::Positions committed;
  for (const std::size_t refused : {1U, 0U, 0U}) {
    Source source(folder, kOnce);
    ASSERT_TRUE(source.open(committed).is_ok());
    source.run();
    EXPECT_THAT(source.rejects, ::testing::SizeIs(refused));
    testing::merge(committed, source.committed);
    append(folder, "in/a.csv", "2,x\n");
  }
}

TEST(AppendReader, TheEndOfARowThatIsTooLongIsNoRow) {
  TemporaryFolder folder;
  const std::string small = "max_row_bytes: 1KiB, fields: [a, n]}";
  folder.write("in/a.log", "{\"a\":\"1\"}\n{\"a\":\"" + std::string(3000, 'x'));
  Source source(folder, "{path: in, append: true, watch: true, " + small);
  ASSERT_TRUE(source.open().is_ok());
  source.run();
  EXPECT_THAT(source.rejects, ElementsAre("2!E804_TOO_LONG!"));
  append(folder, "in/a.log", "yyy");
  EXPECT_THAT(look(source), IsEmpty());
  Source second(folder, "{path: in, append: true, " + small);
  append(folder, "in/a.log", "zzz\"}\n{\"a\":\"3\"}\n");
  ASSERT_TRUE(second.open(source.committed).is_ok());
  second.run();
  EXPECT_THAT(second.rows, ElementsAre("3|3|-"));
  EXPECT_THAT(look(source), ElementsAre("3|3|-"));
  EXPECT_THAT(source.rejects, ElementsAre("2!E804_TOO_LONG!"));
  EXPECT_THAT(second.rejects, IsEmpty());
}

}  // namespace
}  // namespace huiliu::connectors
