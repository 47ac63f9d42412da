#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <rocksdb/env.h>

#include "runtime/base/status.h"
#include "state/intake/intake_format.h"

namespace huiliu::state {

/// Reads the entries of one segment, one after the other. The segment may grow meanwhile: each call
/// is told how long it is.
class SegmentReader {
 public:
  /// Of the segment with this first number, from its beginning.
  static runtime::Result<SegmentReader> open(rocksdb::Env& env, const IntakeSegment& segment);

  /// First number of the segment, and number of the entry that was read last.
  std::uint64_t segment() const { return segment_; }
  std::uint64_t after() const { return after_; }

  /// The next entry, of which there is one. kCorrupt if it is damaged.
  runtime::Status read(const IntakeSegment& segment, runtime::IntakeEntry& entry);
  /// Passes over entries up to this number, of which it looks at the heads only.
  runtime::Status skip_to(const IntakeSegment& segment, std::uint64_t number);

 private:
  runtime::Status read_ahead(const IntakeSegment& segment, std::uint64_t bytes);
  std::string_view ahead() const;
  runtime::Status damaged(const IntakeSegment& segment) const;

  std::unique_ptr<rocksdb::RandomAccessFile> file_;
  std::uint64_t segment_ = 0, after_ = 0, at_ = 0;
  std::string scratch_;
  std::uint64_t bytes_at_ = 0, bytes_ = 0;  // what of the file is in scratch_
};

}  // namespace huiliu::state
