#pragma once

#include <optional>
#include <string>

#include "runtime/record/schema.h"
#include "tests/property/random.h"

namespace huiliu::property {

/// Options that make sense for an operator of this type behind a stream of this schema, as the
/// inside of a YAML map ("key: [dept], window: 10ms"); nothing if the stream has not what it needs.
/// `second` is the schema of the second stream of an operator whose inputs differ.
/// `known` is false if the type has no options here: then it is to be added.
std::optional<std::string> draw_options(Random& random, const std::string& type,
                                        const runtime::Schema& input, const runtime::Schema& second,
                                        bool& known);

}  // namespace huiliu::property
