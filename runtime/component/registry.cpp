#include "runtime/component/registry.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace huiliu::runtime {
namespace {

template <class T>
const T* find(const std::vector<std::unique_ptr<T>>& types, std::string_view name) {
  for (const auto& type : types) {
    if (type->descriptor.name == name) return type.get();
  }
  return nullptr;
}

template <class T>
void insert(std::vector<std::unique_ptr<T>>& types, T type, ComponentKind kind) {
  type.descriptor.kind = kind;
  if (find(types, type.descriptor.name) != nullptr) {
    std::fprintf(stderr, "two %s types are called '%s'\n", std::string(kind_name(kind)).c_str(),
                 type.descriptor.name.c_str());
    std::abort();
  }
  types.push_back(std::make_unique<T>(std::move(type)));
}

template <class T>
void collect(const std::vector<std::unique_ptr<T>>& types, std::vector<const Descriptor*>& out) {
  for (const auto& type : types) out.push_back(&type->descriptor);
}

}  // namespace

const SourceType* Registry::source(std::string_view name) const {
  const SourceType* found = find(sources_, name);
  return found == nullptr && base_ != nullptr ? base_->source(name) : found;
}
const OperatorType* Registry::operator_type(std::string_view name) const {
  const OperatorType* found = find(operators_, name);
  return found == nullptr && base_ != nullptr ? base_->operator_type(name) : found;
}
const SinkType* Registry::sink(std::string_view name) const {
  const SinkType* found = find(sinks_, name);
  return found == nullptr && base_ != nullptr ? base_->sink(name) : found;
}
const BackendType* Registry::backend(std::string_view name) const {
  const BackendType* found = find(backends_, name);
  return found == nullptr && base_ != nullptr ? base_->backend(name) : found;
}

void Registry::add(SourceType type) { insert(sources_, std::move(type), ComponentKind::kSource); }
void Registry::add(OperatorType type) {
  insert(operators_, std::move(type), ComponentKind::kOperator);
}
void Registry::add(SinkType type) { insert(sinks_, std::move(type), ComponentKind::kSink); }
void Registry::add(BackendType type) {
  insert(backends_, std::move(type), ComponentKind::kBackend);
}

std::vector<const Descriptor*> Registry::descriptors(ComponentKind kind) const {
  std::vector<const Descriptor*> found;
  if (base_ != nullptr) found = base_->descriptors(kind);
  if (kind == ComponentKind::kSource) collect(sources_, found);
  if (kind == ComponentKind::kOperator) collect(operators_, found);
  if (kind == ComponentKind::kSink) collect(sinks_, found);
  if (kind == ComponentKind::kBackend) collect(backends_, found);
  std::sort(found.begin(), found.end(),
            [](const Descriptor* a, const Descriptor* b) { return a->name < b->name; });
  return found;
}

Registry& Registry::linked() {
  static Registry registry;
  return registry;
}

}  // namespace huiliu::runtime
