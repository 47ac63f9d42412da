#pragma once

#include <string>
#include <vector>

#include "runtime/base/diagnostics.h"
#include "runtime/component/backend.h"

namespace huiliu::connectors::kafka {

/// A topic and what its name is made of.
struct NamedTopic {
  std::string name;
  runtime::Place place;
  std::string kept_for;  ///< e.g. "table once.seen"
};

/// Topics that the backend keeps.
std::vector<NamedTopic> internal_topics(const runtime::StateNeeds& needs);

/// Errors for names that the brokers would refuse: too long, or two that are the same or differ in
/// `.` and `_` only; among the backend's own, and between those and the topics of sinks and
/// sources.
void check_topic_names(const runtime::StateNeeds& needs, runtime::Diagnostics& diagnostics);

}  // namespace huiliu::connectors::kafka
