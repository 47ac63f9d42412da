#include "tests/simulation/durable_sinks.h"

namespace huiliu::simulation {
namespace {

using runtime::Result;
using runtime::SinkContext;
using runtime::Status;

class FileSink final : public runtime::EpochSink {
 public:
  explicit FileSink(DurableSinks::File& file) : file_(file) {}

  Status open(const SinkContext& context) override {
    std::size_t length = 0;
    for (const auto& [key, value] : context.positions) length = std::stoull(value);
    if (length > file_.content.size()) return Status::corrupt("the file is shorter than committed");
    file_.content.resize(length);
    file_.synced = length;
    return Status::ok();
  }
  Status append(std::string_view bytes, std::uint64_t) override {
    file_.content.append(bytes);
    return Status::ok();
  }
  Status prepare(std::vector<std::pair<std::string, std::string>>& positions) override {
    file_.synced = file_.content.size();
    positions = {{"length", std::to_string(file_.synced)}};
    return Status::ok();
  }

 private:
  DurableSinks::File& file_;
};

class OutboxSink final : public runtime::OutboxSink {
 public:
  explicit OutboxSink(DurableSinks::Store& store) : store_(store) {}

  Status open(const SinkContext&) override { return Status::ok(); }
  Result<std::uint64_t> position() override { return store_.position; }
  Status apply(const std::vector<runtime::OutboxEntry>& entries) override {
    for (const runtime::OutboxEntry& entry : entries) {
      if (entry.sequence <= store_.position) return Status::corrupt("an entry came twice");
      store_.content += entry.bytes;
      store_.position = entry.sequence;
    }
    return Status::ok();
  }

 private:
  DurableSinks::Store& store_;
};

}  // namespace

void DurableSinks::attach(runtime::Topology& topology) {
  types_.clear();
  for (runtime::Node& node : topology.nodes) {
    if (node.kind != runtime::ComponentKind::kSink) continue;
    auto& type = *types_.emplace_back(std::make_unique<runtime::SinkType>(*node.sink));
    if (type.create_epoch_sink) {
      File& file = files_[node.name];
      type.create_epoch_sink = [&file](const runtime::SinkDeclaration&) {
        return std::make_unique<FileSink>(file);
      };
    } else {
      Store& store = stores_[node.name];
      type.create_outbox_sink = [&store](const runtime::SinkDeclaration&) {
        return std::make_unique<OutboxSink>(store);
      };
    }
    node.sink = &type;
  }
}

void DurableSinks::lose_power(std::mt19937_64& random) {
  for (auto& [name, file] : files_) {
    file.content.resize(file.synced + random() % (file.content.size() - file.synced + 1));
  }
}

std::map<std::string, std::string> DurableSinks::contents() const {
  std::map<std::string, std::string> all;
  for (const auto& [name, file] : files_) all[name] = file.content;
  for (const auto& [name, store] : stores_) all[name] = store.content;
  return all;
}

}  // namespace huiliu::simulation
