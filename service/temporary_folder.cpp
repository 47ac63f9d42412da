#include "service/temporary_folder.h"

#include <cstdlib>
#include <string>
#include <system_error>

#include "runtime/base/diagnostics.h"

namespace huiliu::service {

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "huiliu-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    throw runtime::ConfigError("cannot make a temporary folder in " +
                               std::filesystem::temp_directory_path().string());
  }
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace huiliu::service
