#pragma once

#include <string>

#include "runtime/component/registry.h"

namespace CLI {
class App;
}

namespace huiliu::cli {

/// huiliu(1) for man, of the words that the commands' help and the descriptors have.
std::string man_page(const CLI::App& app, const runtime::Registry& registry);

}  // namespace huiliu::cli
