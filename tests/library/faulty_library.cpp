// Libraries that huiliu must refuse: one a FAULT_… definition (tests/library/CMakeLists.txt).
#include <cstdio>
#include <stdexcept>

#include "runtime/component/library.h"

using namespace huiliu::runtime;

namespace {

// Shows that a library which does not fit is refused before its code runs.
[[maybe_unused]] const int ran = std::fputs("THE LIBRARY RAN\n", stderr);

[[maybe_unused]] OperatorType type(const char* name) {
  return {.descriptor = {.name = name},
          .declare = [](Declaration& declaration) { declaration.output = declaration.input(); },
          .create = [](const Declaration&) { return std::unique_ptr<Operator>(); }};
}

#if defined(FAULT_PROCESS_THROWS)
class Thrower final : public Operator {
  void process(std::size_t /*input*/, Record& record, Outputs& out) override {
    if (record[0].text() == "3") throw std::runtime_error("no band for 3");
    out.emit(record);
  }
};
#endif

}  // namespace

#if defined(FAULT_UNDEFINED_SYMBOL)
void that_nobody_defines();
#endif

namespace {

[[maybe_unused]] void register_types([[maybe_unused]] LibraryTypes& types) {
#if defined(FAULT_SECOND_FILTER)
  types.add(type("filter"));
#elif defined(FAULT_TWICE)
  types.add(type("twice"));
  types.add(type("twice"));
#elif defined(FAULT_NO_CREATE)
  types.add(type("half"));
  types.operators.back().create = nullptr;
#elif defined(FAULT_THROWS)
  throw std::runtime_error("no licence");
#elif defined(FAULT_UNDEFINED_SYMBOL)
  that_nobody_defines();
#elif defined(FAULT_PROCESS_THROWS)
  types.add(type("fine"));
  types.operators.back().create = [](const Declaration&) { return std::make_unique<Thrower>(); };
#elif !defined(FAULT_NOTHING)
  types.add(type("fine"));
#endif
}

[[maybe_unused]] constexpr LibraryEntry entry() {
  LibraryEntry made = library_entry(register_types);
#if defined(FAULT_ABI)
  ++made.tag.abi;
#elif defined(FAULT_VERSION)
  std::copy_n("0.0.9", 6, made.tag.version);
#elif defined(FAULT_CXX_ABI)
  std::copy_n("x86_64 libstdc++-4 cxx11=0", 27, made.tag.cxx_abi);
#elif defined(FAULT_LAYOUT)
  ++made.layout;
#elif defined(FAULT_UNENDED_TEXT)
  std::fill(std::begin(made.tag.version), std::end(made.tag.version), 'x');
#endif
  return made;
}

}  // namespace

#if defined(FAULT_NO_ENTRY)
extern "C" int unrelated() { return 0; }
#elif defined(FAULT_FUNCTION)
extern "C" const LibraryEntry* huiliu_library_v1() { return nullptr; }
#else
extern "C" {
extern const LibraryEntry huiliu_library_v1;
constinit const LibraryEntry huiliu_library_v1 = entry();
}
#endif
