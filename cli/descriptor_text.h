#pragma once

#include <string>
#include <vector>

#include "runtime/component/descriptor.h"

namespace huiliu::cli {

/// Name of an option's type as in the reference.
std::string option_type_text(const runtime::Option& option);
/// For a terminal.
std::string descriptor_text(const runtime::Descriptor& descriptor);
/// A table of options.
std::string options_markdown(const std::vector<runtime::Option>& options);
/// The reference page.
std::string descriptor_markdown(const runtime::Descriptor& descriptor);
std::string descriptor_json(const runtime::Descriptor& descriptor);

}  // namespace huiliu::cli
