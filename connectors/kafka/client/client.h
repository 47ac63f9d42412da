#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <librdkafka/rdkafka.h>

#include "runtime/base/diagnostics.h"
#include "runtime/base/status.h"
#include "runtime/component/config.h"
#include "runtime/component/descriptor.h"

namespace huiliu::connectors::kafka {

template <auto Destroy>
struct Deleter {
  template <class T>
  void operator()(T* pointer) const {
    Destroy(pointer);
  }
};
using Client = std::unique_ptr<rd_kafka_t, Deleter<rd_kafka_destroy>>;
using Conf = std::unique_ptr<rd_kafka_conf_t, Deleter<rd_kafka_conf_destroy>>;
using Topic = std::unique_ptr<rd_kafka_topic_t, Deleter<rd_kafka_topic_destroy>>;
using Queue = std::unique_ptr<rd_kafka_queue_t, Deleter<rd_kafka_queue_destroy>>;
using Event = std::unique_ptr<rd_kafka_event_t, Deleter<rd_kafka_event_destroy>>;
using Message = std::unique_ptr<rd_kafka_message_t, Deleter<rd_kafka_message_destroy>>;
using PartitionList = std::unique_ptr<rd_kafka_topic_partition_list_t,
                                      Deleter<rd_kafka_topic_partition_list_destroy>>;
using GroupMetadata = std::unique_ptr<rd_kafka_consumer_group_metadata_t,
                                      Deleter<rd_kafka_consumer_group_metadata_destroy>>;

using Settings = std::vector<std::pair<std::string, std::string>>;

/// How to reach a cluster.
struct Connection {
  std::string bootstrap;
  Settings settings;  ///< librdkafka's, e.g. security.protocol
};

/// `bootstrap` and `settings`.
std::vector<runtime::Option> connection_options(bool of_backend);
/// Of the node itself, or else of the topology's backend if that is of type kafka. For a config
/// that check_connection() has found right.
Connection connection_of(const runtime::Config& node, const runtime::Config* backend);
/// Settings that librdkafka does not know, and those that Huiliu sets, become diagnostics; so does
/// a `bootstrap` that is missing.
void check_connection(const runtime::Config& node, const runtime::Config* backend,
                      runtime::Diagnostics& diagnostics);

/// `own` settings win over the connection's. `prepare` may set callbacks.
runtime::Result<Client> make_client(rd_kafka_type_t type, const Connection& connection,
                                    const Settings& own,
                                    const std::function<void(rd_kafka_conf_t*)>& prepare = {});

/// Sends all events of a consumer to its own queue, which is the one that is read.
runtime::Status use_consumer_queue(rd_kafka_t* consumer);

/// Does not wait for ever: when a topic was deleted under it, librdkafka may never end its threads
/// (its issue 4362, seen with 2.0.2). They stay until the process ends then,
/// and so does what callbacks of the client may still use.
void close_consumer(Client client, std::shared_ptr<void> used_by_callbacks = nullptr);

/// An error of librdkafka.
struct Error {
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::string text;
  bool fatal = false;
  bool retriable = false;

  explicit operator bool() const { return code != RD_KAFKA_RESP_ERR_NO_ERROR; }
};
/// Takes the error; null is no error.
Error take(rd_kafka_error_t* error);
Error error_of(rd_kafka_resp_err_t code);

/// The table's reaction (errors.h), the same wherever the error comes from: kInvalid with the
/// remedy for what only a person can mend; kRestart, to reopen at the last committed epoch, for
/// what may pass; kFatal for what has not passed although it was tried again and again. `now_ms` is
/// of a steady clock.
runtime::Status as_status(const Error& error, const std::string& what);
runtime::Status as_status(const Error& error, const std::string& what, std::int64_t now_ms);
/// For who reads on in spite of it: ok for what the client itself tries again, which is logged now
/// and then; else as_status().
runtime::Status unless_passing(const Error& error, const std::string& what);

}  // namespace huiliu::connectors::kafka
