#pragma once

#include <set>
#include <string>
#include <vector>

#include "connectors/kafka/backend/backend_setup.h"

namespace huiliu::connectors::kafka {

/// The transactional id of one of several workers. A topology's id has no slash, so no two workers
/// of any topologies have the same.
std::string worker_id(const BackendSetup& setup, const std::string& worker);

/// Has the brokers end the transactions of workers that are dead or hang, now and not at their
/// timeout. A worker whose process runs opens its transactions again.
runtime::Status end_transactions(const BackendSetup& setup, const std::set<std::string>& workers);

/// Names of workers, except `self`, in records of the progress topic that are not committed. Names
/// in aborted transactions are among them: ending a transaction of such a worker costs it a
/// reopening, no more.
runtime::Result<std::set<std::string>> find_open_transactions(const BackendSetup& setup,
                                                              const std::string& topic,
                                                              const std::vector<ReplayFrom>& from,
                                                              const std::string& self);

}  // namespace huiliu::connectors::kafka
