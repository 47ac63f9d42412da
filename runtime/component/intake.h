#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/component/figure.h"

namespace huiliu::runtime {

/// What a sender handed over at once, and cannot be asked for again.
struct IntakeEntry {
  std::uint64_t number = 0;     ///< from 1, without gaps; given by the intake
  std::int64_t arrived_ms = 0;  ///< by the clock
  /// By which the sender names it, so that it is taken once however often it comes; "" = nothing.
  std::string key;
  std::string about;          ///< the source's own, such as the form of the body
  std::uint64_t records = 0;  ///< in the body, as the source counts them
  std::string body;
};

/// What became of an append.
struct IntakeReceipt {
  Status status = Status::ok();  ///< ok: it is durable
  std::uint64_t number = 0;
  std::int64_t arrived_ms = 0;
  std::uint64_t records = 0;
  bool repeated = false;  ///< of an earlier entry with the same key
  bool full = false;      ///< kUnavailable, since what is there waits to be read
};

/// Where a source keeps what is sent to it before it says that it has it: afterwards it is input
/// that can be read again like any other. Thread-safe.
class Intake {
 public:
  using Done = std::function<void(const IntakeReceipt&)>;

  virtual ~Intake() = default;
  /// Calls `done` once, on any thread, when the entry is durable or cannot be. kUnavailable: it may
  /// be sent again later, and nothing is kept of it as far as is known. kInvalid: the key was used
  /// for another body.
  virtual void append(IntakeEntry entry, Done done) = 0;
  /// Adds durable entries behind number `after` until their bodies have `most_bytes`, one at least
  /// if there is one. kCorrupt if they are damaged or gone.
  virtual Status read(std::uint64_t after, std::size_t most_bytes,
                      std::vector<IntakeEntry>& entries) = 0;
  /// One durable entry; kNotFound if it is not kept any longer, or not there yet.
  virtual Result<IntakeEntry> at(std::uint64_t number) = 0;
  /// Waits so long for an entry behind that number; false if there is none.
  virtual bool wait(std::uint64_t after, std::int64_t most_ms) = 0;
  /// Entries up to this number are committed: they need not be kept any longer.
  virtual void consumed(std::uint64_t number) = 0;
  /// Number of the last durable entry.
  virtual std::uint64_t last() const = 0;
  virtual std::vector<Figure> figures() const { return {}; }
};

/// Of one source.
struct IntakeOptions {
  std::uint64_t most_bytes = 1u << 30;      ///< not consumed yet; beyond, appends are refused
  std::uint64_t segment_bytes = 64u << 20;  ///< of a file
  std::int64_t keep_ms = 0;                 ///< consumed entries are kept so long at least
  std::int64_t keys_ms = 86'400'000;        ///< keys are known so long at least
};

}  // namespace huiliu::runtime
