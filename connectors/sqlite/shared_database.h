#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "connectors/sqlite/database.h"

namespace huiliu::connectors {

/// The one connection of this process to a database file: what sinks with the same path share. With
/// a connection each, every commit of one would empty the page cache of the others, and they would
/// wait for each other by sleeping. Whoever uses the connection, also to end a statement, holds the
/// mutex.
struct SharedDatabase {
  std::mutex mutex;
  Database database;
};

/// The connection to the file, opened if nobody has it open.
runtime::Status open_shared(const std::string& path, int busy_ms, std::function<bool()> ending,
                            std::shared_ptr<SharedDatabase>& shared);

}  // namespace huiliu::connectors
