#include <cstddef>
#include <cstdint>
#include <string_view>

#include "runtime/component/config.h"
#include "runtime/component/registry.h"
#include "runtime/topology/topology.h"

// Any text as a topology file: mistakes become diagnostics.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace huiliu::runtime;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // Devices and libraries that the text names would be opened.
  for (const std::string_view other : {"file:", "include", "libraries"}) {
    if (text.find(other) != std::string_view::npos) return 0;
  }
  Diagnostics diagnostics;
  const Config root = parse_config(text, "fuzz.yaml", diagnostics);
  if (!diagnostics.has_errors()) {
    build_topology(root, "fuzz.yaml", Registry::linked(), diagnostics);
  }
  parse_duration(text);
  parse_size(text);
  return 0;
}
