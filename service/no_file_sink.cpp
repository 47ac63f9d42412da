#include "service/no_file_sink.h"

namespace huiliu::service {
namespace {

using runtime::Status;

class NoFile final : public runtime::EpochSink {
 public:
  Status open(const runtime::SinkContext&) override { return Status::ok(); }
  Status append(std::string_view, std::uint64_t) override { return Status::ok(); }
  Status prepare(std::vector<std::pair<std::string, std::string>>&) override {
    return Status::ok();
  }
};

}  // namespace

std::unique_ptr<runtime::EpochSink> no_file() { return std::make_unique<NoFile>(); }

}  // namespace huiliu::service
