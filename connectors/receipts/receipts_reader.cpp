#include "connectors/receipts/receipts_reader.h"

#include <utility>

#include <fmt/format.h>

#include "codecs/receipts.h"
#include "runtime/base/failpoint.h"
#include "runtime/base/stored_number.h"
#include "runtime/component/intake_input.h"
#include "runtime/record/key.h"

namespace huiliu::connectors {
namespace {

using runtime::IntakeEntry;
using runtime::ReadResult;
using runtime::Slice;
using runtime::Status;

constexpr std::size_t kReadableBehind = 64;  // Slice::bytes
/// Of the position: the last entry of which all was given, and kHalf behind it if the receipts of
/// the next were given and its rejects were not.
constexpr std::string_view kEntry = "entry";
constexpr std::string_view kHalf = " half";

class ReceiptsReader final : public runtime::SourceReader {
 public:
  Status open(const runtime::SourceContext& context) override {
    context_ = context;
    given_ = 0;
    refused_next_ = false;
    for (const auto& [key, value] : context.positions) {
      if (key != kEntry) continue;
      given_ = number_of(value);
      refused_next_ = value.ends_with(kHalf);
    }
    if (!context.intake) return Status::invalid(context.node_name + ": there are none here");
    auto intake = input_.intake();
    if (!intake) {
      HUILIU_ASSIGN_OR_RETURN(intake, context.intake({}));
    }
    HUILIU_RETURN_IF_ERROR(input_.open(context.node_name, "receipts", given_, std::move(intake)));
    partition_ = context.intern(context.node_name);
    return Status::ok();
  }

  ReadResult read(Slice& slice) override {
    // Asked before it looks: what the sink has kept by then is found.
    const bool last = context_.nothing_follows && context_.nothing_follows();
    const ReadResult fetched = input_.fetch(last ? 0 : wait_ms_);
    if (fetched == ReadResult::kIdle && last) return ReadResult::kEnd;
    if (fetched != ReadResult::kSlice) return fetched;
    give(slice);
    return ReadResult::kSlice;
  }

  bool may_wait(std::int64_t most_ms) override {
    wait_ms_ = most_ms;
    return true;
  }
  void committed(const std::vector<runtime::PositionChange>& positions) override {
    for (const auto& [key, value] : positions) {
      if (key != kEntry) continue;
      input_.intake()->consumed(number_of(value));
    }
  }
  Status failure() const override { return input_.failure(); }
  std::vector<runtime::Figure> figures() const override { return input_.figures(); }

 private:
  std::uint64_t number_of(std::string_view position) const {
    if (position.ends_with(kHalf)) position.remove_suffix(kHalf.size());
    return runtime::stored_number<std::uint64_t>(std::string(position), context_.node_name);
  }

  void give(Slice& slice) {
    const IntakeEntry& entry = input_.front();
    const ReceiptSlice kind = refused_next_ ? ReceiptSlice::kRejects : ReceiptSlice::kReceipts;
    const bool refuses = entry.body.find(refused_mark_) != std::string::npos;
    slice.bytes.reserve(entry.body.size() + kReadableBehind);
    slice.bytes = entry.body;
    slice.format = static_cast<std::uint32_t>(kind);
    slice.detail = nullptr;
    slice.partition = partition_;
    slice.partition_hash = runtime::KeyBuilder::hash_bytes(*partition_);
    slice.first_offset = receipt_offset(entry.number, kind);
    slice.positions.clear();
    slice.backlog = runtime::Backlog{input_.intake()->last() - entry.number, true};
    refused_next_ = refuses && kind == ReceiptSlice::kReceipts;
    const std::string_view half = runtime::mutant("receipts.half_forgotten") ? "" : kHalf;
    const std::string before = std::to_string(entry.number - 1) + std::string(half);
    slice.positions.emplace_back(kEntry, refused_next_ ? before : std::to_string(entry.number));
    if (!refused_next_) input_.pop();
  }

  const std::string refused_mark_ =
      fmt::format(R"("{}":"{}")", codecs::receipt_fields::kOutcome, codecs::kRefused);
  runtime::SourceContext context_;
  runtime::IntakeInput input_;
  std::int64_t wait_ms_ = 0;
  std::uint64_t given_ = 0;
  bool refused_next_ = false;  // the first of them has given its receipts
  const std::string* partition_ = nullptr;
};

}  // namespace

std::unique_ptr<runtime::SourceReader> make_receipts_reader() {
  return std::make_unique<ReceiptsReader>();
}

}  // namespace huiliu::connectors
