#include "state/intake/intake_log.h"

#include <filesystem>
#include <fstream>
#include <future>
#include <set>
#include <sstream>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "state/intake/intake_recovery.h"

namespace huiliu::state {
namespace {

using runtime::IntakeEntry;
using runtime::IntakeReceipt;
using runtime::StatusCode;

/// A disk whose writes fail while it is told so.
class FailingWrites final : public rocksdb::EnvWrapper {
 public:
  FailingWrites() : EnvWrapper(rocksdb::Env::Default()) {}
  rocksdb::Status NewWritableFile(const std::string& name,
                                  std::unique_ptr<rocksdb::WritableFile>* file,
                                  const rocksdb::EnvOptions& options) override {
    const rocksdb::Status status = target()->NewWritableFile(name, file, options);
    if (status.ok()) *file = std::make_unique<File>(std::move(*file), *this);
    return status;
  }
  std::atomic<bool> appends{false}, syncs{false};

 private:
  class File final : public rocksdb::WritableFileWrapper {
   public:
    File(std::unique_ptr<rocksdb::WritableFile> file, const FailingWrites& env)
        : WritableFileWrapper(file.get()), file_(std::move(file)), env_(env) {}
    rocksdb::Status Append(const rocksdb::Slice& bytes) override {
      if (env_.appends) return rocksdb::Status::IOError("disk full");
      return file_->Append(bytes);
    }
    rocksdb::Status Sync() override {
      return env_.syncs ? rocksdb::Status::IOError("disk full") : file_->Sync();
    }

   private:
    std::unique_ptr<rocksdb::WritableFile> file_;
    const FailingWrites& env_;
  };
};

class IntakeLogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / fmt::format("huiliu-intake-{}", ::getpid());
    std::filesystem::remove_all(folder_);
    open();
  }
  void TearDown() override {
    log_.reset();
    std::filesystem::remove_all(folder_);
  }

  runtime::Status try_open() {
    log_.reset();
    auto opened = IntakeLog::open(folder_, options_, &env_);
    if (opened.is_ok()) log_ = std::move(opened.value());
    return opened.status();
  }
  void open() {
    const runtime::Status status = try_open();
    ASSERT_TRUE(status.is_ok()) << status.message();
  }
  IntakeReceipt append(const std::string& body, const std::string& key = "") {
    std::promise<IntakeReceipt> told;
    log_->append({.key = key, .about = "form", .records = 2, .body = body},
                 [&](const IntakeReceipt& receipt) { told.set_value(receipt); });
    return told.get_future().get();
  }
  std::vector<std::string> bodies(std::uint64_t after = 0) {
    std::vector<IntakeEntry> entries;
    const runtime::Status status = log_->read(after, 1 << 30, entries);
    EXPECT_TRUE(status.is_ok()) << status.message();
    std::vector<std::string> bodies;
    for (const IntakeEntry& entry : entries) {
      EXPECT_EQ(entry.number, ++after);
      bodies.push_back(entry.body);
    }
    return bodies;
  }
  std::vector<std::filesystem::path> files(std::string_view suffix) const {
    std::set<std::filesystem::path> found;
    for (const auto& file : std::filesystem::directory_iterator(folder_)) {
      if (file.path().extension() == suffix) found.insert(file.path());
    }
    return {found.begin(), found.end()};
  }
  static std::string content(const std::filesystem::path& path) {
    std::ostringstream bytes;
    bytes << std::ifstream(path, std::ios::binary).rdbuf();
    return bytes.str();
  }
  static void put(const std::filesystem::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
  }
  void until(const std::function<bool()>& condition) {
    for (int i = 0; i < 1000 && !condition(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_TRUE(condition());
  }

  std::filesystem::path folder_;
  FailingWrites env_;
  runtime::IntakeOptions options_;
  std::unique_ptr<IntakeLog> log_;
};

using Bodies = std::vector<std::string>;

TEST_F(IntakeLogTest, WhatIsAnsweredIsThereAfterARestart) {
  const IntakeReceipt first = append("a"), second = append("bb");
  EXPECT_TRUE(first.status.is_ok());
  EXPECT_EQ(first.number, 1u);
  EXPECT_EQ(second.number, 2u);
  EXPECT_EQ(bodies(), (Bodies{"a", "bb"}));
  open();
  EXPECT_EQ(log_->last(), 2u);
  EXPECT_EQ(append("c").number, 3u);
  EXPECT_EQ(bodies(), (Bodies{"a", "bb", "c"}));
  EXPECT_EQ(bodies(2), (Bodies{"c"}));
  EXPECT_EQ(bodies(3), Bodies{});
}

TEST_F(IntakeLogTest, ARepeatedKeyGetsTheFirstAnswer) {
  const IntakeReceipt first = append("a", "k");
  EXPECT_FALSE(first.repeated);
  open();
  const IntakeReceipt again = append("a", "k");
  EXPECT_TRUE(again.repeated);
  EXPECT_EQ(again.number, first.number);
  EXPECT_EQ(again.arrived_ms, first.arrived_ms);
  EXPECT_EQ(again.records, 2u);
  EXPECT_EQ(append("other", "k").status.code(), StatusCode::kInvalid);
  EXPECT_EQ(bodies(), (Bodies{"a"}));
}

TEST_F(IntakeLogTest, KeysOutliveTheirEntries) {
  options_.segment_bytes = 1;  // a file for each group
  open();
  append("a", "k");
  append("b");
  append("c");
  log_->consumed(2);
  until([&] { return files(".intake").size() == 1; });
  EXPECT_EQ(files(".keys").size(), 1u);
  EXPECT_TRUE(append("a", "k").repeated);
  open();
  EXPECT_EQ(append("a", "k").number, 1u);
  EXPECT_EQ(bodies(2), (Bodies{"c"}));
  options_.keys_ms = -1000;  // their time is over
  open();
  until([&] { return files(".keys").empty(); });
  EXPECT_FALSE(append("a", "k").repeated);
}

TEST_F(IntakeLogTest, ADamagedKeysFileIsNotPassedOver) {
  options_.segment_bytes = 1;
  open();
  append("a", "k");
  append("b");
  log_->consumed(1);
  until([&] { return !files(".keys").empty(); });
  std::string bytes = content(files(".keys")[0]);
  bytes.back() ^= 1;
  put(files(".keys")[0], bytes);
  EXPECT_EQ(try_open().code(), StatusCode::kCorrupt);
}

// Wherever the last group is cut off, all before it is there, and the next goes behind that.
TEST_F(IntakeLogTest, ATornTailIsLeftOut) {
  append("first");
  append("second");
  log_.reset();
  const auto path = files(".intake")[0];
  const std::string whole = content(path);
  const std::size_t last = whole.size() - IntakeFormat::kEntryHeadBytes - 32 - 4 - 6;
  for (std::size_t size = last; size < whole.size(); ++size) {
    put(path, whole.substr(0, size));
    open();
    EXPECT_EQ(bodies(), (Bodies{"first"})) << size;
    EXPECT_EQ(append("third").number, 2u);
    open();
    EXPECT_EQ(bodies(), (Bodies{"first", "third"})) << size;
    log_.reset();
    for (const auto& file : files(".intake")) std::filesystem::remove(file);
  }
}

TEST_F(IntakeLogTest, AFlippedByteOfWhatWasDurableIsDamage) {
  append("first");
  append("second");
  append("third");
  log_.reset();
  const auto path = files(".intake")[0];
  const std::string whole = content(path);
  const std::size_t last = whole.size() - IntakeFormat::kEntryHeadBytes - 32 - 4 - 5;
  for (std::size_t at = 0; at < last; ++at) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    put(path, bytes);
    EXPECT_EQ(try_open().code(), StatusCode::kCorrupt) << at;
  }
}

TEST_F(IntakeLogTest, FilesThatAreGoneAreMissed) {
  options_.segment_bytes = 1;
  open();
  for (const char* body : {"a", "b", "c"}) append(body);
  log_.reset();
  const auto all = files(".intake");
  ASSERT_EQ(all.size(), 3u);
  const std::string first = content(all[0]), second = content(all[1]), third = content(all[2]);
  std::filesystem::remove(all[1]);
  EXPECT_EQ(try_open().code(), StatusCode::kCorrupt);
  put(all[1], second);
  std::filesystem::remove(all[0]);
  open();
  std::vector<IntakeEntry> entries;
  EXPECT_EQ(log_->read(0, 1, entries).code(), StatusCode::kCorrupt);
  EXPECT_EQ(bodies(1), (Bodies{"b", "c"}));
  EXPECT_EQ(log_->read(4, 1, entries).code(), StatusCode::kCorrupt) << "an older copy";
}

TEST_F(IntakeLogTest, AFullOneTakesNothingUntilSomethingIsConsumed) {
  options_.segment_bytes = 1;
  options_.most_bytes = 300;
  open();
  append(std::string(100, 'a'));
  append(std::string(100, 'b'));
  EXPECT_EQ(append("c").status.code(), StatusCode::kUnavailable);
  log_->consumed(1);
  EXPECT_TRUE(append("c").status.is_ok());
}

TEST_F(IntakeLogTest, ConsumedEntriesAreKeptAsLongAsTheyShall) {
  options_.segment_bytes = 1;
  options_.keep_ms = 3'600'000;
  open();
  append("a");
  append("b");
  log_->consumed(2);
  open();
  std::this_thread::sleep_for(std::chrono::milliseconds(1200));
  EXPECT_EQ(bodies(), (Bodies{"a", "b"}));
}

TEST_F(IntakeLogTest, AFailingDiskAcknowledgesNothingAndGoesOnLater) {
  append("a");
  for (std::atomic<bool>* fault : {&env_.appends, &env_.syncs}) {
    *fault = true;
    EXPECT_EQ(append("lost", "k").status.code(), StatusCode::kUnavailable);
    *fault = false;
    EXPECT_FALSE(append("b", "k").repeated);
    append("c");
    open();
    EXPECT_EQ(bodies().front(), "a");
    EXPECT_EQ(append("b", "k").number, 2u);
    options_.keys_ms = 0;
    log_.reset();
    std::filesystem::remove_all(folder_);
    open();
    append("a");
  }
}

TEST_F(IntakeLogTest, ManySendersAtOnceAllGetWhatIsTheirs) {
  constexpr int kSenders = 8, kEach = 200;
  options_.segment_bytes = 4096;
  open();
  std::vector<std::thread> senders;
  for (int s = 0; s < kSenders; ++s) {
    senders.emplace_back([&, s] {
      for (int i = 0; i < kEach; ++i) {
        const std::string body = fmt::format("{}-{}", s, i);
        EXPECT_TRUE(append(body, body).status.is_ok());
      }
    });
  }
  for (std::thread& sender : senders) sender.join();
  open();
  const Bodies all = bodies();
  EXPECT_EQ(all.size(), std::size_t{kSenders * kEach});
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), all.size());
}

TEST_F(IntakeLogTest, TheSameKeyAtOnceIsOneEntry) {
  std::vector<std::thread> senders;
  std::atomic<int> fresh = 0;
  for (int s = 0; s < 8; ++s) {
    senders.emplace_back([&] { fresh += append("a", "k").repeated ? 0 : 1; });
  }
  for (std::thread& sender : senders) sender.join();
  EXPECT_EQ(fresh, 1);
  EXPECT_EQ(bodies(), (Bodies{"a"}));
}

TEST_F(IntakeLogTest, WaitingEndsWithTheNextEntry) {
  EXPECT_FALSE(log_->wait(0, 10));
  std::thread sender([&] { append("a"); });
  EXPECT_TRUE(log_->wait(0, 10'000));
  sender.join();
}

}  // namespace
}  // namespace huiliu::state
