#include "state/intake/intake_recovery.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "runtime/base/failpoint.h"
#include "state/rocksdb_status.h"

namespace huiliu::state {

using runtime::IntakeEntry;
using runtime::mutant;
using runtime::Result;
using runtime::Status;

namespace {

Status damaged_at(const std::string& path, std::uint64_t at, std::string_view what) {
  return Status::corrupt(fmt::format(
      "{}: {} at byte {}. What senders were told to be kept is damaged there or gone; nothing was "
      "changed. Put the file back from a copy. `huiliu intake` reads what is before it; to go on "
      "without the rest put the folder aside and start afresh",
      path, what, at));
}

/// Reads one segment.
class Scan {
 public:
  Scan(std::string path, std::string_view bytes,
       const std::function<void(const IntakeEntry&)>& visit)
      : path_(std::move(path)), bytes_(bytes), visit_(visit) {}

  /// Up to `end` all must be sound.
  Status whole(IntakeSegment& segment, std::uint64_t end) {
    HUILIU_RETURN_IF_ERROR(entries(segment, end));
    if (segment.bytes == end) return Status::ok();
    return damaged_at(path_, segment.bytes, "an entry");
  }

  /// Up to what was cut off before it was durable.
  Status last(IntakeSegment& segment) {
    HUILIU_RETURN_IF_ERROR(entries(segment, bytes_.size()));
    if (mutant("intake.group_ignored") || !was_durable(segment.bytes)) return Status::ok();
    return damaged_at(path_, segment.bytes, "an entry");
  }

  /// Whether what is at that place, and not sound, was durable: something of a later group is
  /// behind it.
  bool was_durable(std::size_t place) const {
    for (std::size_t at = place; at + IntakeFormat::kEntryHeadBytes <= bytes_.size(); ++at) {
      const auto found = IntakeFormat::entry_at(bytes_, at);
      if (found && found->group > place) return true;
    }
    return false;
  }

 private:
  Status entries(IntakeSegment& segment, std::uint64_t end) {
    std::uint64_t at = IntakeFormat::kHeadBytes, next = segment.first;
    const std::string_view part = bytes_.substr(0, end);
    while (const auto found = IntakeFormat::entry_at(part, at)) {
      const auto entry = IntakeFormat::parse_payload(found->payload);
      if (!entry || entry->number != next)
        return damaged_at(path_, at, "an entry of another place");
      visit_(*entry);
      segment.latest_ms = std::max(segment.latest_ms, entry->arrived_ms);
      segment.last = next++;
      at += found->bytes;
    }
    segment.bytes = at;
    return Status::ok();
  }

  std::string path_;
  std::string_view bytes_;
  const std::function<void(const IntakeEntry&)>& visit_;
};

/// Goes through the segments from the first to the last.
class Recovery {
 public:
  Recovery(rocksdb::Env& env, const std::string& folder,
           const std::function<void(const IntakeEntry&)>& visit)
      : env_(env), folder_(folder), visit_(visit) {}

  Result<std::vector<IntakeSegment>> run() {
    auto numbers = numbered_files(env_, folder_, kIntakeSuffix);
    if (!numbers.is_ok()) return numbers.status();
    for (const std::uint64_t number : numbers.value()) HUILIU_RETURN_IF_ERROR(take(number));
    if (open_) HUILIU_RETURN_IF_ERROR(Scan(open_->path, bytes_, visit_).last(*open_));
    keep_open();
    return std::move(segments_);
  }

 private:
  /// The next segment says how much of the one before it was durable.
  Status take(std::uint64_t number) {
    const std::string path = intake_path(folder_, number, kIntakeSuffix);
    std::string bytes;
    HUILIU_RETURN_IF_ERROR(from_rocksdb(rocksdb::ReadFileToString(&env_, path, &bytes), path));
    const auto head = IntakeFormat::parse_head(bytes);
    if (!head) {
      // It was made and nothing of it was durable, or it is damaged.
      if (!Scan(path, bytes, visit_).was_durable(0)) return Status::ok();
      return damaged_at(path, 0, "the head");
    }
    if (head->first != number) return damaged_at(path, 0, "the head of another file");
    if (open_) HUILIU_RETURN_IF_ERROR(close(head->previous_bytes));
    const bool goes_on = segments_.empty() || segments_.back().last + 1 == number;
    if (!goes_on) return damaged_at(path, 0, "entries before its first one are missing");
    open_ = IntakeSegment{path, number, number - 1, IntakeFormat::kHeadBytes, 0};
    bytes_ = std::move(bytes);
    return Status::ok();
  }

  Status close(std::uint64_t durable) {
    if (durable > bytes_.size()) return damaged_at(open_->path, bytes_.size(), "the end");
    HUILIU_RETURN_IF_ERROR(Scan(open_->path, bytes_, visit_).whole(*open_, durable));
    keep_open();
    return Status::ok();
  }

  void keep_open() {
    if (open_ && open_->last >= open_->first) segments_.push_back(std::move(*open_));
    open_.reset();
  }

  rocksdb::Env& env_;
  const std::string& folder_;
  const std::function<void(const IntakeEntry&)>& visit_;
  std::vector<IntakeSegment> segments_;
  std::optional<IntakeSegment> open_;  // its length is not known yet
  std::string bytes_;                  // of it
};

}  // namespace

std::string intake_path(const std::string& folder, std::uint64_t number, const char* suffix) {
  return fmt::format("{}/{:020}{}", folder, number, suffix);
}

Result<std::vector<std::uint64_t>> numbered_files(rocksdb::Env& env, const std::string& folder,
                                                  std::string_view suffix) {
  std::vector<std::string> names;
  HUILIU_RETURN_IF_ERROR(from_rocksdb(env.GetChildren(folder, &names), folder));
  std::vector<std::uint64_t> numbers;
  for (const std::string& name : names) {
    if (!name.ends_with(suffix)) continue;
    const char* const end = name.data() + name.size() - suffix.size();
    std::uint64_t number = 0;
    const auto [stop, error] = std::from_chars(name.data(), end, number);
    if (error == std::errc() && stop == end) numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

Result<std::vector<IntakeSegment>> recover_segments(
    rocksdb::Env& env, const std::string& folder,
    const std::function<void(const IntakeEntry&)>& visit) {
  return Recovery(env, folder, visit).run();
}

}  // namespace huiliu::state
