#include "state/table_scan.h"

#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "runtime/record/key.h"
#include "state/epoch_store.h"
#include "state/failing_reads.h"

namespace huiliu::state {
namespace {

using Model = std::map<std::pair<std::uint16_t, std::string>, std::string>;
using Rows = std::vector<std::pair<std::pair<std::uint16_t, std::string>, std::string>>;

std::uint64_t hash_of(std::string_view key) { return runtime::KeyBuilder::hash_bytes(key); }

Rows rest_of(TableScan& scan, bool found) {
  Rows rows;
  for (; found; found = scan.next()) {
    rows.push_back({{scan.shard(), std::string(scan.key())}, std::string(scan.value())});
  }
  return rows;
}

class TableScanTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              fmt::format("huiliu-scan-{}-{}", ::getpid(),
                          ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(folder_);
  }
  void TearDown() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  Table* open(std::uint64_t memory, bool inline_flush = true, rocksdb::Env* env = nullptr) {
    store_.reset();
    StoreOptions options;
    options.memory_bytes = memory;
    options.synchronous_flush = inline_flush;
    options.env = env;
    store_ = std::move(EpochStore::open(folder_.string(), options).value());
    // Shards of others lie between those of this part.
    other_ = store_->table("t", {1, 3}).value();
    return store_->table("t", {0, 2, 5}).value();
  }
  void commit(Table& table) {
    const std::uint64_t epoch = store_->last_epoch() + 1;
    const Changes changes = table.freeze_epoch(epoch), others = other_->freeze_epoch(epoch);
    ASSERT_TRUE(store_->commit({epoch, {&changes, &others}, {}, {}, {}}).is_ok());
  }

  std::filesystem::path folder_;
  FailingReads env_{".sst", rocksdb::Status::IOError("as told")};
  std::unique_ptr<EpochStore> store_;
  Table* other_ = nullptr;
};

/// Short keys of few bytes, so that many are others' beginnings; zeros and 0xFF among them.
std::string draw_key(std::mt19937_64& random) {
  static constexpr char kBytes[] = {'\0', 'a', 'b', '\x7F', '\x80', '\xFF'};
  std::string key;
  for (std::uint64_t i = 0, n = random() % 5; i < n; ++i) key += kBytes[random() % sizeof kBytes];
  if (random() % 3 == 0) key += fmt::format("-{:06}", random() % 300);
  return key;
}

Rows rows_behind(const Model& model, std::string_view prefix, std::uint16_t shard,
                 const std::string& from) {
  Rows rows;
  for (auto row = model.lower_bound({shard, from}); row != model.end(); ++row) {
    if (row->first.second.starts_with(prefix)) rows.emplace_back(row->first, row->second);
  }
  return rows;
}

void change(std::mt19937_64& random, Table& table, Table& other, Model& model) {
  constexpr std::uint16_t kShards[] = {0, 2, 5};
  const std::uint16_t shard = kShards[random() % 3];
  const std::string key = draw_key(random);
  if (random() % 3 == 0) {
    table.erase(shard, key, hash_of(key));
    model.erase({shard, key});
    return;
  }
  const std::string value(random() % 40, static_cast<char>('a' + random() % 26));
  table.put(shard, key, hash_of(key), value);
  model[{shard, key}] = value;
  other.put(random() % 2 == 0 ? 1 : 3, key, hash_of(key), "another's");
}

TEST_F(TableScanTest, EqualsAModelThroughFlushesAndRestarts) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    store_.reset();
    std::filesystem::remove_all(folder_);
    std::mt19937_64 random(seed);
    Model model;
    for (int life = 0; life < 3; ++life) {
      // Written out at nearly every epoch, at some, or never.
      constexpr std::uint64_t kMemory[] = {1000, 400'000, 64u << 20};
      Table* table = open(kMemory[random() % 3], random() % 2 == 0);
      for (int step = 0; step < 10; ++step) {
        for (int i = 0; i < 80; ++i) change(random, *table, *other_, model);
        const std::string prefix = random() % 3 == 0 ? "" : draw_key(random).substr(0, 2);
        TableScan scan = table->scan(prefix);
        ASSERT_EQ(rest_of(scan, scan.next()), rows_behind(model, prefix, 0, "")) << seed;
        ASSERT_FALSE(scan.next()) << "the end stays the end";
        const std::string from = draw_key(random);
        const auto shard = static_cast<std::uint16_t>(random() % 7);
        ASSERT_EQ(rest_of(scan, scan.seek(shard, from)), rows_behind(model, prefix, shard, from))
            << seed;
        if (random() % 2 == 0) commit(*table);
      }
      commit(*table);
    }
  }
}

TEST_F(TableScanTest, RowsThatItHasPassedMayBeErased) {
  Table* table = open(1000);
  constexpr int kRows = 3000;
  for (int i = 0; i < kRows; ++i) {
    const std::string key = fmt::format("key-{:05}", i);
    table->put(2, key, hash_of(key), "old");
    if (i == kRows / 2) commit(*table);  // half of them are in RocksDB alone
  }
  int found = 0;
  TableScan scan = table->scan("key");
  while (scan.next()) {
    ASSERT_EQ(scan.key(), fmt::format("key-{:05}", found++));
    const std::string key(scan.key());
    table->erase(2, key, hash_of(key));
    ASSERT_EQ(scan.key(), key);
  }
  EXPECT_EQ(found, kRows);
  EXPECT_FALSE(table->scan("key").next());
}

TEST_F(TableScanTest, SeesRowsThatAreBeingWritten) {
  Table* table = open(1000);
  for (const char* key : {"a", "b", "c"}) table->put(0, key, hash_of(key), "first");
  const Changes changes = table->freeze_epoch(1);  // frozen, but its epoch is not committed
  table->put(0, "b", hash_of("b"), "second");
  table->erase(0, "c", hash_of("c"));
  TableScan scan = table->scan();
  const Rows expected = {{{0, "a"}, "first"}, {{0, "b"}, "second"}};
  EXPECT_EQ(rest_of(scan, scan.next()), expected);
}

TEST_F(TableScanTest, ARowThatCannotBeReadIsNotTheEnd) {
  Table* table = open(1000, true, &env_);
  constexpr std::size_t kRows = 2000;
  for (std::size_t i = 0; i < kRows; ++i) {
    const std::string key = fmt::format("key-{:05}", i);
    table->put(i % 2 == 0 ? 0 : 5, key, hash_of(key), std::string(500, 'v'));
  }
  commit(*table);
  commit(*table);  // what was written is no longer in memory
  ASSERT_GT(store_->flushes(), 0u);
  int failed = 0;
  for (int read = 1; read < 40; ++read) {
    env_.fails_at = read;
    try {
      TableScan scan = table->scan("key");
      EXPECT_EQ(rest_of(scan, scan.next()).size(), kRows) << read;
    } catch (const runtime::StatusError& error) {
      EXPECT_EQ(error.status().code(), runtime::StatusCode::kUnavailable);
      ++failed;
    }
  }
  EXPECT_GT(failed, 20);
}

}  // namespace
}  // namespace huiliu::state
