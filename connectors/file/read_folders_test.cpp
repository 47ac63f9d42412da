#include "runtime/topology/read_folders.h"

#include <gmock/gmock.h>

#include "connectors/testing.h"
#include "runtime/component/registry.h"

namespace huiliu::connectors {
namespace {

using testing::config_of;
using ::testing::HasSubstr;
using testing::TemporaryFolder;

/// What validation says of a source and a sink with these options, and a state at `state`.
std::string problems(const TemporaryFolder& folder, const std::string& source,
                     const std::string& sink, const std::string& state = "elsewhere/state") {
  runtime::Diagnostics diagnostics;
  runtime::build_topology(
      config_of("topology: t\nrejects: out\nstate: {path: " + state +
                "}\nsources: {in: {type: file, fields: [a], " + source +
                "}}\nsinks: {out: {type: file, input: in, path: " + sink + "}}\n"),
      folder.path("t.yaml"), runtime::Registry::linked(), diagnostics);
  return diagnostics.to_string();
}

TEST(ReadFolders, WhatIsWrittenMustNotLieWhereASourceReads) {
  TemporaryFolder folder;
  std::filesystem::create_directories(folder.path("in"));
  std::filesystem::create_directory_symlink(folder.path("in"), folder.path("link"));
  const char* const kRefused = "test.yaml:5:44: error: sink 'out' would be written where source";
  EXPECT_EQ(problems(folder, "path: in", "out/o.csv"), "");
  EXPECT_EQ(problems(folder, "path: in", "in2/o.csv"), "");
  EXPECT_THAT(problems(folder, "path: in", "in/o.csv"), HasSubstr(kRefused));
  EXPECT_THAT(problems(folder, "path: in/", "in/deep/../o.csv"), HasSubstr(kRefused));
  EXPECT_THAT(problems(folder, "path: in, watch: true", "link/o.csv"), HasSubstr(kRefused));
  EXPECT_THAT(problems(folder, "path: in/o.csv", "in/o.csv"), HasSubstr(kRefused));
  EXPECT_THAT(problems(folder, "path: 'in/*.csv'", "in/o.csv"), HasSubstr(kRefused));
  EXPECT_EQ(problems(folder, "path: 'in/*.ndjson'", "in/o.csv"), "");
  EXPECT_THAT(problems(folder, "path: in", "out/o.csv", "in/state"),
              HasSubstr("error: the state would be written where source 'in' reads"));
}

TEST(ReadFolders, APatternMayLeaveOutWhatIsWritten) {
  TemporaryFolder folder;
  EXPECT_EQ(problems(folder, "path: ., pattern: '*.csv'", "o.ndjson", "state"), "");
  EXPECT_THAT(problems(folder, "path: ., pattern: '*.csv'", "o.csv"), HasSubstr("own output"));
  EXPECT_THAT(problems(folder, "path: ., pattern: 'out/*'", "out/o.csv"), HasSubstr("own output"));
  EXPECT_THAT(problems(folder, "path: ., pattern: '*.CSV'", "o.csv"), HasSubstr("own output"));
  EXPECT_THAT(problems(folder, "path: ., pattern: '*'", "/tmp/o.csv", "state"),
              HasSubstr("the state would be written"));
}

std::string problems_of_two(const TemporaryFolder& folder, const std::string& first,
                            const std::string& second) {
  runtime::Diagnostics diagnostics;
  runtime::build_topology(
      config_of("topology: t\nrejects: bad\nsources: {in: {type: file, path: in, fields: [a]}}\n"
                "sinks:\n  bad: {type: file, path: bad.ndjson}\n  one: {input: in, " +
                first + "}\n  two: {input: in, " + second + "}\n"),
      folder.path("t.yaml"), runtime::Registry::linked(), diagnostics);
  return diagnostics.to_string();
}

TEST(WrittenPaths, TwoSinksDoNotWriteOneFile) {
  TemporaryFolder folder;
  std::filesystem::create_directories(folder.path("out"));
  std::filesystem::create_directory_symlink(folder.path("out"), folder.path("link"));
  const std::string one = "type: file, path: out/o.csv";
  EXPECT_EQ(problems_of_two(folder, one, "type: file, path: out/p.csv"), "");
  for (const char* same : {"out/o.csv", "out/../out/o.csv", "link/o.csv"}) {
    EXPECT_THAT(problems_of_two(folder, one, std::string("type: file, path: ") + same),
                HasSubstr("like sink 'one': each would destroy rows of the other"))
        << same;
  }
}

}  // namespace
}  // namespace huiliu::connectors
