#include "service/state/state_removal.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "service/state/state_folder.h"
#include "state/embedded_backend.h"
#include "state/folder_lock.h"
#include "state/last_epoch_file.h"

namespace huiliu::service {
namespace {

namespace fs = std::filesystem;
using runtime::Result;
using runtime::Status;

constexpr std::string_view kLock = "LOCK";

/// Whether RocksDB or the state itself makes files of the name.
bool is_of_state(const std::string& name) {
  for (const std::string_view whole :
       {std::string_view("CURRENT"), std::string_view("IDENTITY"), kLock, std::string_view("LOG"),
        std::string_view(state::LastEpochFile::kName)}) {
    if (name == whole) return true;
  }
  for (const char* const start : {"MANIFEST-", "OPTIONS-", "LOG.old."}) {
    if (name.starts_with(start)) return true;
  }
  return name.ends_with(".sst") || name.ends_with(".log") || name.ends_with(".blob") ||
         name.ends_with(".dbtmp");
}

/// What was sent to sources and is kept: files in a folder for each.
Status add_intakes(const fs::path& folder, StateRemains& remains) {
  for (const auto& file : fs::recursive_directory_iterator(folder)) {
    if (file.is_directory()) continue;
    const std::string ending = file.path().extension().string();
    if (ending != ".intake" && ending != ".keys" && ending != ".tmp") {
      return Status::invalid(
          fmt::format("{} is no part of a state: nothing is removed", file.path().string()));
    }
    remains.bytes += file.file_size();
  }
  remains.files.push_back(state::EmbeddedBackend::kIntakes);
  return Status::ok();
}

}  // namespace

Result<StateRemains> find_state(const runtime::Topology& topology, const std::string& folder) {
  StateRemains remains{.folder = folder};
  const Status none = Status::not_found("there is no state in " + folder);
  if (!fs::is_directory(folder)) return none;
  for (const auto& file : fs::directory_iterator(folder)) {
    const std::string name = file.path().filename().string();
    if (name == state::EmbeddedBackend::kIntakes && file.is_directory()) {
      HUILIU_RETURN_IF_ERROR(add_intakes(file.path(), remains));
      continue;
    }
    if (!is_of_state(name) || !file.is_regular_file()) {
      return Status::invalid(fmt::format(
          "{} holds '{}', which is no part of a state: nothing is removed", folder, name));
    }
    remains.files.push_back(name);
    remains.bytes += file.file_size();
  }
  if (remains.files.empty()) return none;
  OpenState state;
  const Status opened = open_state(topology, folder, state);
  if (opened.code() == runtime::StatusCode::kInvalid) return opened;  // another topology's
  remains.epoch = opened.is_ok() ? state.reader->epoch() : state::LastEpochFile::look(folder);
  // The lock goes last: until then no process can start in the folder.
  std::stable_partition(remains.files.begin(), remains.files.end(),
                        [](const std::string& name) { return name != kLock; });
  return remains;
}

Status remove_state(const StateRemains& remains) {
  HUILIU_ASSIGN_OR_RETURN(const auto lock, state::FolderLock::take(remains.folder));
  for (const std::string& name : remains.files) {
    std::error_code error;
    fs::remove_all(fs::path(remains.folder) / name, error);
    if (error) {
      return Status::failed(
          fmt::format("cannot remove {}/{}: {}", remains.folder, name, error.message()));
    }
  }
  std::error_code not_empty;
  fs::remove(fs::path(remains.folder) / kLock, not_empty);
  fs::remove(remains.folder, not_empty);
  return Status::ok();
}

}  // namespace huiliu::service
