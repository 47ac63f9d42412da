#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/component/config.h"
#include "runtime/record/schema.h"

namespace huiliu::operators {

/// Index of the field that the scalar `node` names. An unknown field is reported with the nearest
/// name; the result is then 0.
std::size_t find_field(const runtime::Config& node, const runtime::Schema& schema,
                       runtime::Diagnostics& diagnostics);

/// The same for a list of names (a scalar counts as a list of one).
std::vector<std::size_t> find_fields(const runtime::Config& node, const runtime::Schema& schema,
                                     runtime::Diagnostics& diagnostics);

/// Like find_field, but the field must hold text.
std::size_t find_text_field(const runtime::Config& node, const runtime::Schema& schema,
                            runtime::Diagnostics& diagnostics);

/// Reports every key of the map `node` that is not among `known`, with the nearest.
void check_keys(const runtime::Config& node, const std::vector<std::string>& known,
                runtime::Diagnostics& diagnostics);

/// Index of `word` in `words`; reports an unknown word as "there is no `what` 'word'" with the
/// nearest, and returns words.size().
std::size_t find_word(const runtime::Config& node, std::string_view what,
                      const std::vector<std::string>& words, runtime::Diagnostics& diagnostics);

/// Items of a list; a single node counts as a list of one, null as an empty list.
std::vector<const runtime::Config*> items_of(const runtime::Config& node);

/// `path` as written in `node`, relative to the folder of the file that the node stands in.
std::string resolve_path(const runtime::Config& node);

}  // namespace huiliu::operators
