#pragma once

#include <string>
#include <vector>

#include "runtime/component/sink.h"

namespace huiliu::connectors::kafka {

/// Whether the option `topic` chooses by fields of the record.
bool names_fields(const runtime::Config& topic);
/// All topics that a sink with this config may write, in the order of its options.
std::vector<std::string> topics_of(const runtime::Config& sink);
/// The cluster of the backend, which sinks write to; "" without one.
std::string bootstrap_of(const runtime::SinkDeclaration& declaration);

/// What is wrong with `topic` and `topics` becomes diagnostics.
void check_topic_choice(const runtime::SinkDeclaration& declaration);

}  // namespace huiliu::connectors::kafka
