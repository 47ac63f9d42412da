#pragma once

#include <cstdint>
#include <string>

#include "connectors/kafka/backend/shared_snapshots.h"
#include "connectors/kafka/client/transaction.h"
#include "runtime/base/diagnostics.h"
#include "runtime/component/backend.h"

namespace huiliu::connectors::kafka {

/// What a topology's `backend:` section says.
struct BackendOptions {
  ProducerOptions producer;
  std::string group;
  int replication = -1;  ///< -1: the brokers' default
  bool several = false;  ///< workers share the shards
  std::string worker;    ///< with `several`: the configured name, or empty
  std::int64_t session_timeout_ms = 0;
  SharedSnapshotOptions snapshots;
  bool standby = false;  ///< with `several`: keeps copies of the shards of others
};

/// What the descriptor's types do not say becomes diagnostics.
void check_backend_options(const runtime::Config& config, runtime::Diagnostics& diagnostics);
/// Of a section that check_backend_options() has found right, with the descriptor's defaults.
BackendOptions backend_options(const runtime::StateNeeds& needs);
bool shares_work(const runtime::Config& config);

}  // namespace huiliu::connectors::kafka
