#include "cli/man_page.h"

#include <regex>

#include <CLI/CLI.hpp>
#include <gmock/gmock.h>

#include "cli/command.h"

namespace huiliu::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ManPageTest, HasEachCommandWithItsOptionsAndEachType) {
  int exit_code = 0;
  CLI::App app("", "huiliu");
  add_commands(app, exit_code);
  const std::string page = man_page(app, runtime::Registry::linked());
  for (const CLI::App* command : app.get_subcommands({})) {
    const std::string name = std::regex_replace(command->get_name(), std::regex("-"), "\\-");
    EXPECT_THAT(page, HasSubstr(".SS huiliu " + name + "\n"));
  }
  EXPECT_THAT(page, HasSubstr("\n\\fB\\-\\-listen TEXT\\fR\n"));
  EXPECT_THAT(page, HasSubstr("\n\\fBdedupe\\fR\n"));
  EXPECT_THAT(page, HasSubstr("130 stopped by a signal."));
}

TEST(ManPageTest, WordsAreNoRequests) {
  CLI::App app(".so /etc/passwd\n'a \\b", "huiliu");
  const std::string page = man_page(app, {});
  EXPECT_THAT(page, HasSubstr("\n\\&.so /etc/passwd\n\\&'a \\eb\n"));
  EXPECT_THAT(page, Not(HasSubstr("\n.so")));
}

}  // namespace
}  // namespace huiliu::cli
