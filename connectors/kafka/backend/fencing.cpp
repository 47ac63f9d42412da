#include "connectors/kafka/backend/fencing.h"

#include <spdlog/spdlog.h>

#include "connectors/kafka/backend/backend_keys.h"

namespace huiliu::connectors::kafka {

using runtime::Result;
using runtime::Status;

std::string worker_id(const BackendSetup& setup, const std::string& worker) {
  return setup.needs.topology_id + "/" + worker;
}

Status end_transactions(const BackendSetup& setup, const std::set<std::string>& workers) {
  for (const std::string& worker : workers) {
    spdlog::warn("ending the transaction that worker {} has left open", worker);
    ProducerOptions theirs = setup.options.producer;
    theirs.transactional_id = worker_id(setup, worker);
    auto fenced = setup.calls.open_transaction(theirs);
    if (!fenced.is_ok()) return fenced.status();
  }
  return Status::ok();
}

Result<std::set<std::string>> find_open_transactions(const BackendSetup& setup,
                                                     const std::string& topic,
                                                     const std::vector<ReplayFrom>& from,
                                                     const std::string& self) {
  std::set<std::string> names;
  ReplayRequest request = setup.replay(topic, from);
  request.committed_only = false;
  const ReplayEnd end = setup.calls.replay(request, [&](const ReplayedRecord& record) {
    const bool of_epoch = record.key.starts_with(kEpoch);
    if (record.tombstone || (!of_epoch && !record.key.starts_with(kWorker))) return Status::ok();
    const auto name = of_epoch ? record.value.substr(0, record.value.rfind(' ')) : record.value;
    if (name != self) names.emplace(name);
    return Status::ok();
  });
  if (!end.status.is_ok()) return end.status;
  return names;
}

}  // namespace huiliu::connectors::kafka
