#include "service/golden/captured_sinks.h"

#include "runtime/record/value_text.h"
#include "service/no_file_sink.h"

namespace huiliu::service {
namespace {

using runtime::Status;

class CapturingEncoder final : public runtime::SinkEncoder {
 public:
  /// `real` is the sink's own if that may refuse records, else null.
  CapturingEncoder(const runtime::Schema& schema, std::unique_ptr<runtime::SinkEncoder> real,
                   std::vector<CapturedRecord>& records)
      : schema_(schema), real_(std::move(real)), records_(records) {}

  const runtime::Reject* encode(const runtime::Record& record, std::string&) override {
    bytes_.clear();
    const runtime::Reject* reject = real_ ? real_->encode(record, bytes_) : nullptr;
    if (reject != nullptr) return reject;
    CapturedRecord& kept = records_.emplace_back();
    for (std::size_t i = 0; i < schema_.width(); ++i) {
      std::optional<std::string> text;
      if (!record[i].is_null()) {
        text = runtime::value_text(schema_[i].type, record[i], scratch_);
      }
      kept.emplace_back(schema_[i].name, std::move(text));
    }
    return nullptr;
  }

 private:
  const runtime::Schema schema_;
  std::unique_ptr<runtime::SinkEncoder> real_;
  std::vector<CapturedRecord>& records_;
  std::string scratch_, bytes_;
};

}  // namespace

CapturedSinks::CapturedSinks(runtime::Topology& topology) {
  for (runtime::Node& node : topology.nodes) {
    if (node.kind != runtime::ComponentKind::kSink) continue;
    auto& records = records_[node.name];
    auto& type = *types_.emplace_back(std::make_unique<runtime::SinkType>());
    type.create_encoder = [&records, real = node.sink](const runtime::SinkDeclaration& declaration,
                                                       std::size_t input) {
      std::unique_ptr<runtime::SinkEncoder> own;
      if (real->descriptor.rejects) own = real->create_encoder(declaration, input);
      return std::make_unique<CapturingEncoder>(*declaration.inputs[input], std::move(own),
                                                records);
    };
    type.create_epoch_sink = [](const runtime::SinkDeclaration&) { return no_file(); };
    node.sink = &type;
  }
}

}  // namespace huiliu::service
