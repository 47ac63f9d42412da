#include "cli/no_file_sink.h"

namespace huiliu::cli {
namespace {

using runtime::Status;

class NoFile final : public runtime::FileLikeSink {
 public:
  Status open(const runtime::SinkContext&) override { return Status::ok(); }
  Status append(std::string_view, std::uint64_t) override { return Status::ok(); }
  Status prepare(std::vector<std::pair<std::string, std::string>>&) override {
    return Status::ok();
  }
};

}  // namespace

std::unique_ptr<runtime::FileLikeSink> no_file() { return std::make_unique<NoFile>(); }

}  // namespace huiliu::cli
