#include <filesystem>
#include <map>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "runtime/record/key.h"
#include "state/epoch_store.h"
#include "state/table.h"

namespace huiliu::state {
namespace {

class FiguresTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / fmt::format("huiliu-figures-{}", ::getpid());
    std::filesystem::remove_all(folder_);
    StoreOptions options;
    options.memory_bytes = 1000;  // every epoch writes the rows out
    options.synchronous_flush = true;
    options.identity = "test";
    store_ = std::move(EpochStore::open(folder_.string(), options).value());
  }
  void TearDown() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  void commit(Table& table) {
    const std::uint64_t epoch = store_->last_epoch() + 1;
    const Changes changes = table.freeze_epoch(epoch);
    ASSERT_TRUE(store_->commit({epoch, {&changes}, {}, {}, {}}).is_ok());
  }
  /// By name, and by what answered for lookups.
  std::map<std::string, double> of_table(const std::string& table) const {
    std::map<std::string, double> values;
    for (const runtime::Figure& figure : store_->figures()) {
      if (figure.labels.empty() || figure.labels[0].second != table) continue;
      values[figure.name + (figure.labels.size() > 1 ? " " + figure.labels[1].second : "")] =
          figure.value;
    }
    return values;
  }
  static std::uint64_t hash(std::string_view key) { return runtime::KeyBuilder::hash_bytes(key); }

  std::filesystem::path folder_;
  std::unique_ptr<EpochStore> store_;
};

TEST_F(FiguresTest, PartsOfATableCountTogetherByWhatAnswered) {
  Table* first = store_->table("t", {0}).value();
  Table* second = store_->table("t", {1}).value();
  for (int i = 0; i < 100; ++i) {
    const std::string key = fmt::format("key-{}", i);
    (i % 2 == 0 ? first : second)->put(static_cast<std::uint16_t>(i % 2), key, hash(key), "value");
  }
  EXPECT_TRUE(first->get(0, "key-0", hash("key-0")));
  commit(*first);
  commit(*first);  // what was written is no longer in memory
  EXPECT_TRUE(first->get(0, "key-0", hash("key-0")));
  EXPECT_FALSE(first->get(0, "none", hash("none")));
  EXPECT_TRUE(second->get(1, "key-1", hash("key-1")));
  commit(*second);
  const auto values = of_table("t");
  EXPECT_EQ(values.at("table_lookups_total memory"), 2);
  EXPECT_EQ(values.at("table_lookups_total disk"), 1);
  EXPECT_EQ(values.at("table_lookups_total filter"), 1);
  EXPECT_EQ(values.at("table_flushes_total"), 2);
  EXPECT_GT(values.at("table_filter_bytes"), 0);
  EXPECT_GT(values.at("table_disk_rows"), 0);
  EXPECT_GT(values.at("table_disk_bytes"), 0);
  EXPECT_EQ(of_table("other").size(), 0u);
}

}  // namespace
}  // namespace huiliu::state
