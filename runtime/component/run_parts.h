#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <typeindex>
#include <typeinfo>

namespace huiliu::runtime {

/// What the components of one run have in common, one of each type, e.g. the connections to a
/// store. It belongs to the run and not to the process, where other runs have other input and in
/// simulations other machines. Thread-safe.
class RunParts {
 public:
  /// Made when it is first asked for. A part is gone after the run and after who still holds it.
  template <class T>
  std::shared_ptr<T> get() {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<void>& part = parts_[typeid(T)];
    if (!part) part = std::make_shared<T>();
    return std::static_pointer_cast<T>(part);
  }

 private:
  std::mutex mutex_;
  std::map<std::type_index, std::shared_ptr<void>> parts_;
};

}  // namespace huiliu::runtime
