#pragma once

#include <string_view>
#include <vector>

#include "runtime/operator.h"
#include "runtime/sink.h"
#include "runtime/source.h"

namespace huiliu::runtime {

/// The component types a program knows. Types add themselves by a namespace-scope
/// `const Registration registration(...)` in their .cpp file; a duplicate name aborts at start.
class Registry {
 public:
  const SourceType* source(std::string_view name) const;
  const OperatorType* operator_type(std::string_view name) const;
  const SinkType* sink(std::string_view name) const;
  /// Sorted by name.
  std::vector<const Descriptor*> descriptors(ComponentKind kind) const;

  void add(SourceType type);
  void add(OperatorType type);
  void add(SinkType type);

  /// The types that are linked into this program or were loaded by load_plugin().
  static Registry& linked();

 private:
  std::vector<std::unique_ptr<SourceType>> sources_;
  std::vector<std::unique_ptr<OperatorType>> operators_;
  std::vector<std::unique_ptr<SinkType>> sinks_;
};

struct Registration {
  template <class T>
  explicit Registration(T type) {
    Registry::linked().add(std::move(type));
  }
};

}  // namespace huiliu::runtime
