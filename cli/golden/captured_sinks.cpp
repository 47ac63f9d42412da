#include "cli/golden/captured_sinks.h"

#include "cli/no_file_sink.h"
#include "connectors/file/row_encoder.h"

namespace huiliu::cli {
namespace {

using runtime::Status;

class CapturingEncoder final : public runtime::SinkEncoder {
 public:
  CapturingEncoder(const runtime::Schema& schema, std::vector<CapturedRecord>& records)
      : schema_(schema), records_(records) {}

  void encode(const runtime::Record& record, std::string&) override {
    CapturedRecord& kept = records_.emplace_back();
    for (std::size_t i = 0; i < schema_.width(); ++i) {
      std::optional<std::string> text;
      if (!record[i].is_null()) {
        text = connectors::value_text(schema_[i].type, record[i], scratch_);
      }
      kept.emplace_back(schema_[i].name, std::move(text));
    }
  }

 private:
  const runtime::Schema schema_;
  std::vector<CapturedRecord>& records_;
  std::string scratch_;
};

}  // namespace

CapturedSinks::CapturedSinks(runtime::Topology& topology) {
  for (runtime::Node& node : topology.nodes) {
    if (node.kind != runtime::ComponentKind::kSink) continue;
    auto& records = records_[node.name];
    auto& type = *types_.emplace_back(std::make_unique<runtime::SinkType>());
    type.create_encoder = [&records](const runtime::SinkDeclaration& declaration,
                                     std::size_t input) {
      return std::make_unique<CapturingEncoder>(*declaration.inputs[input], records);
    };
    type.create_file = [](const runtime::SinkDeclaration&) { return no_file(); };
    node.sink = &type;
  }
}

}  // namespace huiliu::cli
