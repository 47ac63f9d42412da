#include "state/snapshot.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>
#include <unistd.h>

#include "runtime/record/key.h"
#include "state/reader.h"

namespace huiliu::state {
namespace {

using Rows = std::map<std::pair<std::uint16_t, std::string>, std::string>;
using runtime::Status;

std::uint64_t hash_of(std::string_view key) { return runtime::KeyBuilder::hash_bytes(key); }

class SnapshotTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::temp_directory_path() /
              ("huiliu-snapshot-" + std::to_string(::getpid()) + "-" + test->name());
    std::filesystem::remove_all(folder_);
    StoreOptions options;
    options.memory_bytes = 1 << 16;  // most rows are in files
    options.synchronous_flush = true;
    options.identity = "test";
    store_ = std::move(EpochStore::open(path("state"), options).value());
    table_ = store_->table("t", {0, 1, 2}).value();
  }
  void TearDown() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  void commit() {
    const Changes changes = table_->freeze_epoch(++epoch_);
    const LogEntry entry{epoch_, "entry " + std::to_string(epoch_), 1};
    Commit one;
    one.epoch = epoch_;
    one.changes = {&changes};
    one.meta = {{"epoch", std::to_string(epoch_)}};
    one.appends = {{"outbox", &entry}};
    ASSERT_TRUE(store_->commit(one).is_ok());
  }

  /// Changes rows at random for some epochs.
  void work(int epochs) {
    for (int e = 0; e < epochs; ++e) {
      for (int i = 0; i < 300; ++i) {
        const auto shard = static_cast<std::uint16_t>(random_() % 3);
        const std::string key = "key" + std::to_string(random_() % 2000);
        if (random_() % 4 == 0) {
          table_->erase(shard, key, hash_of(key));
          rows_.erase({shard, key});
        } else {
          const std::string value(random_() % 60, static_cast<char>('a' + random_() % 26));
          table_->put(shard, key, hash_of(key), value);
          rows_[{shard, key}] = value;
        }
      }
      commit();
    }
  }

  template <class From>
  static Rows all_rows(const From& from) {
    Rows rows;
    for (std::uint16_t shard = 0; shard < 3; ++shard) {
      std::string last;
      const Status status =
          from.for_each("t", shard, [&](std::string_view key, std::string_view value) {
            EXPECT_LT(last, key);
            last = key;
            rows[{shard, std::string(key)}] = value;
            return Status::ok();
          });
      EXPECT_TRUE(status.is_ok()) << status.message();
    }
    return rows;
  }

  static SnapshotInfo info() {
    SnapshotInfo info;
    info.name = "one";
    info.topology = "test";
    info.shards = 3;
    info.held = {0, 1, 2};
    return info;
  }

  std::filesystem::path folder_;
  std::unique_ptr<EpochStore> store_;
  Table* table_ = nullptr;
  std::uint64_t epoch_ = 0;
  std::mt19937 random_{7};
  Rows rows_;
};

TEST_F(SnapshotTest, AReaderSeesOneEpochOfAnOpenStore) {
  work(30);
  const auto inside = Reader::of(*store_);
  const auto outside = Reader::open(path("state"), path("scratch"));
  ASSERT_TRUE(outside.is_ok()) << outside.status().message();
  const Rows then = rows_;
  work(30);
  EXPECT_NE(then, rows_);
  EXPECT_GT(store_->flushes(), 3u);
  for (const Reader* reader : {inside.get(), outside.value().get()}) {
    EXPECT_EQ(reader->epoch(), 30u);
    EXPECT_EQ(reader->identity(), "test");
    EXPECT_EQ(reader->meta("epoch").front().second, "30");
    EXPECT_EQ(all_rows(*reader), then);
    EXPECT_EQ(reader->logs(), std::vector<std::string>{"outbox"});
    EXPECT_EQ(reader->read_log("outbox", 28, 1 << 20).value().back().bytes, "entry 30");
    for (const auto& [key, value] : then) {
      ASSERT_EQ(reader->get("t", key.first, key.second).value(), value);
    }
    EXPECT_EQ(reader->get("t", 0, "no such key").value(), std::nullopt);
  }
}

TEST_F(SnapshotTest, ASnapshotHoldsWhatTheReaderSaw) {
  work(20);
  const auto reader = Reader::of(*store_);
  const Rows then = rows_;
  work(5);
  const auto written = Snapshot::write(*reader, path("snapshots/one"), info());
  ASSERT_TRUE(written.is_ok()) << written.status().message();
  auto snapshot = Snapshot::open(path("snapshots/one"));
  ASSERT_TRUE(snapshot.is_ok()) << snapshot.status().message();
  EXPECT_EQ(all_rows(**snapshot), then);
  EXPECT_EQ((*snapshot)->info().epoch, 20u);
  EXPECT_EQ((*snapshot)->info().tables.front().rows, then.size());
  EXPECT_EQ((*snapshot)->meta("ep").front().second, "20");
  std::uint64_t next = 1;
  EXPECT_TRUE((*snapshot)
                  ->for_each_log("outbox",
                                 [&](const LogEntry& entry) {
                                   EXPECT_EQ(entry.sequence, next);
                                   EXPECT_EQ(entry.bytes, "entry " + std::to_string(next++));
                                   return Status::ok();
                                 })
                  .is_ok());
  EXPECT_EQ(next, 21u);
}

TEST_F(SnapshotTest, ASnapshotThatIsNotWholeIsRefused) {
  work(2);
  const auto reader = Reader::of(*store_);
  ASSERT_TRUE(Snapshot::write(*reader, path("one"), info()).is_ok());
  EXPECT_EQ(Snapshot::write(*reader, path("one"), info()).status().code(),
            runtime::StatusCode::kInvalid);
  std::filesystem::resize_file(path("one/table-001.sst"), 100);
  EXPECT_EQ(Snapshot::open(path("one")).status().code(), runtime::StatusCode::kCorrupt);
  EXPECT_EQ(Snapshot::open(path("none")).status().code(), runtime::StatusCode::kNotFound);
}

TEST_F(SnapshotTest, AFileThatIsMissingIsNamed) {
  work(20);
  ASSERT_TRUE(Snapshot::write(*Reader::of(*store_), path("one"), info()).is_ok());
  std::set<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(path("one"))) {
    names.insert(file.path().filename().string());
  }
  EXPECT_EQ(names,
            (std::set<std::string>{"log.sst", "manifest.json", "meta.sst", "table-001.sst"}));
  for (const std::string& name : names) {
    std::filesystem::rename(path("one/" + name), path("aside"));
    const auto refused = Snapshot::open(path("one"));
    EXPECT_EQ(refused.status().code(), name == "manifest.json" ? runtime::StatusCode::kNotFound
                                                               : runtime::StatusCode::kCorrupt);
    EXPECT_NE(refused.status().message().find(name), std::string::npos) << name;
    std::filesystem::rename(path("aside"), path("one/" + name));
  }
  EXPECT_TRUE(Snapshot::open(path("one")).is_ok());
}

TEST_F(SnapshotTest, ASnapshotOfBeforeNeedNotHaveALog) {
  work(2);
  ASSERT_TRUE(Snapshot::write(*Reader::of(*store_), path("one"), info()).is_ok());
  std::ifstream manifest(path("one/manifest.json"));
  std::string text{std::istreambuf_iterator<char>(manifest), {}};
  text.replace(text.find("\"format\": 2"), 11, "\"format\": 1");
  std::ofstream(path("one/manifest.json")) << text;
  std::filesystem::remove(path("one/log.sst"));
  const auto snapshot = Snapshot::open(path("one"));
  ASSERT_TRUE(snapshot.is_ok()) << snapshot.status().message();
  EXPECT_FALSE(snapshot.value()->meta("ep").empty());
}

}  // namespace
}  // namespace huiliu::state
