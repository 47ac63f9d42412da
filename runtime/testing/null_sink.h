#pragma once

#include <memory>

#include "runtime/component/sink.h"

namespace huiliu::runtime::testing {

/// The sink type `null`: it takes everything and keeps nothing.
inline SinkType null_sink() {
  struct Encoder final : SinkEncoder {
    const Reject* encode(const Record&, std::string& out) override {
      out += '\n';
      return nullptr;
    }
  };
  struct Sink final : EpochSink {
    Status open(const SinkContext&) override { return Status::ok(); }
    Status append(std::string_view, std::uint64_t) override { return Status::ok(); }
    Status prepare(std::vector<std::pair<std::string, std::string>>&) override {
      return Status::ok();
    }
  };
  SinkType type;
  type.descriptor = {.name = "null", .kind = ComponentKind::kSink};
  type.declare = [](SinkDeclaration&) {};
  type.create_encoder = [](const SinkDeclaration&, std::size_t) {
    return std::make_unique<Encoder>();
  };
  type.create_epoch_sink = [](const SinkDeclaration&) { return std::make_unique<Sink>(); };
  return type;
}

}  // namespace huiliu::runtime::testing
