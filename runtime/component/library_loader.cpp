#include "runtime/component/library_loader.h"

#include <exception>
#include <filesystem>

#include <dlfcn.h>
#include <fmt/format.h>

#include "runtime/component/library_file.h"

namespace huiliu::runtime {
namespace {

bool known(const Registry& registry, const SourceType& type) {
  return registry.source(type.descriptor.name) != nullptr;
}
bool known(const Registry& registry, const OperatorType& type) {
  return registry.operator_type(type.descriptor.name) != nullptr;
}
bool known(const Registry& registry, const SinkType& type) {
  return registry.sink(type.descriptor.name) != nullptr;
}

bool is_complete(const SourceType& type) {
  return type.declare && type.create_reader && type.create_decoder;
}
bool is_complete(const OperatorType& type) { return type.declare && type.create; }
bool is_complete(const SinkType& type) {
  return type.declare && type.create_encoder &&
         (!type.create_epoch_sink != !type.create_outbox_sink);
}

/// Adds what one library offers.
class Adder {
 public:
  Adder(const std::string& path, const Place& from, Registry& registry, Diagnostics& diagnostics)
      : path_(path), from_(from), registry_(registry), diagnostics_(diagnostics) {}

  void fail(const std::string& why, std::string hint) {
    diagnostics_.error(from_, fmt::format("cannot use the library '{}': {}", path_, why),
                       std::move(hint));
  }

  void add(LibraryTypes types) {
    if (types.sources.empty() && types.operators.empty() && types.sinks.empty()) {
      return fail("it registers nothing", "add types in its register function");
    }
    add_each(types.sources, ComponentKind::kSource);
    add_each(types.operators, ComponentKind::kOperator);
    add_each(types.sinks, ComponentKind::kSink);
  }

 private:
  template <class T>
  void add_each(std::vector<T>& types, ComponentKind kind) {
    for (T& type : types) {
      const std::string& name = type.descriptor.name;
      if (name.empty()) {
        fail(fmt::format("it has a {} type without a name", kind_name(kind)), "name it");
      } else if (known(registry_, type)) {
        fail(fmt::format("its {} type '{}' exists already", kind_name(kind), name),
             "give it another name; is the library listed twice?");
      } else if (!is_complete(type)) {
        fail(fmt::format("its {} type '{}' lacks a function", kind_name(kind), name),
             "set declare and the create functions");
      } else {
        registry_.add(std::move(type));
      }
    }
  }

  const std::string& path_;
  const Place& from_;
  Registry& registry_;
  Diagnostics& diagnostics_;
};

}  // namespace

void load_library(const std::string& path, const Place& from, Registry& registry,
                  Diagnostics& diagnostics) {
  Adder adder(path, from, registry, diagnostics);
  if (auto problem = check_library_file(path)) {
    return adder.fail(problem->message, std::move(problem->hint));
  }
  // With a folder in its name, dlopen does not search elsewhere.
  void* handle = ::dlopen(std::filesystem::absolute(path).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    return adder.fail(::dlerror(),
                      "link what it needs; cmake/library_symbols.txt says what huiliu has");
  }
  const auto* entry = static_cast<const LibraryEntry*>(::dlsym(handle, kLibrarySymbol));
  if (entry == nullptr || entry->register_types == nullptr) {
    return adder.fail("it has no register function", "say HUILIU_LIBRARY(register_function) once");
  }
  LibraryTypes types;
  try {
    entry->register_types(types);
  } catch (const std::exception& error) {
    return adder.fail(fmt::format("its register function failed: {}", error.what()), "");
  }
  adder.add(std::move(types));
}

}  // namespace huiliu::runtime
