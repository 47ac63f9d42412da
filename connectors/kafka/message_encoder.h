#pragma once

#include <memory>
#include <string>
#include <vector>

#include "connectors/file/row_encoder.h"
#include "runtime/sink.h"

namespace huiliu::connectors::kafka {

struct MessageLayout {
  std::string format = "json";  ///< json, csv, flatbuffers
  char delimiter = ',';
  Nulls nulls = Nulls::kOmit;
  std::vector<OutputColumn> columns;
  std::vector<std::string> key;                              ///< fields
  std::vector<std::pair<std::string, std::string>> headers;  ///< name, field
  std::string timestamp;                                     ///< field; empty: the event time
  bool provenance = true;
};

/// Header that says where an output record was read: "topic[partition]@offset", or the file and
/// row.
inline constexpr const char* kOriginHeader = "huiliu.origin";

/// Appends frames (message_frame.h). Fields that the input does not have are null.
std::unique_ptr<runtime::SinkEncoder> make_message_encoder(const MessageLayout& layout,
                                                           const runtime::Schema& input);

}  // namespace huiliu::connectors::kafka
