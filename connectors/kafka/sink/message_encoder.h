#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codecs/delete_when.h"
#include "codecs/row_encoder.h"
#include "connectors/kafka/client/topic_limits.h"
#include "runtime/component/sink.h"
#include "runtime/component/text_template.h"

namespace huiliu::connectors::kafka {

/// What a broker's topics take unless they say otherwise, and the most a producer is set up for.
inline constexpr std::uint64_t kDefaultMessageBytes = 1'048'588, kMostMessageBytes = 16u << 20;

struct MessageLayout {
  std::string format = "json";  ///< json, csv, flatbuffers
  char delimiter = ',';
  codecs::Nulls nulls = codecs::Nulls::kOmit;
  std::vector<codecs::OutputColumn> columns;
  std::vector<std::string> key;                              ///< fields
  std::vector<std::pair<std::string, std::string>> headers;  ///< name, field
  std::string timestamp;                                     ///< field; empty: the event time
  bool provenance = true;
  std::vector<std::string> topics;                   ///< a frame has the number of its topic
  std::optional<runtime::TextTemplate> topic;        ///< gives the name; absent: the only one
  std::vector<std::shared_ptr<TopicLimits>> limits;  ///< per topic; may be empty
  std::uint64_t max_bytes = kDefaultMessageBytes;
  codecs::DeleteWhen delete_when;  ///< of the encoder's input: messages without a value
};

/// Header that says where an output record was read: "topic[partition]@offset", or the file and
/// row.
inline constexpr const char* kOriginHeader = "huiliu.origin";

/// Upper bound of the batch of a single record, which is what topics limit; uncompressed.
/// Sizes in bytes, that of the headers as in a frame.
std::uint64_t batch_bytes(std::size_t value, std::size_t key, std::size_t headers);

/// Appends frames (message_frame.h). Fields that the input does not have are null. Refuses records
/// that are too large, whose topic is not one of the layout's, or that the topic does not take.
std::unique_ptr<runtime::SinkEncoder> make_message_encoder(const MessageLayout& layout,
                                                           const runtime::Schema& input);

}  // namespace huiliu::connectors::kafka
