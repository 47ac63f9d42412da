#include "runtime/component/operator.h"

#include <fmt/format.h>

namespace huiliu::runtime {

std::size_t Declaration::field(const Config& node) {
  if (const auto index = input().index_of(node.text())) return *index;
  std::vector<std::string> names;
  for (const Field& known : input().fields()) names.push_back(known.name);
  diagnostics.error(node.place(), fmt::format("the input has no field '{}'", node.text()),
                    nearest_hint(node.text(), names));
  return 0;
}

}  // namespace huiliu::runtime
