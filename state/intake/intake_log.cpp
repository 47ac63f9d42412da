#include "state/intake/intake_log.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "runtime/base/failpoint.h"
#include "state/intake/intake_recovery.h"
#include "state/rocksdb_status.h"

namespace huiliu::state {

using runtime::IntakeEntry;
using runtime::IntakeReceipt;
using runtime::mutant;
using runtime::Result;
using runtime::Status;

namespace {

constexpr std::uint64_t kGroupBytes = 16u << 20;
constexpr std::int64_t kTidyMs = 1000;

std::uint64_t size_of(const IntakeEntry& entry) {
  return IntakeFormat::kEntryHeadBytes + entry.key.size() + entry.about.size() + entry.body.size();
}

}  // namespace

IntakeLog::IntakeLog(std::string folder, const runtime::IntakeOptions& options, rocksdb::Env& env)
    : folder_(std::move(folder)), options_(options), env_(env), clock_(runtime::system_clock()) {}

Result<std::unique_ptr<IntakeLog>> IntakeLog::open(const std::string& folder,
                                                   const runtime::IntakeOptions& options,
                                                   rocksdb::Env* env) {
  std::unique_ptr<IntakeLog> log(
      new IntakeLog(folder, options, env == nullptr ? *rocksdb::Env::Default() : *env));
  HUILIU_RETURN_IF_ERROR(log->recover());
  log->thread_ = runtime::Thread([raw = log.get()] { raw->run(); });
  return log;
}

IntakeLog::~IntakeLog() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    work_.notify_all();
    durable_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  answer({queue_.begin(), queue_.end()}, Status::unavailable("the intake was closed"));
}

Status IntakeLog::recover() {
  HUILIU_RETURN_IF_ERROR(from_rocksdb(env_.CreateDirIfMissing(folder_), folder_));
  HUILIU_RETURN_IF_ERROR(load_keys());
  auto segments = recover_segments(env_, folder_, [this](const IntakeEntry& entry) {
    if (!mutant("intake.keys_unread")) keys_.add(entry);
  });
  if (!segments.is_ok()) return segments.status();
  segments_ = std::move(segments.value());
  if (segments_.empty()) return Status::ok();
  last_ = segments_.back().last;
  return mutant("intake.unsynced_start") ? Status::ok() : sync_last();
}

// The process may have been killed between a write and its sync. What was found counts from now on,
// so it must be on disk.
Status IntakeLog::sync_last() const {
  const std::string& path = segments_.back().path;
  std::unique_ptr<rocksdb::WritableFile> file;
  rocksdb::Status status = env_.ReopenWritableFile(path, &file, {});
  if (status.ok()) status = file->Sync();
  HUILIU_RETURN_IF_ERROR(from_rocksdb(status, path));
  return sync_folder();
}

Status IntakeLog::load_keys() {
  auto files = numbered_files(env_, folder_, kIntakeKeysSuffix);
  if (!files.is_ok()) return files.status();
  for (const std::uint64_t number : files.value()) {
    const std::string path = intake_path(folder_, number, kIntakeKeysSuffix);
    // A segment that is there still has its keys itself.
    if (env_.FileExists(intake_path(folder_, number, kIntakeSuffix)).ok()) continue;
    const auto latest = keys_.load(env_, path);
    if (!latest.is_ok()) return latest.status();
    keys_files_.push_back({number, latest.value()});
  }
  return Status::ok();
}

void IntakeLog::append(IntakeEntry entry, Done done) {
  // Bodies may be large: others are not to wait for this.
  const std::uint64_t body_hash = entry.key.empty() ? 0 : IntakeKeys::hash_of(entry.body);
  std::optional<IntakeReceipt> known;
  {
    const std::lock_guard lock(mutex_);
    known = take_in(entry, body_hash, done);
    if (!known) work_.notify_all();
  }
  if (known) done(*known);
}

std::optional<IntakeReceipt> IntakeLog::take_in(IntakeEntry& entry, std::uint64_t body_hash,
                                                Done& done) {
  const auto waiting = entry.key.empty() ? unanswered_.end() : unanswered_.find(entry.key);
  const IntakeReceipt other{Status::invalid("the key was used for another body")};
  if (waiting != unanswered_.end()) {
    if (waiting->second->body_hash != body_hash) return other;
    waiting->second->done.push_back(std::move(done));
    return std::nullopt;
  }
  if (const IntakeKeys::Known* known = entry.key.empty() ? nullptr : keys_.find(entry.key)) {
    if (known->body_hash != body_hash) return other;
    return IntakeReceipt{Status::ok(), known->number, known->arrived_ms, known->records, true};
  }
  if (stop_) return IntakeReceipt{Status::unavailable("the intake is being closed")};
  if (held_bytes() + queued_bytes_ + entry.body.size() > options_.most_bytes) {
    return IntakeReceipt{.status = Status::unavailable("what was sent before waits to be read"),
                         .full = true};
  }
  queued_bytes_ += size_of(entry);
  auto added = std::make_shared<Waiting>();
  added->body_hash = body_hash;
  added->done.push_back(std::move(done));
  if (!entry.key.empty()) unanswered_[entry.key] = added;
  added->entry = std::move(entry);
  queue_.push_back(std::move(added));
  return std::nullopt;
}

// A segment of which something is not consumed cannot be removed, so all of it counts.
std::uint64_t IntakeLog::held_bytes() const {
  std::uint64_t bytes = 0;
  for (const IntakeSegment& segment : segments_) {
    if (segment.last > consumed_) bytes += segment.bytes;
  }
  return bytes;
}

void IntakeLog::run() {
  for (;;) {
    Group group;
    {
      std::unique_lock lock(mutex_);
      if (queue_.empty() && !stop_) work_.wait_for(lock, kTidyMs);
      if (queue_.empty() && stop_) return;
      group = take_group();
    }
    if (group.empty()) {
      tidy();
    } else {
      answer(group, write_group(group));
    }
  }
}

IntakeLog::Group IntakeLog::take_group() {
  Group group;
  std::uint64_t bytes = 0;
  while (!queue_.empty() && bytes < kGroupBytes) {
    bytes += size_of(queue_.front()->entry);
    group.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  queued_bytes_ -= bytes;
  return group;
}

// Numbers are given here, since those of a group that could not be written are given again.
Status IntakeLog::write_group(const Group& group) {
  const std::int64_t now = clock_.now_ms();
  buffer_.clear();
  if (!file_ || growing_.bytes >= options_.segment_bytes) HUILIU_RETURN_IF_ERROR(open_segment());
  // The head of a new file is a part of its first group.
  std::uint64_t next = growing_.last + 1;
  for (const auto& waiting : group) {
    waiting->entry.number = next++;
    waiting->entry.arrived_ms = now;
    IntakeFormat::append_entry(waiting->entry, growing_.bytes, buffer_);
  }
  const Status status = write(buffer_);
  if (!status.is_ok()) {
    if (!mutant("intake.goes_on_after_failure")) file_.reset();
    return status;
  }
  growing_.last = next - 1;
  growing_.bytes += buffer_.size();
  growing_.latest_ms = now;
  return status;
}

Status IntakeLog::write(const std::string& bytes) {
  runtime::failpoint("intake.before_write");
  HUILIU_RETURN_IF_ERROR(from_rocksdb(file_->Append(bytes), growing_.path));
  runtime::failpoint("intake.before_sync");
  if (!mutant("intake.unsynced")) {
    HUILIU_RETURN_IF_ERROR(from_rocksdb(file_->Sync(), growing_.path));
  }
  runtime::failpoint("intake.after_sync");
  return Status::ok();
}

// Its name must be durable before anything in it is.
Status IntakeLog::open_segment() {
  file_.reset();
  growing_ = {};
  growing_.first = last_ + 1;
  growing_.last = last_;
  growing_.path = intake_path(folder_, growing_.first, kIntakeSuffix);
  HUILIU_RETURN_IF_ERROR(
      from_rocksdb(env_.NewWritableFile(growing_.path, &file_, {}), growing_.path));
  const Status status = mutant("intake.unsynced_name") ? Status::ok() : sync_folder();
  if (!status.is_ok()) file_.reset();
  HUILIU_RETURN_IF_ERROR(status);
  const std::uint64_t before = segments_.empty() ? 0 : segments_.back().bytes;
  IntakeFormat::append_head({growing_.first, before}, buffer_);
  return Status::ok();
}

Status IntakeLog::sync_folder() const {
  std::unique_ptr<rocksdb::Directory> folder;
  rocksdb::Status status = env_.NewDirectory(folder_, &folder);
  if (status.ok()) status = folder->Fsync();
  return from_rocksdb(status, folder_);
}

void IntakeLog::answer(const Group& group, const Status& status) {
  {
    const std::lock_guard lock(mutex_);
    if (status.is_ok() && !group.empty()) {
      const bool is_new = segments_.empty() || segments_.back().first != growing_.first;
      is_new ? segments_.push_back(growing_) : void(segments_.back() = growing_);
      last_ = growing_.last;
      ++groups_;
      durable_.notify_all();
    } else {
      ++failures_;
    }
    for (const auto& waiting : group) {
      if (status.is_ok()) keys_.add(waiting->entry, waiting->body_hash);
      if (!waiting->entry.key.empty()) unanswered_.erase(waiting->entry.key);
    }
  }
  // Nobody adds to those who wait any more.
  for (const auto& waiting : group) {
    IntakeReceipt receipt{status, waiting->entry.number, waiting->entry.arrived_ms,
                          waiting->entry.records};
    for (const Done& done : waiting->done) {
      done(receipt);
      receipt.repeated = true;
    }
  }
}

bool IntakeLog::wait(std::uint64_t after, std::int64_t most_ms) {
  std::unique_lock lock(mutex_);
  if (last_ <= after && !stop_) durable_.wait_for(lock, most_ms);
  return last_ > after;
}

std::uint64_t IntakeLog::last() const {
  const std::lock_guard lock(mutex_);
  return last_;
}

void IntakeLog::consumed(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  consumed_ = std::max(consumed_, number);
}

// The newest stays: by it the next number is known.
std::optional<IntakeSegment> IntakeLog::next_to_remove() const {
  const std::lock_guard lock(mutex_);
  if (segments_.size() < 2) return std::nullopt;
  const IntakeSegment& oldest = segments_.front();
  const std::uint64_t free = mutant("intake.trimmed_early") ? last_ : consumed_;
  const bool kept = options_.keep_ms > 0 && oldest.latest_ms + options_.keep_ms > clock_.now_ms();
  if (oldest.last > free || kept) return std::nullopt;
  return oldest;
}

void IntakeLog::tidy() {
  while (const auto segment = next_to_remove()) {
    const Status status = remove(*segment);
    if (!status.is_ok()) {
      spdlog::warn("intake: {}; tried again later", status.message());
      return;
    }
    const std::lock_guard lock(mutex_);
    segments_.erase(segments_.begin());
  }
  forget_keys();
}

// Its keys are known further: they are in a file of their own before it goes.
Status IntakeLog::remove(const IntakeSegment& segment) {
  IntakeKeys::File keys;
  {
    const std::lock_guard lock(mutex_);
    keys = keys_.file_of(segment.first, segment.last);
  }
  if (!keys.bytes.empty() && !mutant("intake.keys_lost")) {
    const std::string path = intake_path(folder_, segment.first, kIntakeKeysSuffix);
    const std::string unfinished = path + ".tmp";
    rocksdb::Status status = rocksdb::WriteStringToFile(&env_, keys.bytes, unfinished, true);
    if (status.ok()) status = env_.RenameFile(unfinished, path);
    HUILIU_RETURN_IF_ERROR(from_rocksdb(status, path));
    HUILIU_RETURN_IF_ERROR(sync_folder());
    keys_files_.push_back({segment.first, keys.latest_ms});
  }
  runtime::failpoint("intake.before_remove");
  return delete_if_there(env_, segment.path);
}

// In memory first: once the file is gone nobody is told of what was in it.
void IntakeLog::forget_keys() {
  const std::int64_t before = clock_.now_ms() - options_.keys_ms;
  std::uint64_t many = 0;
  {
    const std::lock_guard lock(mutex_);
    many = keys_.forget(before);
  }
  if (many > 0) {
    spdlog::warn("intake: {} keys of requests were forgotten before their time: there are too many",
                 many);
  }
  std::erase_if(keys_files_, [&](const KeysFile& file) {
    if (file.latest_ms >= before) return false;
    return delete_if_there(env_, intake_path(folder_, file.number, kIntakeKeysSuffix)).is_ok();
  });
}

Status IntakeLog::find(std::uint64_t after, IntakeSegment& segment) const {
  const std::lock_guard lock(mutex_);
  if (after == last_) return Status::not_found("");
  if (after > last_) {
    return Status::corrupt(fmt::format(
        "{}: entries up to number {} were read before, and the last one there is number {}: the "
        "files are gone or older. Put them back, or start afresh",
        folder_, after, last_));
  }
  const auto found = std::find_if(segments_.begin(), segments_.end(),
                                  [&](const auto& one) { return one.last > after; });
  if (found->first > after + 1) {
    return Status::corrupt(
        fmt::format("{}: entry number {} is to be read next, and the first one "
                    "there is number {}: files are gone. Put them back",
                    folder_, after + 1, found->first));
  }
  segment = *found;
  return Status::ok();
}

Status IntakeLog::seek(std::uint64_t after, const IntakeSegment& segment) {
  if (reader_ && reader_->segment() == segment.first && reader_->after() == after) {
    return Status::ok();
  }
  HUILIU_ASSIGN_OR_RETURN(reader_, SegmentReader::open(env_, segment));
  return reader_->skip_to(segment, after);
}

Status IntakeLog::read(std::uint64_t after, std::size_t most_bytes,
                       std::vector<IntakeEntry>& entries) {
  const std::lock_guard lock(read_mutex_);
  std::size_t bytes = 0;
  while (bytes < most_bytes) {
    IntakeSegment segment;
    const Status found = find(after, segment);
    if (found.code() == runtime::StatusCode::kNotFound) return Status::ok();
    HUILIU_RETURN_IF_ERROR(found);
    HUILIU_RETURN_IF_ERROR(seek(after, segment));
    do {
      IntakeEntry entry;
      HUILIU_RETURN_IF_ERROR(reader_->read(segment, entry));
      after = entry.number;
      bytes += entry.body.size() + 1;
      entries.push_back(std::move(entry));
    } while (after < segment.last && bytes < most_bytes);
  }
  return Status::ok();
}

Result<IntakeEntry> IntakeLog::at(std::uint64_t number) {
  IntakeSegment segment;
  if (number == 0 || !find(number - 1, segment).is_ok()) return Status::not_found("");
  HUILIU_ASSIGN_OR_RETURN(SegmentReader reader, SegmentReader::open(env_, segment));
  HUILIU_RETURN_IF_ERROR(reader.skip_to(segment, number - 1));
  IntakeEntry entry;
  HUILIU_RETURN_IF_ERROR(reader.read(segment, entry));
  return entry;
}

std::vector<runtime::Figure> IntakeLog::figures() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t bytes = 0;
  for (const IntakeSegment& segment : segments_) bytes += segment.bytes;
  return {
      {"intake_bytes", "Files of an intake.", {}, static_cast<double>(bytes)},
      {"intake_waiting_bytes",
       "Of these, those with entries that are not committed yet: by them an intake is full.",
       {},
       static_cast<double>(held_bytes())},
      {"intake_waiting_entries",
       "Entries that are durable and not committed.",
       {},
       static_cast<double>(last_ - std::min(last_, consumed_))},
      {"intake_keys", "Keys of requests that are known.", {}, static_cast<double>(keys_.size())},
      {"intake_groups_total",
       "Writes by which entries became durable.",
       {},
       static_cast<double>(groups_),
       true},
      {"intake_failures_total", "Writes that failed.", {}, static_cast<double>(failures_), true},
  };
}

}  // namespace huiliu::state
