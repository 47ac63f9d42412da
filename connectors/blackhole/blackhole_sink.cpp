#include "runtime/component/registry.h"

namespace huiliu::connectors {
namespace {

using runtime::Status;

/// The ledger counts what reaches a sink, so nothing has to be made of the records.
class NoEncoder final : public runtime::SinkEncoder {
 public:
  const runtime::Reject* encode(const runtime::Record& /*record*/, std::string& /*out*/) override {
    return nullptr;
  }
};

class BlackholeSink final : public runtime::EpochSink {
 public:
  Status open(const runtime::SinkContext& /*context*/) override { return Status::ok(); }
  Status append(std::string_view /*bytes*/, std::uint64_t /*records*/) override {
    return Status::ok();
  }
  Status prepare(std::vector<std::pair<std::string, std::string>>& /*positions*/) override {
    return Status::ok();
  }
};

runtime::SinkType type() {
  runtime::SinkType t;
  t.descriptor.name = "blackhole";
  t.descriptor.kind = runtime::ComponentKind::kSink;
  t.descriptor.summary = "Takes every record and writes nothing.";
  t.descriptor.description =
      "For benchmarks, and for streams of which only the count matters: the summary of a run, "
      "`/metrics` and the epoch's ledger count what it took. Records are not encoded.";
  t.descriptor.traits = {.transactional = true,
                         .reason = "nothing is written; the count is part of the commit"};
  t.descriptor.example = "type: blackhole\ninput: accepted\n";
  t.declare = [](runtime::SinkDeclaration& /*declaration*/) {};
  t.create_encoder = [](const runtime::SinkDeclaration& /*declaration*/, std::size_t /*input*/) {
    return std::make_unique<NoEncoder>();
  };
  t.create_epoch_sink = [](const runtime::SinkDeclaration& /*declaration*/) {
    return std::make_unique<BlackholeSink>();
  };
  return t;
}

const runtime::Registration registration(type());

}  // namespace
}  // namespace huiliu::connectors
