#include "runtime/topology/topology.h"

#include <thread>

#include <gtest/gtest.h>

namespace huiliu::runtime {
namespace {

Topology build(const std::string& settings, Diagnostics& diagnostics) {
  const Registry registry;
  const Config config =
      parse_config("topology: t\nsources: {}\nsinks: {}\n" + settings, "t.yaml", diagnostics);
  return build_topology(config, "t.yaml", registry, diagnostics);
}

TEST(TopologyTest, ParallelismIsANumberOrAsManyThreadsAsTheMachineRuns) {
  Diagnostics diagnostics;
  EXPECT_EQ(build("", diagnostics).parallelism, 1u);
  EXPECT_EQ(build("parallelism: 7\n", diagnostics).parallelism, 7u);
  EXPECT_EQ(build("parallelism: auto\n", diagnostics).parallelism,
            std::max(1u, std::thread::hardware_concurrency()));
  EXPECT_FALSE(diagnostics.has_errors()) << diagnostics.to_string();
}

TEST(TopologyTest, AnIdIsPartOfOtherNames) {
  for (const char* id : {"公共信用", "a/b", "a b", "''"}) {
    Diagnostics diagnostics;
    const Config config =
        parse_config(std::string("sources: {}\nsinks: {}\ntopology: ") + id, "t.yaml", diagnostics);
    build_topology(config, "t.yaml", Registry(), diagnostics);
    EXPECT_NE(diagnostics.to_string().find("t.yaml:3:11: error: '"), std::string::npos)
        << id << diagnostics.to_string();
  }
  EXPECT_TRUE(is_id("city-1.credit_v2"));
  EXPECT_FALSE(is_id(std::string(129, 'a')));
}

TEST(TopologyTest, AnIncludeIsATagAndNoKey) {
  Diagnostics diagnostics;
  build("include: other.yaml\n", diagnostics);
  EXPECT_NE(diagnostics.to_string().find("t.yaml:4:1: error: there is no option 'include'"),
            std::string::npos)
      << diagnostics.to_string();
}

TEST(TopologyTest, AMissingLibraryIsReportedWhereItIsNamed) {
  Diagnostics diagnostics;
  build("libraries: [lib/none.so]\n", diagnostics);
  EXPECT_NE(
      diagnostics.to_string().find("t.yaml:4:13: error: cannot use the library 'lib/none.so'"),
      std::string::npos)
      << diagnostics.to_string();
}

}  // namespace
}  // namespace huiliu::runtime
