#include "connectors/kafka/backend/backend_options.h"

#include <filesystem>

#include <fmt/format.h>

namespace huiliu::connectors::kafka {

using runtime::Config;
using runtime::Diagnostics;

namespace {

void check_worker(const Config& config, Diagnostics& diagnostics) {
  const Config& worker = config["worker"];
  if (worker.is_null() || worker.text().empty()) return;
  if (!shares_work(config)) {
    diagnostics.error(worker.place(), "`worker` names one of several",
                      "add `workers: several`, or leave it out");
  }
  if (!runtime::is_id(worker.text())) {
    diagnostics.error(worker.place(),
                      fmt::format("'{}' cannot be the name of a worker", worker.text()),
                      runtime::kIdRule);
  }
}

SharedSnapshotOptions snapshot_options(const runtime::StateNeeds& needs) {
  const Config& config = *needs.backend_config;
  if (!config.has("snapshots")) return {};
  const std::filesystem::path folder = config["snapshots"].text();
  return {.folder = (std::filesystem::path(needs.folder) / folder).string(),
          .every_ms = config["snapshot_every"].as_duration().count()};
}

}  // namespace

bool shares_work(const Config& config) { return config["workers"].text() == "several"; }

void check_backend_options(const Config& config, Diagnostics& diagnostics) {
  constexpr std::int64_t kLeastMs = 1000;
  check_connection(config, nullptr, diagnostics);
  check_worker(config, diagnostics);
  if (config["snapshot_every"].as_duration().count() < kLeastMs) {
    diagnostics.error(config["snapshot_every"].place(), "snapshots are at least 1s apart");
  }
  if (config["transaction_timeout"].as_duration().count() < kLeastMs) {
    diagnostics.error(config["transaction_timeout"].place(),
                      "a transaction timeout is at least 1s");
  }
}

BackendOptions backend_options(const runtime::StateNeeds& needs) {
  const Config& config = *needs.backend_config;
  BackendOptions options;
  options.producer.connection = connection_of(config, nullptr);
  options.producer.transactional_id = needs.topology_id;
  options.producer.timeout_ms = config["transaction_timeout"].as_duration().count();
  options.group = config.string_or("group", needs.topology_id);
  if (config.has("replication"))
    options.replication = static_cast<int>(config["replication"].as_int());
  options.several = shares_work(config);
  options.worker = config.string_or("worker", "");
  options.standby = config["standbys"].as_int() > 0;
  options.session_timeout_ms = config["session_timeout"].as_duration().count();
  options.snapshots = snapshot_options(needs);
  return options;
}

}  // namespace huiliu::connectors::kafka
