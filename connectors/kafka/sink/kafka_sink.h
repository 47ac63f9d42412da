#pragma once

#include <memory>

#include "connectors/kafka/sink/sink_options.h"
#include "runtime/component/sink.h"

namespace huiliu::connectors::kafka {

/// Produces into the backend's transaction, whose commit makes the records visible.
std::unique_ptr<runtime::EpochSink> make_kafka_sink(const SinkSettings& settings);

}  // namespace huiliu::connectors::kafka
