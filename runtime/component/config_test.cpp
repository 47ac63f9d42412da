#include "runtime/component/config.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

namespace huiliu::runtime {
namespace {

class ConfigTest : public testing::Test {
 protected:
  ConfigTest() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "huiliu-config-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~ConfigTest() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }
  Config parse(const std::string& text) { return parse_config(text, "a.yaml", diagnostics_); }

  std::filesystem::path folder_;
  Diagnostics diagnostics_;
};

TEST_F(ConfigTest, GivesPlacesFromOne) {
  const Config config = parse("a: 1\nb:\n  c: [x, y]\n");
  EXPECT_EQ(config["a"].place().line, 1);
  EXPECT_EQ(config["a"].place().column, 4);
  EXPECT_EQ(config["b"]["c"].items()[1].place().line, 3);
  EXPECT_EQ(config["b"].key_place("c").column, 3);
}

TEST_F(ConfigTest, ReportsSyntaxErrorsWithTheirPlace) {
  const Config config = parse("a: 1\nb: [1, 2\n");
  EXPECT_TRUE(config.is_null());
  ASSERT_EQ(diagnostics_.errors(), 1u);
  EXPECT_TRUE(diagnostics_.to_string().starts_with("a.yaml:")) << diagnostics_.to_string();
}

TEST_F(ConfigTest, AMapTakesOverWhatItDoesNotHaveItself) {
  write("more.yaml", "b: 9\nc: 3\n");
  const std::string text =
      "base: &base {a: 1, b: 2}\none: {<<: *base, a: 5}\nall:\n  <<: "
      "[*base, !include more.yaml]\n";
  const Config config = load_config(write("t.yaml", text), diagnostics_);
  EXPECT_FALSE(diagnostics_.has_errors()) << diagnostics_.to_string();
  EXPECT_EQ(config["one"]["a"].text(), "5");
  EXPECT_EQ(config["one"]["b"].text(), "2");
  EXPECT_EQ(config["all"]["b"].text(), "2");
  EXPECT_EQ(config["all"]["c"].place().line, 2);
  EXPECT_TRUE(config["all"]["c"].place().file.ends_with("more.yaml"));
}

TEST_F(ConfigTest, RefusesAKeyThatIsThereTwice) {
  parse("a: 1\na: 2\n");
  EXPECT_EQ(diagnostics_.to_string(),
            "a.yaml:2:1: error: the key 'a' is there twice (first in line 1)\n");
}

TEST_F(ConfigTest, RefusesAKeyThatIsThereTwiceThoughTheFirstIsNull) {
  parse("a:\na: 2\n");
  EXPECT_EQ(diagnostics_.errors(), 1u);
}

TEST_F(ConfigTest, ReplacesVariables) {
  ::setenv("HUILIU_CONFIG_TEST", "value", 1);
  const Config config =
      parse("a: x${HUILIU_CONFIG_TEST}y\nb: ${HUILIU_NONE:-fallback}\nc: $${HOME}\n");
  EXPECT_EQ(config["a"].text(), "xvaluey");
  EXPECT_EQ(config["b"].text(), "fallback");
  EXPECT_EQ(config["c"].text(), "${HOME}");
  EXPECT_FALSE(config["a"].secret());
}

TEST_F(ConfigTest, ReportsAMissingVariable) {
  parse("a: ${HUILIU_NONE}\n");
  EXPECT_EQ(diagnostics_.to_string(),
            "a.yaml:1:4: error: the environment has no variable 'HUILIU_NONE' "
            "(set it, or give a default: ${HUILIU_NONE:-value})\n");
}

TEST_F(ConfigTest, ReadsSecretsFromFilesWithoutTheLastNewline) {
  write("password", "geheim\n");
  const std::string path = write("a.yaml", "a: ${file:password}\n");
  const Config config = load_config(path, diagnostics_);
  EXPECT_EQ(config["a"].text(), "geheim");
  EXPECT_TRUE(config["a"].secret());
}

TEST_F(ConfigTest, IncludesRelativeToTheFile) {
  write("b.yaml", "x: 1\n");
  const Config config = load_config(write("a.yaml", "b: !include b.yaml\n"), diagnostics_);
  EXPECT_EQ(config["b"]["x"].as_int(), 1);
  EXPECT_TRUE(config["b"]["x"].place().file.ends_with("b.yaml"));
}

TEST_F(ConfigTest, RefusesAnIncludeOfItself) {
  write("b.yaml", "x: !include a.yaml\n");
  load_config(write("a.yaml", "b: !include b.yaml\n"), diagnostics_);
  EXPECT_EQ(diagnostics_.errors(), 1u);
}

TEST_F(ConfigTest, BoundsDepthAndAliases) {
  parse(std::string(100, '[') + std::string(100, ']'));
  EXPECT_EQ(diagnostics_.errors(), 1u);
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int k = 1; k < 10; ++k) laughs += ", " + before;
    laughs += "]\n";
  }
  parse(laughs);
  EXPECT_EQ(diagnostics_.errors(), 2u);
}

TEST(ConfigUnits, ReadsDurationsAndSizes) {
  EXPECT_EQ(parse_duration("5m")->count(), 300'000);
  EXPECT_FALSE(parse_duration("5"));
  EXPECT_FALSE(parse_duration("-5s"));
  EXPECT_EQ(parse_size("64MiB"), 64u << 20);
  EXPECT_EQ(parse_size("10k"), 10'000u);
  EXPECT_FALSE(parse_size("ten"));
}

TEST_F(ConfigTest, IncludesWithinIncludesAreBounded) {
  for (int i = 1; i < 80; ++i) {
    write(std::to_string(i) + ".yaml", "a: !include " + std::to_string(i + 1) + ".yaml\n");
  }
  load_config(write("0.yaml", "a: !include 1.yaml\n"), diagnostics_);
  EXPECT_NE(diagnostics_.to_string().find("more than 64 files include each other"),
            std::string::npos)
      << diagnostics_.to_string();
}

TEST_F(ConfigTest, TextThatEndsNowhereIsAnErrorAndNoEndlessRowOfDocuments) {
  for (const char* text : {"!,", "!,\n!,", "a: !,\n", "---\n---\n"}) {
    Diagnostics diagnostics;
    parse_config(text, "a.yaml", diagnostics);
    EXPECT_LT(diagnostics.all().size(), 3u) << text;
  }
  Diagnostics diagnostics;
  parse_config("a: 1\n---\nb: 2\n", "a.yaml", diagnostics);
  EXPECT_EQ(diagnostics.to_string(),
            "a.yaml:3:1: error: a second document begins here; a file has one (remove the line "
            "'---', or put what follows into a file of its own)\n");
}

}  // namespace
}  // namespace huiliu::runtime
