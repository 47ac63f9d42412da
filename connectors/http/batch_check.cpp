#include "connectors/http/batch_check.h"

#include "codecs/files/file_decoder.h"
#include "runtime/component/operator.h"

namespace huiliu::connectors {

using runtime::Outputs;
using runtime::Record;

/// Takes what the decoder emits and what it refuses.
class BatchCheck::Counter final : public runtime::Operator {
 public:
  enum Input : std::size_t { kRows, kRejects };

  explicit Counter(std::size_t width) : width_(width) {}

  void process(std::size_t input, Record& record, Outputs& /*out*/) override {
    ++counts_.rows;
    if (input == kRows) return;
    ++counts_.bad;
    if (counts_.first_bad.size() == BatchCounts::kMostShown) return;
    // In the order of kRejectFields, behind the fields of the row.
    const auto text = [&](std::size_t field) {
      const runtime::Value& value = record.values[width_ + field];
      return value.is_null() ? std::string() : std::string(value.text());
    };
    counts_.first_bad.push_back(
        {record.origin.offset, text(1), text(0), text(2), text(4), text(5)});
  }
  BatchCounts take() { return std::exchange(counts_, {}); }

 private:
  std::size_t width_;
  BatchCounts counts_;
};

BatchCheck::BatchCheck(const codecs::FileOptions& options) : options_(options) {
  const std::size_t width = options.schema().width();
  runtime::DecoderContext context;
  context.row_slots = width + runtime::kRejectFieldCount;
  decoder_ = codecs::make_file_decoder(options, context);
  counter_ = std::make_unique<Counter>(width);
  outputs_ = std::make_unique<Outputs>("", 1, static_cast<std::uint32_t>(width));
  ends_ = std::make_unique<Outputs>("", 0, static_cast<std::uint32_t>(width));
  outputs_->set_arena(&arena_);
  const auto connect = [this](runtime::Port& port, std::size_t input) {
    port.target = counter_.get();
    port.target_outputs = ends_.get();
    port.input = input;
  };
  connect(outputs_->port(0), Counter::kRows);
  connect(outputs_->reject_port(), Counter::kRejects);
}

BatchCheck::~BatchCheck() = default;

runtime::Result<BatchCounts> BatchCheck::count(const BatchForm& form, std::string_view body) {
  constexpr std::size_t kSliceBytes = 1 << 20;
  HUILIU_ASSIGN_OR_RETURN(const auto rows, BatchRows::open(options_, form, body));
  runtime::Slice slice;
  const std::string partition = "batch";
  slice.partition = &partition;
  while (rows->read(slice, kSliceBytes)) {
    decoder_->decode(slice, *outputs_);
    arena_.reset();
  }
  outputs_->take_counts();
  ends_->take_counts();
  return counter_->take();
}

}  // namespace huiliu::connectors
