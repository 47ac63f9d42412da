#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "runtime/component/config.h"
#include "service/temporary_folder.h"

namespace huiliu::service {

/// What the cases of a file share, and one of them.
struct GoldenCase {
  const runtime::Config& file;    ///< `topology`, `now`, `templates`
  const runtime::Config& golden;  ///< `input`, `expect`; its own `topology` and `now` go first
  std::string path;               ///< of the file

  /// The case's own value, or the file's.
  const runtime::Config& setting(std::string_view key) const {
    return golden.has(key) ? golden[key] : file[key];
  }
};

/// Temporary folders for the cases of a file; sets the environment's INPUT, OUTPUT and STATE to
/// them. Made before the file is loaded, as a topology in it may name them; one at a time.
class GoldenFolders {
 public:
  GoldenFolders();
  /// Empties them for the next case.
  void clear() const;
  std::filesystem::path input() const { return folder_.path() / "input"; }
  std::filesystem::path state() const { return folder_.path() / "state"; }

 private:
  TemporaryFolder folder_;
};

/// Runs one golden case in one thread on a virtual clock; no sink is opened. Returns what differs
/// from the expectation, empty if nothing does.
std::string run_golden_case(const GoldenCase& golden, const GoldenFolders& folders);

}  // namespace huiliu::service
