#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/component/descriptor.h"
#include "runtime/component/source.h"
#include "runtime/record/schema.h"

namespace huiliu::connectors::kafka {

enum class MessageFormat { kJson, kCsv, kFlatbuffers, kRaw };
/// Which part of a message a field is of.
enum class MessagePart { kValue, kKey, kHeader, kTimestamp, kTopic, kPartition, kOffset };

struct MessageField {
  std::string name;
  runtime::Type type = runtime::Type::kString;
  MessagePart part = MessagePart::kValue;
  std::string header;  ///< kHeader: its name
  std::optional<std::string> absent;
};

struct MessageOptions {
  MessageFormat format = MessageFormat::kJson;
  char delimiter = ',';
  std::vector<MessageField> fields;
  int max_depth = 64;
  std::vector<std::pair<std::string, std::string>> codes;  ///< reject code → the name to use

  runtime::Schema schema() const;
};

std::vector<runtime::Option> message_options();
/// What is wrong becomes diagnostics.
MessageOptions parse_message_options(const runtime::Config& config,
                                     runtime::Diagnostics& diagnostics);

}  // namespace huiliu::connectors::kafka
