#include "runtime/base/paths.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

namespace huiliu::runtime {
namespace {

namespace fs = std::filesystem;

class MakeFolder : public testing::Test {
 protected:
  MakeFolder() { fs::create_directories(root_); }
  ~MakeFolder() override { fs::remove_all(root_); }
  std::string at(const std::string& name) const { return (root_ / name).string(); }

  fs::path root_ = fs::temp_directory_path() / ("huiliu-make-folder-" + std::to_string(::getpid()));
};

TEST_F(MakeFolder, MakesWhatIsMissingAboveIt) {
  EXPECT_TRUE(make_folder(at("a/b/c")).is_ok());
  EXPECT_TRUE(fs::is_directory(at("a/b/c")));
  EXPECT_TRUE(make_folder(at("a/b/c")).is_ok());
}

TEST_F(MakeFolder, TakesPathsAsPeopleWriteThem) {
  EXPECT_TRUE(make_folder(at("slash//")).is_ok());
  EXPECT_TRUE(fs::is_directory(at("slash")));
  EXPECT_TRUE(make_folder(at("aside/../dots/./in")).is_ok());
  EXPECT_TRUE(fs::is_directory(at("dots/in")));
  EXPECT_TRUE(make_folder("").is_ok());
  EXPECT_TRUE(make_folder("/").is_ok());
  EXPECT_TRUE(make_folder(".").is_ok());
}

TEST_F(MakeFolder, FollowsALinkToAFolder) {
  fs::create_directories(at("real"));
  fs::create_directory_symlink("real", at("link"));
  EXPECT_TRUE(make_folder(at("link")).is_ok());
  EXPECT_TRUE(make_folder(at("link/in")).is_ok());
  EXPECT_TRUE(fs::is_directory(at("real/in")));
}

TEST_F(MakeFolder, SaysWhatIsInTheWay) {
  std::ofstream(at("file")) << "x";
  EXPECT_FALSE(make_folder(at("file")).is_ok());
  const Status below = make_folder(at("file/in"));
  ASSERT_FALSE(below.is_ok());
  EXPECT_NE(below.message().find("Not a directory"), std::string::npos) << below.message();
}

TEST_F(MakeFolder, OfAPathMakesTheFolderThatThePathLiesIn) {
  EXPECT_TRUE(make_folder_of(at("out/of/today.csv")).is_ok());
  EXPECT_TRUE(fs::is_directory(at("out/of")));
  EXPECT_FALSE(fs::exists(at("out/of/today.csv")));
  EXPECT_TRUE(make_folder_of("today.csv").is_ok());
}

}  // namespace
}  // namespace huiliu::runtime
