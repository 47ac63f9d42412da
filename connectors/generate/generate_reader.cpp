#include "connectors/generate/generate_reader.h"

#include <algorithm>
#include <limits>

#include "connectors/generate/row_maker.h"
#include "runtime/base/stored_number.h"
#include "runtime/record/key.h"

namespace huiliu::connectors {
namespace {

using runtime::ReadResult;
using runtime::Slice;
using runtime::SourceContext;
using runtime::Status;
using runtime::Value;

/// What is committed: how many rows were given.
constexpr std::string_view kRows = "rows";
constexpr std::uint64_t kNoEnd = std::numeric_limits<std::uint64_t>::max();

class GenerateReader final : public runtime::SourceReader {
 public:
  explicit GenerateReader(const GenerateOptions& options)
      : rate_(options.rate),
        count_(options.count.value_or(kNoEnd)),
        row_bytes_(sizeof(Value) * options.fields.size()) {}

  Status open(const SourceContext& context) override {
    for (const auto& [key, value] : context.positions) {
      if (key == kRows) next_ = runtime::stored_number<std::uint64_t>(value, context.node_name);
    }
    partition_ = context.intern(context.node_name);
    partition_hash_ = runtime::KeyBuilder::hash_bytes(*partition_);
    clock_ = context.clock;
    first_ = next_;
    started_ms_ = clock_->steady_ms();
    slice_rows_ = std::max<std::uint64_t>(1, context.slice_bytes / row_bytes_);
    return Status::ok();
  }

  ReadResult read(Slice& slice) override {
    if (next_ >= count_) return ReadResult::kEnd;
    const std::uint64_t due = due_rows();
    if (due <= next_) return ReadResult::kIdle;
    const std::uint64_t rows = std::min(due - next_, slice_rows_);
    // As many bytes as the rows will take: by them the engine knows how much is under way.
    slice.bytes.resize(rows * row_bytes_);
    slice.partition = partition_;
    slice.partition_hash = partition_hash_;
    slice.first_offset = next_;
    slice.format = static_cast<std::uint32_t>(rows);
    next_ += rows;
    slice.positions.assign(1, {std::string(kRows), std::to_string(next_)});
    if (due != kNoEnd) slice.backlog = {.amount = due - next_, .records = true};
    return ReadResult::kSlice;
  }

  bool is_bounded() const override { return count_ != kNoEnd && !rate_; }
  std::pair<std::uint64_t, std::uint64_t> progress() const override {
    return {next_, count_ == kNoEnd ? 0 : count_};
  }

 private:
  /// Number of the last row that may be given by now, plus one. Pacing begins with the process, so
  /// that what was not made while none ran does not come at once.
  std::uint64_t due_rows() const {
    if (!rate_) return count_;
    const auto passed = static_cast<double>(clock_->steady_ms() - started_ms_);
    const double rows =
        passed * static_cast<double>(rate_->rows) / static_cast<double>(rate_->per_ms);
    return std::min(count_, first_ + static_cast<std::uint64_t>(rows));
  }

  const std::optional<Rate> rate_;
  const std::uint64_t count_, row_bytes_;
  const std::string* partition_ = nullptr;
  std::uint64_t partition_hash_ = 0;
  runtime::Clock* clock_ = nullptr;
  std::uint64_t next_ = 0, first_ = 0, slice_rows_ = 1;
  std::int64_t started_ms_ = 0;
};

class GenerateDecoder final : public runtime::Decoder {
 public:
  GenerateDecoder(const GenerateOptions& options, const runtime::DecoderContext& context)
      : maker_(options),
        width_(static_cast<std::uint32_t>(options.fields.size())),
        event_time_(context.event_time_field),
        row_(std::max<std::size_t>(context.row_slots, options.fields.size())) {}

  void decode(const Slice& slice, runtime::Outputs& out) override {
    for (std::uint64_t i = 0; i < slice.format; ++i) {
      const std::uint64_t row = slice.first_offset + i;
      maker_.make(row, row_.data(), out.arena());
      runtime::Record record;
      record.values = row_.data();
      record.width = width_;
      record.origin = {slice.partition, row + 1};  // people count from 1
      record.id = runtime::record_id(slice.partition_hash, row + 1);
      if (event_time_ >= 0) {
        record.event_time = row_[static_cast<std::size_t>(event_time_)].integer();
      }
      out.emit(record);
    }
  }

 private:
  RowMaker maker_;
  std::uint32_t width_;
  int event_time_;
  std::vector<Value> row_;
};

}  // namespace

std::unique_ptr<runtime::SourceReader> make_generate_reader(const GenerateOptions& options) {
  return std::make_unique<GenerateReader>(options);
}

std::unique_ptr<runtime::Decoder> make_generate_decoder(const GenerateOptions& options,
                                                        const runtime::DecoderContext& context) {
  return std::make_unique<GenerateDecoder>(options, context);
}

}  // namespace huiliu::connectors
