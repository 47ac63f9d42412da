#pragma once

#include <memory>

#include "connectors/kafka/source/message_options.h"
#include "runtime/component/source.h"

namespace huiliu::connectors::kafka {

/// Reads slices of frames (message_frame.h); their partition's name ends with "[NUMBER]".
std::unique_ptr<runtime::Decoder> make_message_decoder(MessageOptions options,
                                                       const runtime::DecoderContext& context);

/// The partition's name in origins: "topic[3]".
std::string partition_name(std::string_view topic, int partition);

}  // namespace huiliu::connectors::kafka
