#pragma once

#include <string>
#include <vector>

#include "connectors/kafka/sink/message_encoder.h"
#include "connectors/kafka/sink/written_topic.h"
#include "runtime/component/sink.h"

namespace huiliu::connectors::kafka {

/// What the options of a sink say.
struct SinkSettings {
  MessageLayout layout;   ///< without what is of one input
  std::string bootstrap;  ///< of the backend
  WrittenMessages messages;
  std::string compression;
};

std::vector<runtime::Option> sink_options();
/// What is wrong with the options becomes diagnostics.
SinkSettings parse_sink_options(const runtime::SinkDeclaration& declaration);
/// The layout for the encoder of an input stream.
MessageLayout layout_of_input(const runtime::SinkDeclaration& declaration, std::size_t input);
/// What `SinkDeclaration::layout` says of messages of this form.
std::string written_form(const MessageLayout& layout);

}  // namespace huiliu::connectors::kafka
