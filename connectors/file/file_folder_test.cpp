#include <filesystem>

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "connectors/file/source_harness.h"

namespace huiliu::connectors {
namespace {

using runtime::ReadResult;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Key;
using Source = testing::FileSourceHarness;
using testing::TemporaryFolder;
using ::testing::UnorderedElementsAre;
namespace fs = std::filesystem;

const std::string kFolder = "{path: in, fields: [a]}";

TEST(FileFolder, WhatCannotBeReadIsReportedOnceAndTheOthersGoOn) {
  TemporaryFolder folder;
  for (const char* name : {"a", "gone", "sub/b", "z"}) {
    folder.write(std::string("in/") + name + ".csv", std::string("a\n<") + name + ">\n");
  }
  ASSERT_EQ(::mkfifo(folder.path("in/pipe.csv").c_str(), 0600), 0);
  fs::create_symlink("nothing", folder.path("in/dangling.csv"));
  fs::create_symlink("self.csv", folder.path("in/self.csv"));
  Source source(folder, kFolder);
  ASSERT_TRUE(source.open().is_ok());
  fs::remove(folder.path("in/gone.csv"));
  EXPECT_EQ(source.run(), ReadResult::kEnd);
  EXPECT_THAT(source.rows, ElementsAre("1|<a>", "1|<sub/b>", "1|<z>"));
  EXPECT_THAT(source.rejects, ElementsAre("0!E808_NOT_READ!", "0!E808_NOT_READ!",
                                          "0!E808_NOT_READ!", "0!E808_NOT_READ!"));
  EXPECT_THAT(source.left_out,
              ElementsAre(Key("dangling.csv"), Key("gone.csv"), Key("pipe.csv"), Key("self.csv")));

  // Said once, and taken back when the file can be read.
  folder.write("in/gone.csv", "a\nback\n");
  fs::remove(folder.path("in/pipe.csv"));
  Source second(folder, kFolder);
  ASSERT_TRUE(second.open(source.committed).is_ok());
  second.run();
  EXPECT_THAT(second.rows, ElementsAre("1|back"));
  EXPECT_THAT(second.rejects, IsEmpty());
  EXPECT_THAT(second.left_out, ElementsAre(Key("dangling.csv"), Key("self.csv")));
  const auto marked = [](const auto& position) { return position.first == "left:gone.csv"; };
  testing::merge(source.committed, second.committed);
  EXPECT_TRUE(std::any_of(source.committed.begin(), source.committed.end(), marked));
}

/// Root may read everything: what has no rights is tried as nobody.
class AsNobody {
 public:
  AsNobody() {
    if (was_ == 0 && ::seteuid(65534) != 0) ADD_FAILURE() << "cannot become nobody";
  }
  ~AsNobody() {
    if (was_ == 0 && ::seteuid(0) != 0) std::abort();
  }

 private:
  uid_t was_ = ::geteuid();
};

TEST(FileFolder, WhatMayNotBeReadKeepsNothingElseFromBeingRead) {
  TemporaryFolder folder;
  folder.write("in/a.csv", "a\n1\n");
  folder.write("in/locked.csv", "a\n2\n");
  folder.write("in/sub/b.csv", "a\n3\n");
  fs::permissions(folder.path(), fs::perms(0755));
  fs::permissions(folder.path("in/locked.csv"), fs::perms::none);
  fs::permissions(folder.path("in/sub"), fs::perms::none);
  Source source(folder, kFolder);
  {
    const AsNobody nobody;
    ASSERT_TRUE(source.open().is_ok());
    EXPECT_EQ(source.run(), ReadResult::kEnd);
  }
  fs::permissions(folder.path("in/sub"), fs::perms::owner_all);
  EXPECT_THAT(source.rows, ElementsAre("1|1"));
  EXPECT_THAT(source.left_out, ElementsAre(Key("locked.csv"), Key("sub")));
  EXPECT_THAT(source.rejects, ElementsAre("0!E808_NOT_READ!", "0!E808_NOT_READ!"));
}

TEST(FileFolder, LinkedFoldersAreReadOnce) {
  TemporaryFolder folder;
  folder.write("in/real/r.csv", "a\n1\n");
  folder.write("elsewhere/e.csv", "a\n2\n");
  fs::create_directory_symlink("real", folder.path("in/another"));
  fs::create_directory_symlink(".", folder.path("in/loop"));
  fs::create_directory_symlink(folder.path("elsewhere"), folder.path("in/el"));
  fs::create_symlink("real/r.csv", folder.path("in/again.csv"));
  Source source(folder, kFolder);
  ASSERT_TRUE(source.open().is_ok());
  source.run();
  EXPECT_THAT(source.partitions, UnorderedElementsAre("el/e.csv", "real/r.csv"));
  EXPECT_THAT(source.rejects, IsEmpty());
}

TEST(FileFolder, ANameThatNoPatternFitsIsRefusedIfAsked) {
  TemporaryFolder folder;
  folder.write("in/1_a.csv", "a\n1\n");
  folder.write("in/other.csv", "a\n2\n");
  folder.write("in/notes.txt", "nothing\n");
  for (const bool refuse : {false, true}) {
    Source source(folder, "{path: in, pattern: '1_*', ignore: '*.txt', fields: [a]" +
                              std::string(refuse ? ", unclaimed: reject}" : "}"));
    ASSERT_TRUE(source.open().is_ok());
    source.run();
    EXPECT_THAT(source.rows, ElementsAre("1|1"));
    EXPECT_EQ(source.rejects, refuse ? std::vector<std::string>{"0!E810_UNCLAIMED_FILE!"}
                                     : std::vector<std::string>{});
    EXPECT_THAT(source.left_out, IsEmpty());
  }
}

TEST(FileFolder, TheCaseOfANameDoesNotCount) {
  TemporaryFolder folder;
  folder.write("in/A_1.CSV", "x\n1\n");
  folder.write("in/Deep/a_2.Csv", "x\n2\n");
  folder.write("in/NOTES.TXT", "nothing\n");
  Source source(folder,
                "{path: in, pattern: ['*.csv', 'deep/*.csv', '*.txt'], ignore: 'notes.*',"
                " fields: [a], mappings: [{match: 'a_*.csv', columns: {x: a}}]}");
  ASSERT_TRUE(source.open().is_ok());
  source.run();
  EXPECT_THAT(source.rows, ElementsAre("1|1", "1|2"));
  EXPECT_THAT(source.rejects, IsEmpty());
}

TEST(FileFolder, AFileIsCompleteWithItsMarkerAndWithoutTheNameOfACopyInTransfer) {
  TemporaryFolder folder;
  folder.write("in/a.csv", "a\n1\n");
  folder.write("in/a.csv.ok", "");
  folder.write("in/b.csv", "a\n2\n");
  Source marked(folder, "{path: in, marker: .ok, fields: [a]}");
  ASSERT_TRUE(marked.open().is_ok());
  marked.run();
  EXPECT_THAT(marked.rows, ElementsAre("1|1"));
  EXPECT_THAT(marked.left_out, ElementsAre(Key("b.csv")));
  EXPECT_THAT(marked.rejects, IsEmpty());

  folder.write("on/c.csv.filepart", "a\n3\n");
  Source source(folder, "{path: on, fields: [a]}");
  ASSERT_TRUE(source.open().is_ok());
  source.run();
  EXPECT_THAT(source.rows, IsEmpty());
  EXPECT_THAT(source.left_out, ElementsAre(Key("c.csv.filepart")));
}

/// What is read of a folder at the next start.
Source& go_on(Source& next, const testing::Positions& before) {
  EXPECT_TRUE(next.open(before).is_ok());
  next.committed = before;
  next.run();
  return next;
}

TEST(FileIdentity, TheSameBytesUnderAnotherMappingAreAnotherDelivery) {
  TemporaryFolder folder;
  const std::string config =
      "{path: in, fields: [a, code], mappings: [{match: 'A_*', set: {code: A}}, "
      "{match: 'B_*', set: {code: B}}]}";
  folder.write("in/A_x.csv", "a\n1\n");
  Source first(folder, config);
  go_on(first, {});
  fs::rename(folder.path("in/A_x.csv"), folder.path("in/B_x.csv"));
  Source second(folder, config);
  go_on(second, first.committed);
  EXPECT_THAT(second.rows, ElementsAre("1|1|B"));
  EXPECT_NE(first.ids, second.ids);
  Source third(folder, config);
  go_on(third, second.committed);
  EXPECT_THAT(third.rows, IsEmpty());
  EXPECT_THAT(third.rejects, IsEmpty());
}

TEST(FileIdentity, ASecondDeliveryIsReportedOnceAndARenamedFileIsNone) {
  TemporaryFolder folder;
  folder.write("in/a.csv", "a\n1\n");
  Source first(folder, kFolder);
  go_on(first, {});
  fs::rename(folder.path("in/a.csv"), folder.path("in/b.csv"));
  Source renamed(folder, kFolder);
  go_on(renamed, first.committed);
  EXPECT_THAT(renamed.rejects, IsEmpty());
  folder.write("in/c.csv", "a\n1\n");
  Source second(folder, kFolder);
  go_on(second, renamed.committed);
  EXPECT_THAT(second.rows, IsEmpty());
  EXPECT_THAT(second.rejects, ElementsAre("0!E809_DELIVERED_AGAIN!"));
  Source third(folder, kFolder);
  go_on(third, second.committed);
  EXPECT_THAT(third.rejects, IsEmpty());
}

TEST(FileIdentity, AFileThatGrewIsReadOnBehindWhatWasRead) {
  TemporaryFolder folder;
  folder.write("in/a.csv", "a,n\n1,x\n2,y");
  const std::string config = "{path: in, fields: [a, n]}";
  Source first(folder, config);
  go_on(first, {});
  EXPECT_THAT(first.rows, ElementsAre("1|1|x", "2|2|y"));
  folder.write("in/a.csv", "a,n\n1,x\n2,y\n3,z\n");
  Source second(folder, config);
  go_on(second, first.committed);
  EXPECT_THAT(second.rows, ElementsAre("3|3|z"));
  EXPECT_THAT(second.rejects, IsEmpty());
  // Known by what it is now, too.
  fs::rename(folder.path("in/a.csv"), folder.path("in/b.csv"));
  Source third(folder, config);
  go_on(third, second.committed);
  EXPECT_THAT(third.rows, IsEmpty());
  // Other content is another delivery.
  folder.write("in/b.csv", "a,n\n9,x\n2,y\n3,z\n4,z\n");
  Source fourth(folder, config);
  go_on(fourth, third.committed);
  EXPECT_THAT(fourth.rows, ElementsAre("1|9|x", "2|2|y", "3|3|z", "4|4|z"));
}

TEST(FileIdentity, ARowThatWasReadBeforeItWasWholeIsReported) {
  TemporaryFolder folder;
  folder.write("in/a.csv", "a,n\n1,100\n2,2");
  const std::string config = "{path: in, fields: [a, n]}";
  Source first(folder, config);
  go_on(first, {});
  folder.write("in/a.csv", "a,n\n1,100\n2,250\n3,300\n");
  Source second(folder, config);
  go_on(second, first.committed);
  EXPECT_THAT(second.rows, ElementsAre("3|3|300"));
  EXPECT_THAT(second.rejects, ElementsAre("2!E813_HALF_ROW!"));
}

TEST(FileIdentity, WatchedFilesWithAHalfLineAreNotReadYet) {
  TemporaryFolder folder;
  folder.write("in/a.csv", "a,n\n1,100\n2,2");
  Source source(folder, "{path: in, watch: true, poll: 1s, last_line: 60s, fields: [a, n]}");
  // The harness's clock is far ahead of the file's: only a file of now is young.
  fs::last_write_time(folder.path("in/a.csv"),
                      fs::file_time_type::clock::now() + std::chrono::seconds(2'231'000'000));
  ASSERT_TRUE(source.open().is_ok());
  source.pass(2000);
  EXPECT_EQ(source.run(), ReadResult::kIdle);
  EXPECT_THAT(source.rows, IsEmpty());
  folder.write("in/a.csv", "a,n\n1,100\n2,250\n");
  source.pass(2000);
  source.run();
  source.pass(2000);
  source.run();
  EXPECT_THAT(source.rows, ElementsAre("1|1|100", "2|2|250"));
}

TEST(FileIdentity, AFileThatGrewAfterItWasReplacedByAShorterOneIsReadOn) {
  TemporaryFolder folder;
  folder.write("in/a.csv", "a\n1\n2\n3\n4\n5\n");
  Source first(folder, kFolder);
  go_on(first, {});
  folder.write("in/a.csv", "a\n8\n");
  Source second(folder, kFolder);
  go_on(second, first.committed);
  EXPECT_THAT(second.rows, ElementsAre("1|8"));
  folder.write("in/a.csv", "a\n8\n9\n");
  Source third(folder, kFolder);
  go_on(third, second.committed);
  EXPECT_THAT(third.rows, ElementsAre("2|9"));
}

TEST(FileIdentity, ARenamedFileThatGrewIsReadOn) {
  TemporaryFolder folder;
  folder.write("in/a.csv", "a\n1\n");
  Source first(folder, kFolder);
  go_on(first, {});
  fs::rename(folder.path("in/a.csv"), folder.path("in/b.csv"));
  Source second(folder, kFolder);
  go_on(second, first.committed);
  folder.write("in/b.csv", "a\n1\n2\n");
  Source third(folder, kFolder);
  go_on(third, second.committed);
  EXPECT_THAT(third.rows, ElementsAre("2|2"));
}

// Nothing of a file is forgotten when it is gone (docs/guides/files.md, "Many files").
TEST(FileIdentity, WhatIsGoneForLongIsKnownWhenItComesBack) {
  constexpr std::int64_t kYearMs = 366LL * 24 * 3600 * 1000;
  TemporaryFolder folder;
  folder.write("in/a.csv", "a\n1\n");
  folder.write("in/b.csv", "a\n2\n");
  Source source(folder, "{path: in, watch: true, poll: 1s, fields: [a]}");
  ASSERT_TRUE(source.open().is_ok());
  const auto look = [&source](std::int64_t after_ms) {
    source.pass(after_ms);
    source.run();
    source.pass(2000);
    source.run();
  };
  look(2000);
  EXPECT_THAT(source.rows, ElementsAre("1|1", "1|2"));
  fs::rename(folder.path("in/a.csv"), folder.path("a.csv"));
  look(kYearMs);
  fs::rename(folder.path("in"), folder.path("unmounted"));
  look(kYearMs);
  fs::rename(folder.path("unmounted"), folder.path("in"));
  folder.write("in/again.csv", "a\n1\n");
  look(kYearMs);
  EXPECT_THAT(source.rows, ElementsAre("1|1", "1|2"));
  EXPECT_THAT(source.rejects, ElementsAre("0!E809_DELIVERED_AGAIN!"));
}

TEST(FileFolder, ALinkInAnEarlierFolderChangesNoName) {
  TemporaryFolder folder;
  folder.write("in/real/r.csv", "a\n1\n");
  Source first(folder, kFolder);
  go_on(first, {});
  fs::create_directories(folder.path("in/early"));
  fs::create_directory_symlink("../real", folder.path("in/early/link"));
  Source second(folder, kFolder);
  go_on(second, first.committed);
  EXPECT_THAT(second.rejects, IsEmpty());
  Source all(folder, kFolder);
  go_on(all, {});
  EXPECT_THAT(all.partitions, ElementsAre("real/r.csv"));
}

TEST(FileFolder, WhatIsThereNoMoreIsLeftOutNoMore) {
  TemporaryFolder folder;
  folder.write("in/a.csv.part", "a\n1\n");
  fs::create_symlink("nothing", folder.path("in/dangling.csv"));
  Source source(folder, "{path: in, watch: true, poll: 1s, fields: [a]}");
  ASSERT_TRUE(source.open().is_ok());
  source.run();
  EXPECT_THAT(source.left_out, ElementsAre(Key("a.csv.part"), Key("dangling.csv")));
  fs::rename(folder.path("in/a.csv.part"), folder.path("in/a.csv"));
  fs::remove(folder.path("in/dangling.csv"));
  source.pass(2000);
  source.run();
  EXPECT_THAT(source.rows, ElementsAre("1|1"));
  EXPECT_THAT(source.left_out, IsEmpty());
}

TEST(FileFolder, NamesInAnyBytesAreTextInTheOutputs) {
  TemporaryFolder folder;
  folder.write("in/\xD6\xD0.csv", "a\n1\n");
  folder.write("in/b\xFF.csv", "a\n2\n");
  folder.write("in/c\n left:c d.csv", "a\n3\n");
  Source first(folder, kFolder);
  go_on(first, {});
  EXPECT_THAT(first.partitions,
              UnorderedElementsAre("\u4E2D.csv", "b\\xFF.csv", "c\n left:c d.csv"));
  Source second(folder, kFolder);
  go_on(second, first.committed);
  EXPECT_THAT(second.rows, IsEmpty());
}

TEST(FileFolder, FilesOfOneNameInTheFoldersOfAGlobAreToldApart) {
  TemporaryFolder folder;
  for (const char* sub : {"x", "y"}) {
    fs::create_directories(folder.path(std::string("in/") + sub));
    fs::create_symlink("nothing", folder.path(std::string("in/") + sub + "/a.csv"));
    folder.write(std::string("in/") + sub + "/b.csv", std::string("a\n") + sub + "\n");
  }
  Source source(folder, "{path: 'in/*/*.csv', fields: [a]}");
  go_on(source, {});
  EXPECT_THAT(source.partitions, UnorderedElementsAre("x/a.csv", "y/a.csv", "x/b.csv", "y/b.csv"));
  EXPECT_THAT(source.rejects, ::testing::SizeIs(2));
}

TEST(FileFolder, ACopyInTransferIsJudgedByTheNameItWillHave) {
  TemporaryFolder folder;
  folder.write("in/a.csv.part", "a\n1\n");
  folder.write("in/notes.doc.part", "nothing\n");
  Source source(folder, "{path: in, pattern: '*.csv', unclaimed: reject, fields: [a]}");
  go_on(source, {});
  EXPECT_THAT(source.left_out, ElementsAre(Key("a.csv.part")));
  EXPECT_THAT(source.partitions, ElementsAre("notes.doc.part"));
}

TEST(FileIdentity, AUtf16FileThatGrewIsReadOn) {
  TemporaryFolder folder;
  const auto utf16 = [](const std::string& text) {
    std::string bytes = "\xFF\xFE";
    for (const char c : text) bytes += {c, '\0'};
    return bytes;
  };
  folder.write("in/a.csv", utf16("a\n1\n2\n"));
  Source first(folder, kFolder);
  go_on(first, {});
  EXPECT_THAT(first.rows, ElementsAre("1|1", "2|2"));
  folder.write("in/a.csv", utf16("a\n1\n2\n3\n"));
  Source second(folder, kFolder);
  go_on(second, first.committed);
  EXPECT_THAT(second.rows, ElementsAre("3|3"));
}

TEST(FileFolder, AFileThatChangedAfterTheLookWaitsAgain) {
  TemporaryFolder folder;
  folder.write("in/a.csv", "a\n1\n");
  Source source(folder, "{path: in, watch: true, poll: 1s, fields: [a]}");
  ASSERT_TRUE(source.open().is_ok());
  folder.write("in/a.csv", "a\n1\n2");
  EXPECT_EQ(source.run(), ReadResult::kIdle);
  EXPECT_THAT(source.rows, IsEmpty());
}

}  // namespace
}  // namespace huiliu::connectors
