#pragma once

#include <cstddef>
#include <memory>

#include "connectors/postgres/connection_options.h"
#include "connectors/postgres/table_layout.h"
#include "runtime/component/sink.h"

namespace huiliu::connectors::postgres {

struct SinkOptions {
  ConnectionOptions connection;
  TableLayout layout;
  bool create = true;
  std::size_t batch_rows = 0;
};

/// Writes entries of an outbox with their position in one transaction.
std::unique_ptr<runtime::OutboxSink> make_postgres_sink(const SinkOptions& options);

}  // namespace huiliu::connectors::postgres
