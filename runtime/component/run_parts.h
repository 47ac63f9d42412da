#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <typeindex>
#include <typeinfo>
#include <utility>
#include <vector>

#include "runtime/component/figure.h"

namespace huiliu::runtime {

class RunPart {
 public:
  virtual ~RunPart() = default;
  /// Key figures for whoever watches. Any thread.
  virtual std::vector<Figure> figures() { return {}; }
};

/// What the components of one run have in common, one of each type, e.g. the connections to a
/// store. It belongs to the run and not to the process, where other runs have other input and in
/// simulations other machines. Thread-safe.
class RunParts {
 public:
  /// Made when it is first asked for. A part is gone after the run and after who still holds it.
  template <class T>
  std::shared_ptr<T> get() {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<RunPart>& part = parts_[typeid(T)];
    if (!part) part = std::make_shared<T>();
    return std::static_pointer_cast<T>(part);
  }
  /// Of all parts.
  std::vector<Figure> figures() {
    std::vector<Figure> figures;
    const std::lock_guard lock(mutex_);
    for (const auto& [type, part] : parts_) {
      for (Figure& figure : part->figures()) figures.push_back(std::move(figure));
    }
    return figures;
  }

 private:
  std::mutex mutex_;
  std::map<std::type_index, std::shared_ptr<RunPart>> parts_;
};

}  // namespace huiliu::runtime
