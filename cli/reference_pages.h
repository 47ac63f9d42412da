#pragma once

#include <map>
#include <string>

#include "runtime/component/registry.h"

namespace huiliu::cli {

/// File name → text: README.md and a page for every type.
std::map<std::string, std::string> reference_pages(const runtime::Registry& registry);

}  // namespace huiliu::cli
