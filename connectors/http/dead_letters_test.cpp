#include "connectors/http/dead_letters.h"

#include <fstream>

#include <gtest/gtest.h>

#include "connectors/testing.h"

namespace huiliu::connectors {
namespace {

using testing::TemporaryFolder;

bool add(DeadLetters& letters, std::uint64_t sequence, std::size_t index) {
  bool added = false;
  const std::string batch = "t.s." + std::to_string(sequence) + ".0.ff";
  EXPECT_TRUE(
      letters.add({"{\"id\":1}", "late", "\"so\"", sequence, batch, index}, 5, added).is_ok());
  EXPECT_TRUE(letters.sync().is_ok());
  return added;
}

TEST(DeadLettersTest, WhatIsThereIsNotWrittenAgain) {
  const TemporaryFolder folder;
  const std::string path = folder.path("out/dead.ndjson");
  {
    DeadLetters letters;
    ASSERT_TRUE(letters.open(path, 0).is_ok());
    EXPECT_TRUE(add(letters, 1, 0));
    EXPECT_TRUE(add(letters, 2, 0));
    EXPECT_FALSE(add(letters, 2, 0));
  }
  const std::string before = folder.read("out/dead.ndjson");
  EXPECT_TRUE(before.starts_with(
      "{\"time\":5,\"sequence\":1,\"batch\":\"t.s.1.0.ff\",\"index\":0,\"code\":\"late\","
      "\"message\":\"\\\"so\\\"\",\"row\":{\"id\":1}}\n"));
  DeadLetters again;
  ASSERT_TRUE(again.open(path, 1).is_ok());
  EXPECT_FALSE(add(again, 2, 0)) << "an entry that is delivered again";
  EXPECT_EQ(folder.read("out/dead.ndjson"), before);
  EXPECT_TRUE(add(again, 2, 1));
}

TEST(DeadLettersTest, HalfALineOfACrashIsCutOff) {
  const TemporaryFolder folder;
  folder.write("dead.ndjson", "{\"sequence\":1,\"batch\":\"t.s.1.0.ff\",\"index\":0}\n{\"seq");
  DeadLetters letters;
  ASSERT_TRUE(letters.open(folder.path("dead.ndjson"), 0).is_ok());
  EXPECT_FALSE(add(letters, 1, 0));
  EXPECT_TRUE(add(letters, 1, 1));
  EXPECT_EQ(folder.read("dead.ndjson").find("{\"seq{"), std::string::npos);
}

}  // namespace
}  // namespace huiliu::connectors
