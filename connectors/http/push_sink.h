#pragma once

#include <memory>

#include "connectors/http/push_options.h"
#include "runtime/component/sink.h"

namespace huiliu::connectors {

std::unique_ptr<runtime::OutboxSink> make_push_sink(const PushOptions& options);

}  // namespace huiliu::connectors
