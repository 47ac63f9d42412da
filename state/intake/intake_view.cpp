#include "state/intake/intake_view.h"

#include <algorithm>
#include <filesystem>

#include "state/embedded_backend.h"
#include "state/intake/intake_recovery.h"

namespace huiliu::state {

namespace fs = std::filesystem;

std::vector<std::string> intakes_in(const std::string& state_folder) {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& one :
       fs::directory_iterator(fs::path(state_folder) / EmbeddedBackend::kIntakes, none)) {
    if (one.is_directory()) names.push_back(one.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

runtime::Status for_each_entry(const std::string& state_folder, const std::string& source,
                               const std::function<void(const runtime::IntakeEntry&)>& visit) {
  const std::string folder = (fs::path(state_folder) / EmbeddedBackend::kIntakes / source).string();
  if (!fs::is_directory(folder)) {
    return runtime::Status::not_found("source " + source + " has no intake in " + state_folder);
  }
  return recover_segments(*rocksdb::Env::Default(), folder, visit).status();
}

}  // namespace huiliu::state
