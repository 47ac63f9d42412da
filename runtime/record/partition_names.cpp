#include "runtime/record/partition_names.h"

#include <mutex>
#include <set>

namespace huiliu::runtime {

const std::string* intern_partition(std::string_view name) {
  static std::mutex mutex;
  static std::set<std::string, std::less<>> names;
  const std::lock_guard lock(mutex);
  const auto found = names.find(name);
  return found != names.end() ? &*found : &*names.emplace(name).first;
}

}  // namespace huiliu::runtime
