#include "cli/reference_pages.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace huiliu::cli {
namespace {

TEST(ReferencePages, TheCheckedInPagesAreFresh) {
  std::map<std::string, std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator("docs/reference")) {
    std::ostringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    found[entry.path().filename().string()] = text.str();
  }
  for (const auto& [name, text] : reference_pages(runtime::Registry::linked())) {
    EXPECT_EQ(found[name], text) << "stale: run build/dev/cli/huiliu reference docs/reference";
    found.erase(name);
  }
  for (const auto& [name, text] : found) ADD_FAILURE() << name << " belongs to no type: remove it";
}

}  // namespace
}  // namespace huiliu::cli
