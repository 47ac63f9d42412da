#include "connectors/sqlite/shared_database.h"

#include <filesystem>
#include <map>

namespace huiliu::connectors {
namespace {

/// Connections by path, for as long as a sink holds them.
struct OpenDatabases {
  std::mutex mutex;
  std::map<std::string, std::weak_ptr<SharedDatabase>> by_path;
};

OpenDatabases& open_databases() {
  static OpenDatabases databases;
  return databases;
}

}  // namespace

runtime::Status open_shared(const std::string& path, int busy_ms, std::function<bool()> ending,
                            std::shared_ptr<SharedDatabase>& shared) {
  std::error_code error;
  const auto whole = std::filesystem::weakly_canonical(path, error);
  const std::string key = error ? path : whole.string();
  OpenDatabases& databases = open_databases();
  const std::lock_guard lock(databases.mutex);
  auto& known = databases.by_path[key];
  // A file that was removed or replaced under its connection is another database.
  if (auto open = known.lock(); open && std::filesystem::exists(key, error)) {
    shared = std::move(open);
    return runtime::Status::ok();
  }
  auto made = std::make_shared<SharedDatabase>();
  const runtime::Status status = made->database.open(key, busy_ms, std::move(ending));
  if (!status.is_ok()) return status;
  known = made;
  shared = std::move(made);
  return status;
}

}  // namespace huiliu::connectors
