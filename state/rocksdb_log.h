#pragma once

#include <memory>

namespace rocksdb {
class Logger;
}

namespace huiliu::state {

/// RocksDB's warnings and errors go to our log. Its own LOG file is not used: a build with
/// assertions, as Debian's, aborts when that file cannot be written.
std::shared_ptr<rocksdb::Logger> rocksdb_log();

}  // namespace huiliu::state
