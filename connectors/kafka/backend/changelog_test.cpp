#include "connectors/kafka/backend/changelog.h"

#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/record/key.h"
#include "state/epoch_store.h"
#include "state/layout.h"
#include "state/table.h"

namespace huiliu::connectors::kafka {
namespace {

using runtime::KeyBuilder;
using runtime::StatusCode;

std::string key_of(int number) { return "key-" + std::to_string(number); }

std::string blob_of(int rows, std::size_t value_size) {
  std::string blob;
  for (int i = 0; i < rows; ++i) {
    state::append_change(blob, false, key_of(i), std::string(value_size, 'v'));
  }
  return blob;
}

class ChangelogTest : public ::testing::Test {
 protected:
  ChangelogTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "changelog-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    state::StoreOptions options;
    options.synchronous_flush = true;
    store_ = std::move(state::EpochStore::open(folder_, options).value());
    table_ = store_->table("once.seen", {0, 1}).value();
  }
  ~ChangelogTest() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  bool has(int number, std::uint16_t shard = 1) {
    const std::string key = key_of(number);
    return table_->get(shard, key, KeyBuilder::hash_bytes(key)).has_value();
  }

  std::string folder_;
  std::unique_ptr<state::EpochStore> store_;
  state::Table* table_ = nullptr;
};

TEST_F(ChangelogTest, PiecesOfABlobGiveItsRowsInTheirShard) {
  constexpr int kRows = 5000;
  const std::string blob = blob_of(kRows, 200);
  std::string together;
  std::size_t pieces = 0;
  std::uint64_t rows = 0;
  ASSERT_TRUE(split_changes(blob, [&](std::string_view piece) {
                EXPECT_LT(piece.size(), 300'000u);
                together += piece;
                ++pieces;
                rows += apply_record(ChangelogForm::kPacked, *table_, 1, {}, piece).value();
              }).is_ok());
  EXPECT_EQ(together, blob);
  EXPECT_EQ(pieces, 5u);
  EXPECT_EQ(rows, static_cast<std::uint64_t>(kRows));
  for (int i = 0; i < kRows; ++i) ASSERT_TRUE(has(i)) << i;
  EXPECT_FALSE(has(0, 0));
  EXPECT_FALSE(has(kRows));
}

TEST_F(ChangelogTest, ARowThatIsLargerThanAPieceIsOneAlone) {
  std::vector<std::size_t> sizes;
  const std::string blob = blob_of(2, 1 << 20);
  ASSERT_TRUE(
      split_changes(blob, [&](std::string_view piece) { sizes.push_back(piece.size()); }).is_ok());
  EXPECT_EQ(sizes, std::vector<std::size_t>(2, blob.size() / 2));
  EXPECT_TRUE(split_changes({}, [](std::string_view) { FAIL(); }).is_ok());
}

TEST_F(ChangelogTest, LaterRowsOfARecordCount) {
  std::string blob;
  for (int i = 0; i < 20; ++i) {
    state::append_change(blob, false, key_of(7), "old");
    state::append_change(blob, i % 2 == 0, key_of(7), {});
  }
  ASSERT_TRUE(apply_record(ChangelogForm::kPacked, *table_, 0, {}, blob).is_ok());
  EXPECT_TRUE(has(7, 0));
  state::append_change(blob, true, key_of(7), {});
  ASSERT_TRUE(apply_record(ChangelogForm::kPacked, *table_, 0, {}, blob).is_ok());
  EXPECT_FALSE(has(7, 0));
}

TEST_F(ChangelogTest, ADamagedRecordIsAnError) {
  const std::string blob = blob_of(3, 10);
  for (std::size_t size : {blob.size() - 1, std::size_t{1}}) {
    const auto applied = apply_record(ChangelogForm::kPacked, *table_, 0, {}, blob.substr(0, size));
    EXPECT_EQ(applied.status().code(), StatusCode::kCorrupt) << size;
  }
  const auto tombstone = apply_record(ChangelogForm::kPacked, *table_, 0, "key", std::nullopt);
  EXPECT_EQ(tombstone.status().code(), StatusCode::kCorrupt);
  const auto cut = [&] { return split_changes(blob.substr(0, 5), [](std::string_view) {}); };
  EXPECT_EQ(cut().code(), StatusCode::kCorrupt);
}

TEST_F(ChangelogTest, ARowAloneIsPutOrErased) {
  const std::string key = key_of(3);
  ASSERT_EQ(apply_record(ChangelogForm::kRows, *table_, 0, key, "").value(), 1u);
  EXPECT_TRUE(has(3, 0));
  ASSERT_TRUE(apply_record(ChangelogForm::kRows, *table_, 0, key, std::nullopt).is_ok());
  EXPECT_FALSE(has(3, 0));
}

TEST(ChangelogForm, OnlyTablesThatInsertArePackedAndKeptForEver) {
  runtime::TableDeclaration table;
  EXPECT_EQ(form_of(&table), ChangelogForm::kRows);
  EXPECT_EQ(form_of(nullptr), ChangelogForm::kRows);
  table.only_inserts = true;
  ASSERT_EQ(form_of(&table), ChangelogForm::kPacked);
  const auto setting = [](ChangelogForm form, const std::string& name) {
    for (const auto& [key, value] : changelog_topic(form, "t", 4, 1).settings) {
      if (key == name) return value;
    }
    return std::string();
  };
  EXPECT_EQ(setting(ChangelogForm::kRows, "cleanup.policy"), "compact");
  EXPECT_EQ(setting(ChangelogForm::kPacked, "cleanup.policy"), "delete");
  EXPECT_EQ(setting(ChangelogForm::kPacked, "retention.ms"), "-1");
}

}  // namespace
}  // namespace huiliu::connectors::kafka
