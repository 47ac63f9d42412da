#pragma once

#include <string_view>
#include <vector>

#include "runtime/component/backend.h"
#include "runtime/component/operator.h"
#include "runtime/component/sink.h"
#include "runtime/component/source.h"

namespace huiliu::runtime {

/// The component types a program knows. Types add themselves by a namespace-scope
/// `const Registration registration(...)` in their .cpp file; a duplicate name aborts at start.
/// What a topology's libraries offer is in a registry of its own, based on the linked types.
class Registry {
 public:
  Registry() = default;
  /// Has the types of `base` as well, which must outlive it.
  explicit Registry(const Registry* base) : base_(base) {}

  const SourceType* source(std::string_view name) const;
  const OperatorType* operator_type(std::string_view name) const;
  const SinkType* sink(std::string_view name) const;
  const BackendType* backend(std::string_view name) const;
  /// Sorted by name.
  std::vector<const Descriptor*> descriptors(ComponentKind kind) const;

  void add(SourceType type);
  void add(OperatorType type);
  void add(SinkType type);
  void add(BackendType type);

  /// The types that are linked into this program.
  static Registry& linked();

 private:
  const Registry* base_ = nullptr;
  std::vector<std::unique_ptr<SourceType>> sources_;
  std::vector<std::unique_ptr<OperatorType>> operators_;
  std::vector<std::unique_ptr<SinkType>> sinks_;
  std::vector<std::unique_ptr<BackendType>> backends_;
};

struct Registration {
  template <class T>
  explicit Registration(T type) {
    Registry::linked().add(std::move(type));
  }
};

}  // namespace huiliu::runtime
