#include "connectors/kafka/backend/shared_snapshots.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "connectors/kafka/backend/backend_keys.h"
#include "runtime/base/clock.h"
#include "runtime/base/stored_number.h"
#include "state/reader.h"

namespace huiliu::connectors::kafka {

using runtime::Status;
namespace fs = std::filesystem;

namespace {

constexpr int kTimeDigits = 15;
constexpr std::size_t kKept = 2;  // of each worker: one may be being read

std::string value_of(const state::Snapshot& snapshot, std::string_view key) {
  for (auto& [found, value] : snapshot.meta(key)) {
    if (found == key) return value;
  }
  return {};
}

std::vector<fs::path> folders_in(const std::string& folder) {
  std::vector<fs::path> folders;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.is_directory(error)) folders.push_back(entry.path());
  }
  return folders;
}

bool is_old(const state::Snapshot& snapshot) {
  const std::string time = value_of(snapshot, kTime);
  return time.empty() ||
         now_ms() - runtime::stored_number<std::int64_t>(time, kTime) > kOldestCopyMs;
}

}  // namespace

SharedSnapshots::SharedSnapshots(SharedSnapshotOptions options, const std::string& topology,
                                 std::uint16_t shards, std::string cluster)
    : options_(std::move(options)),
      folder_((fs::path(options_.folder) / topology).string()),
      topology_(topology),
      cluster_(std::move(cluster)),
      shards_(shards) {}

SharedSnapshots::~SharedSnapshots() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  woken_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void SharedSnapshots::look() {
  for (const fs::path& path : folders_in(folder_)) {
    if (path.filename().string().starts_with(".")) continue;  // being written
    auto snapshot = state::Snapshot::open(path.string());
    if (!snapshot.is_ok()) {
      spdlog::warn("{}", snapshot.status().message());
      continue;
    }
    if ((*snapshot)->info().shards != shards_ || value_of(**snapshot, kCluster) != cluster_) {
      spdlog::warn("snapshot {} is of another cluster or another number of shards", path.string());
      continue;
    }
    if (!is_old(**snapshot)) found_.push_back(std::move(snapshot.value()));
  }
  const auto time = [](const auto& snapshot) {
    return runtime::stored_number<std::int64_t>(value_of(*snapshot, kTime), kTime);
  };
  std::sort(found_.begin(), found_.end(),
            [&](const auto& a, const auto& b) { return time(a) > time(b); });
}

const state::Snapshot* SharedSnapshots::find(std::uint16_t shard, const std::string& position_key,
                                             std::string& position) const {
  for (const auto& snapshot : found_) {
    const auto& held = snapshot->info().held;
    if (std::find(held.begin(), held.end(), shard) == held.end()) continue;
    position = value_of(*snapshot, position_key);
    if (!position.empty() && !is_too_old(position)) return snapshot.get();
  }
  return nullptr;
}

void SharedSnapshots::start_writing(state::EpochStore& store, std::string worker,
                                    std::vector<std::uint16_t> held) {
  store_ = &store;
  worker_ = std::move(worker);
  held_ = std::move(held);
  written_epoch_ = store.last_epoch();
  thread_ = runtime::Thread([this] { run(); });
}

bool SharedSnapshots::wait_for_turn(std::unique_lock<std::mutex>& lock) {
  runtime::Clock& clock = runtime::system_clock();
  const std::int64_t until = clock.steady_ms() + options_.every_ms;
  for (std::int64_t left = options_.every_ms; !closing_ && left > 0;
       left = until - clock.steady_ms()) {
    woken_.wait_for(lock, left);
  }
  return !closing_;
}

void SharedSnapshots::run() {
  std::unique_lock lock(mutex_);
  while (wait_for_turn(lock)) {
    if (store_->last_epoch() == written_epoch_) continue;
    lock.unlock();
    // It is only a shortcut for the next start: the work goes on without it.
    if (Status status = write(); !status.is_ok()) {
      spdlog::warn("no snapshot was written to {}: {}", folder_, status.message());
    }
    clean_up();
    lock.lock();
  }
}

Status SharedSnapshots::write() {
  const std::int64_t started = runtime::system_clock().steady_ms();
  const auto reader = state::Reader::of(*store_);
  state::SnapshotInfo info;
  info.name = fmt::format("{}-{:0{}}", worker_, now_ms(), kTimeDigits);
  info.topology = topology_;
  info.shards = shards_;
  info.held = held_;
  const auto stop = [this] {
    const std::lock_guard lock(mutex_);
    return closing_;
  };
  auto written =
      state::Snapshot::write(*reader, (fs::path(folder_) / info.name).string(), info, stop);
  if (!written.is_ok()) return stop() ? Status::ok() : written.status();
  written_epoch_ = written->epoch;
  std::uint64_t rows = 0;
  for (const auto& table : written->tables) rows += table.rows;
  spdlog::info("snapshot {}: {} rows in {} ms", info.name, rows,
               runtime::system_clock().steady_ms() - started);
  return Status::ok();
}

void SharedSnapshots::remove(const std::string& path) const {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) spdlog::warn("{} is not removed: {}", path, error.message());
}

// Removes snapshots of workers that do not run any more, too, once they are too old to be used, and
// folders that a killed worker has left half written. A worker that reads one meanwhile keeps its
// files open, so it is not disturbed.
void SharedSnapshots::clean_up() const {
  std::vector<std::string> own;
  for (const fs::path& path : folders_in(folder_)) {
    const std::string name = path.filename().string();
    const std::size_t dash = name.rfind('-');
    if (dash == std::string::npos) continue;
    // Not a prefix: there may be a worker `a-b` beside a worker `a`.
    const std::string worker = name.substr(0, dash), time = name.substr(dash + 1);
    if (worker == "." + worker_) remove(path.string());
    if (name.starts_with(".")) continue;
    if (worker == worker_) own.push_back(path.string());
    const bool is_time =
        time.size() == kTimeDigits && time.find_first_not_of("0123456789") == std::string::npos;
    if (is_time && now_ms() - runtime::stored_number<std::int64_t>(time, kTime) > kOldestCopyMs)
      remove(path.string());
  }
  std::sort(own.begin(), own.end());
  for (std::size_t i = 0; i + kKept < own.size(); ++i) remove(own[i]);
}

}  // namespace huiliu::connectors::kafka
