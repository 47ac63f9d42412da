#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/component/figure.h"
#include "runtime/component/intake.h"
#include "runtime/component/source.h"

namespace huiliu::runtime {

/// What a source reads of its intake: entries in order, some of them ahead. One thread, but for
/// committed() beside it.
class IntakeInput {
 public:
  /// Goes on behind entry `given`, up to which all is committed. kCorrupt if the intake ends before
  /// it. `what`: what the entries are, for people, such as "requests".
  Status open(const std::string& node, const std::string& what, std::uint64_t given,
              std::shared_ptr<Intake> intake);
  /// Lets go of the intake, which ends it unless others use it.
  void close() { intake_.reset(); }
  /// kSlice: front() is there. Waits so long for it. kFailed: see failure().
  ReadResult fetch(std::int64_t wait_ms);
  IntakeEntry& front() { return ahead_.front(); }
  void pop() { ahead_.pop_front(); }
  const Status& failure() const { return failure_; }
  /// Null before the first open().
  const std::shared_ptr<Intake>& intake() const { return intake_; }
  std::vector<Figure> figures() const {
    return intake_ ? intake_->figures() : std::vector<Figure>{};
  }

 private:
  std::string node_;
  std::shared_ptr<Intake> intake_;
  std::uint64_t fetched_ = 0;
  std::deque<IntakeEntry> ahead_;
  Status failure_ = Status::ok();
};

}  // namespace huiliu::runtime
