#include "runtime/component/intake_input.h"

#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace huiliu::runtime {

Status IntakeInput::open(const std::string& node, const std::string& what, std::uint64_t given,
                         std::shared_ptr<Intake> intake) {
  node_ = node;
  intake_ = std::move(intake);
  ahead_.clear();
  fetched_ = given;
  if (intake_->last() < given) {
    return Status::corrupt(fmt::format(
        "{}: {} up to number {} were processed, and the intake ends at {}: its files are gone or "
        "older than the state. Put them back (`intake` in the state folder), or start with the "
        "state of the same moment",
        node, what, given, intake_->last()));
  }
  intake_->consumed(given);
  return Status::ok();
}

ReadResult IntakeInput::fetch(std::int64_t wait_ms) {
  constexpr std::size_t kAheadBytes = 4u << 20;
  if (!ahead_.empty()) return ReadResult::kSlice;
  if (!intake_->wait(fetched_, wait_ms)) return ReadResult::kIdle;
  std::vector<IntakeEntry> entries;
  const Status status = intake_->read(fetched_, kAheadBytes, entries);
  if (status.code() == StatusCode::kUnavailable) {
    spdlog::warn("{}: {}", node_, status.message());
    return ReadResult::kRetry;
  }
  if (!status.is_ok()) {
    failure_ = status;
    return ReadResult::kFailed;
  }
  for (IntakeEntry& entry : entries) {
    fetched_ = entry.number;
    ahead_.push_back(std::move(entry));
  }
  return ahead_.empty() ? ReadResult::kIdle : ReadResult::kSlice;
}

}  // namespace huiliu::runtime
