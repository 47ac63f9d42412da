// Dedupe state alone: distinct keys into a table that is larger than its memory, with a commit
// every second, then a restart. Run it under `taskset -c 0` for the figures of one core.
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

#include "runtime/record/key.h"
#include "state/epoch_store.h"

namespace {

using huiliu::runtime::KeyBuilder;
using huiliu::state::EpochStore;
using huiliu::state::Table;
using Clock = std::chrono::steady_clock;

constexpr std::uint16_t kShards = 16;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Key `number`: 20 bytes in no order.
void make_key(std::uint64_t number, std::string& key) {
  key.clear();
  fmt::format_to(std::back_inserter(key), "D{:03}{:016x}", number % 200,
                 number * 0x9E3779B97F4A7C15ull);
}

class Bench {
 public:
  Bench(std::string folder, std::uint64_t memory) : folder_(std::move(folder)) {
    options_.memory_bytes = memory;
  }

  void open() {
    auto store = EpochStore::open(folder_, options_);
    if (!store.is_ok()) throw std::runtime_error(store.status().message());
    store_ = std::move(store.value());
    std::vector<std::uint16_t> shards;
    for (std::uint16_t shard = 0; shard < kShards; ++shard) shards.push_back(shard);
    table_ = store_->table("seen", shards).value();
  }
  void close() { store_.reset(); }

  bool insert(std::uint64_t number) {
    make_key(number, key_);
    const std::uint64_t hash = KeyBuilder::hash_bytes(key_);
    return table_->insert(static_cast<std::uint16_t>((hash >> 40) % kShards), key_, hash, {});
  }

  void commit() {
    huiliu::state::Commit commit;
    commit.epoch = store_->last_epoch() + 1;
    const auto changes = table_->freeze_epoch(commit.epoch);
    commit.changes.push_back(&changes);
    if (auto status = store_->commit(commit); !status.is_ok()) {
      throw std::runtime_error(status.message());
    }
  }
  /// Inserts first..last-1, all new; commits every second.
  void fill(std::uint64_t first, std::uint64_t last) {
    Clock::time_point committed = Clock::now();
    for (std::uint64_t number = first; number < last; ++number) {
      if (!insert(number)) throw std::runtime_error("a new key was known");
      if (number % 1024 == 0 && (store_->wants_epoch() || seconds_since(committed) >= 1)) {
        commit();
        while (store_->wants_pause()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        committed = Clock::now();
      }
    }
    commit();
  }
  std::uint64_t flushes() const { return store_->flushes(); }

 private:
  std::string folder_;
  huiliu::state::StoreOptions options_;
  std::unique_ptr<EpochStore> store_;
  Table* table_ = nullptr;
  std::string key_;
};

void run(const std::string& folder, std::uint64_t keys, std::uint64_t memory) {
  std::filesystem::remove_all(folder);
  Bench bench(folder, memory);
  bench.open();
  Clock::time_point start = Clock::now();
  bench.fill(0, keys);
  const double filled = seconds_since(start);
  fmt::print(
      "{} keys of 20 bytes, {} MiB for tables: {:.2f} s, {:.0f} keys/s, CPU {:.2f} us/key, {} "
      "flushes\n",
      keys, memory >> 20, filled, static_cast<double>(keys) / filled,
      cpu_seconds() * 1e6 / static_cast<double>(keys), bench.flushes());
  start = Clock::now();
  constexpr std::uint64_t kKnown = 200'000;
  for (std::uint64_t i = 0; i < kKnown; ++i) {
    if (bench.insert(i * (keys / kKnown))) throw std::runtime_error("a known key was new");
  }
  fmt::print("{} known keys in no order: {:.0f} keys/s\n", kKnown,
             static_cast<double>(kKnown) / seconds_since(start));
  bench.close();
  start = Clock::now();
  bench.open();
  bench.insert(keys);
  fmt::print("restart to the first record: {:.2f} s\n", seconds_since(start));
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  fmt::print("most memory: {} MiB\n", usage.ru_maxrss / 1024);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Benchmark of dedupe state.");
  std::uint64_t keys = 10'000'000, memory = 0;
  std::string folder;
  app.add_option("--keys", keys, "distinct keys");
  app.add_option("--memory", memory, "bytes for tables; 0: a quarter of the keys' bytes");
  app.add_option("--state", folder, "folder, emptied first")->required();
  CLI11_PARSE(app, argc, argv);
  try {
    run(folder, keys, memory == 0 ? keys * 20 / 4 : memory);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
  return 0;
}
