#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace huiliu::formats {

enum class OutcomeCode : std::uint8_t {
  kOk,
  kIo,           // the file cannot be opened, read or written
  kCorrupt,      // the bytes break the format's own rules
  kLimit,        // the bytes exceed a bound set by the caller
  kNotFound,     // a named thing (sheet, part) is not in the file
  kUnsupported,  // well formed, but nothing this library reads
  kInvalid       // the caller passed something that cannot be written
};

// What a reader or writer of this folder reports. Bad data never throws.
struct [[nodiscard]] Outcome {
  OutcomeCode code = OutcomeCode::kOk;
  std::string message;
  std::string zh;  // the same for whoever sends files, where that is worth saying

  bool ok() const { return code == OutcomeCode::kOk; }
  static Outcome failure(OutcomeCode code, std::string message) {
    return Outcome{code, std::move(message), {}};
  }
  static Outcome failure(OutcomeCode code, std::string message, std::string zh) {
    return Outcome{code, std::move(message), std::move(zh)};
  }
};

}  // namespace huiliu::formats
