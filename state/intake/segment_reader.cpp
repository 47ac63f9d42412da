#include "state/intake/segment_reader.h"

#include <algorithm>

#include <fmt/format.h>

#include "state/rocksdb_status.h"

namespace huiliu::state {

using runtime::Status;

runtime::Result<SegmentReader> SegmentReader::open(rocksdb::Env& env,
                                                   const IntakeSegment& segment) {
  SegmentReader reader;
  HUILIU_RETURN_IF_ERROR(
      from_rocksdb(env.NewRandomAccessFile(segment.path, &reader.file_, {}), segment.path));
  reader.segment_ = segment.first;
  reader.after_ = segment.first - 1;
  reader.at_ = IntakeFormat::kHeadBytes;
  return reader;
}

std::string_view SegmentReader::ahead() const {
  const std::uint64_t passed = at_ - bytes_at_;
  return passed < bytes_ ? std::string_view(scratch_).substr(passed, bytes_ - passed)
                         : std::string_view{};
}

// At least so many bytes from the place on, if there are so many.
Status SegmentReader::read_ahead(const IntakeSegment& segment, std::uint64_t bytes) {
  constexpr std::uint64_t kLeast = 256u << 10;
  if (at_ >= segment.bytes) return damaged(segment);
  const std::uint64_t want = std::min(std::max(bytes, kLeast), segment.bytes - at_);
  scratch_.resize(want);
  rocksdb::Slice got;
  HUILIU_RETURN_IF_ERROR(from_rocksdb(file_->Read(at_, want, &got, scratch_.data()), segment.path));
  if (got.data() != scratch_.data()) scratch_.assign(got.data(), got.size());
  bytes_at_ = at_;
  bytes_ = got.size();
  return Status::ok();
}

Status SegmentReader::damaged(const IntakeSegment& segment) const {
  return Status::corrupt(
      fmt::format("{}: entry number {}, at byte {}, is damaged. Put the file back from a copy",
                  segment.path, after_ + 1, at_));
}

Status SegmentReader::read(const IntakeSegment& segment, runtime::IntakeEntry& entry) {
  std::size_t size = IntakeFormat::size_of(ahead());
  if (size == 0) {
    HUILIU_RETURN_IF_ERROR(read_ahead(segment, IntakeFormat::kEntryHeadBytes));
    size = IntakeFormat::size_of(ahead());
  }
  if (size > ahead().size()) HUILIU_RETURN_IF_ERROR(read_ahead(segment, size));
  const auto found = IntakeFormat::entry_at(ahead(), 0);
  auto parsed = found ? IntakeFormat::parse_payload(found->payload) : std::nullopt;
  if (!parsed || parsed->number != after_ + 1) return damaged(segment);
  entry = std::move(*parsed);
  after_ = entry.number;
  at_ += size;
  return Status::ok();
}

Status SegmentReader::skip_to(const IntakeSegment& segment, std::uint64_t number) {
  while (after_ < number) {
    if (ahead().size() < IntakeFormat::kEntryHeadBytes) {
      HUILIU_RETURN_IF_ERROR(read_ahead(segment, IntakeFormat::kEntryHeadBytes));
    }
    const std::size_t size = IntakeFormat::size_of(ahead());
    if (size == 0) return damaged(segment);
    at_ += size;
    ++after_;
  }
  return Status::ok();
}

}  // namespace huiliu::state
