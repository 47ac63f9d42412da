#include "runtime/component/descriptor.h"

#include <gtest/gtest.h>

namespace huiliu::runtime {
namespace {

const std::vector<Option>& options() {
  static const std::vector<Option> options = {
      {.name = "path", .type = OptionType::kPath, .doc = "Where.", .required = true},
      {.name = "size", .type = OptionType::kInt, .default_text = "5", .minimum = 1, .maximum = 9},
      {.name = "mode", .type = OptionType::kEnum, .choices = {"append", "replace"}},
      {.name = "inner",
       .type = OptionType::kObject,
       .members = {{.name = "wait", .type = OptionType::kDuration}}}};
  return options;
}

std::string problems(const std::string& yaml) {
  Diagnostics diagnostics;
  check_config(parse_config(yaml, "a.yaml", diagnostics), options(), {"type"}, diagnostics);
  return diagnostics.to_string();
}

TEST(CheckConfig, AcceptsWhatTheOptionsSay) {
  EXPECT_EQ(problems("type: x\npath: p\nsize: 9\nmode: append\ninner: {wait: 5s}\n"), "");
}

TEST(CheckConfig, NamesTheNearestOption) {
  EXPECT_EQ(problems("path: p\nsiez: 3\n"),
            "a.yaml:2:1: error: there is no option 'siez' (did you mean 'size'?)\n");
}

TEST(CheckConfig, NamesWhatAnOptionIsCalledNow) {
  Diagnostics diagnostics;
  check_config(parse_config("lateness: 3\n", "a.yaml", diagnostics),
               {{.name = "out_of_orderness", .formerly = "lateness"}}, {}, diagnostics);
  EXPECT_EQ(diagnostics.to_string(),
            "a.yaml:1:1: error: there is no option 'lateness' (it is called 'out_of_orderness' "
            "now)\n");
}

TEST(CheckConfig, ReportsWhatIsMissing) {
  EXPECT_EQ(problems("size: 3\n"), "a.yaml:1:1: error: the option 'path' is missing (Where.)\n");
}

TEST(CheckConfig, ChecksTypesBoundsAndChoices) {
  EXPECT_EQ(problems("path: p\nsize: many\n"),
            "a.yaml:2:7: error: 'size' expects a whole number\n");
  EXPECT_EQ(problems("path: p\nsize: 10\n"), "a.yaml:2:7: error: 'size' expects at most 9\n");
  EXPECT_EQ(problems("path: p\nmode: apend\n"),
            "a.yaml:2:7: error: 'mode' expects one of append, replace (did you mean 'append'?)\n");
}

TEST(CheckConfig, TakesAWordForANumberWhereTheOptionHasOne) {
  const std::vector<Option> threads = {
      {.name = "threads", .type = OptionType::kInt, .choices = {"auto"}, .minimum = 1}};
  const auto found = [&threads](const std::string& yaml) {
    Diagnostics diagnostics;
    check_config(parse_config(yaml, "a.yaml", diagnostics), threads, {}, diagnostics);
    return diagnostics.to_string();
  };
  EXPECT_EQ(found("threads: auto"), "");
  EXPECT_EQ(found("threads: 2"), "");
  EXPECT_EQ(found("threads: all"),
            "a.yaml:1:10: error: 'threads' expects a whole number or auto\n");
  EXPECT_EQ(found("threads: 0"), "a.yaml:1:10: error: 'threads' expects at least 1\n");
}

TEST(CheckConfig, ChecksNestedMembers) {
  EXPECT_EQ(problems("path: p\ninner: {wait: soon}\n"),
            "a.yaml:2:15: error: 'wait' expects a duration such as 10ms, 1s, 5m, 2h, 7d\n");
}

TEST(WithDefaults, AddsOnlyWhatIsAbsent) {
  Diagnostics diagnostics;
  const Config config = parse_config("path: p\n", "a.yaml", diagnostics);
  const Config full = with_defaults(config, options());
  EXPECT_EQ(full["size"].as_int(), 5);
  EXPECT_FALSE(full.has("mode"));
}

}  // namespace
}  // namespace huiliu::runtime
