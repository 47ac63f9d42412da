#pragma once

#include <string_view>

#include <gtest/gtest.h>

#include "runtime/topology/topology.h"

namespace huiliu::runtime::testing {

/// The topology of a text, with types of `registry` only; what is wrong with it fails the test.
inline Topology topology_of(const Registry& registry, std::string_view text) {
  Diagnostics diagnostics;
  const Config config = parse_config(text, "test.yaml", diagnostics);
  Topology topology = build_topology(config, "test.yaml", registry, diagnostics);
  EXPECT_FALSE(diagnostics.has_errors()) << diagnostics.to_string();
  return topology;
}

}  // namespace huiliu::runtime::testing
