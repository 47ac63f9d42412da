// The functions of librdkafka that connect to brokers, on the simulated cluster. This program's
// definitions go before the shared library's; what needs no broker (settings, lists of partitions,
// headers, names of errors) is librdkafka's own.
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <librdkafka/rdkafka.h>

#include "tests/simulation/kafka/client.h"
#include "tests/simulation/kafka/message.h"

using huiliu::simulation::Callbacks;
using huiliu::simulation::Client;
using huiliu::simulation::cluster;
using huiliu::simulation::LogRecord;
using huiliu::simulation::Micros;
using huiliu::simulation::Offset;
using huiliu::simulation::Outgoing;
using huiliu::simulation::PartitionId;

struct rd_kafka_error_s {
  rd_kafka_resp_err_t code;
};
struct rd_kafka_NewTopic_s {
  std::string name;
  int partitions = 1;
  bool compacted = false;
};
struct rd_kafka_DeleteRecords_s {
  std::vector<Offset> offsets;
};
struct rd_kafka_ConfigResource_s {};
struct rd_kafka_AdminOptions_s {};
struct rd_kafka_topic_result_s {
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
};
struct rd_kafka_op_s {  // an event
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::vector<rd_kafka_topic_result_s> results;
  std::vector<const rd_kafka_topic_result_s*> list;  // of results
};

namespace {

struct Message : rd_kafka_message_t {
  std::string key_bytes, value_bytes;
  std::int64_t time_ms = 0;
  rd_kafka_headers_t* header_list = nullptr;
};

/// Of settings that are not a client's yet.
std::map<const rd_kafka_conf_t*, Callbacks>& prepared() {
  static std::map<const rd_kafka_conf_t*, Callbacks> callbacks;
  return callbacks;
}

rd_kafka_error_t* as_error(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR_NO_ERROR ? nullptr : new rd_kafka_error_t{code};
}

Micros micros(int ms) { return Micros{ms} * 1000; }

std::string bytes_of(const void* at, std::size_t size) {
  return at == nullptr ? std::string() : std::string(static_cast<const char*>(at), size);
}

/// By the key, as a partitioner does; without one by chance.
int partition_of(Client& client, const std::string& topic, const Outgoing& message) {
  const auto* const found = client.broker().topic(topic);
  const std::size_t count = found == nullptr ? 1 : found->logs.size();
  if (!message.record.has_key) return static_cast<int>(client.scheduler().below(count));
  std::uint64_t hash = 14695981039346656037u;
  for (const char each : message.record.key) {
    hash = (hash ^ static_cast<unsigned char>(each)) * 1099511628211u;
  }
  return static_cast<int>(hash % count);
}

rd_kafka_resp_err_t produce(Client& client, const std::string& topic, int partition,
                            Outgoing message) {
  if (partition == RD_KAFKA_PARTITION_UA) partition = partition_of(client, topic, message);
  return client.producer->produce({topic, partition}, std::move(message));
}

void copy_headers(LogRecord& record, rd_kafka_headers_t* headers) {
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i) {
    record.headers.emplace_back(name, bytes_of(value, size));
  }
}

template <class Visible>
rd_kafka_resp_err_t ask(Client& client, int timeout_ms, Visible at_broker) {
  return client.request(std::move(at_broker), micros(timeout_ms), false);
}

}  // namespace

namespace huiliu::simulation {

rd_kafka_message_t* make_message(rd_kafka_topic_t* topic, int partition, const LogRecord& record) {
  auto* const message = new Message{};
  message->rkt = topic;
  message->partition = partition;
  message->offset = record.offset;
  message->key_bytes = record.key;
  message->value_bytes = record.value;
  message->time_ms = record.time_ms;
  if (record.has_key) message->key = message->key_bytes.data();
  message->key_len = message->key_bytes.size();
  if (record.has_value) message->payload = message->value_bytes.data();
  message->len = message->value_bytes.size();
  if (!record.headers.empty()) {
    message->header_list = rd_kafka_headers_new(record.headers.size());
    for (const auto& [name, value] : record.headers) {
      rd_kafka_header_add(message->header_list, name.data(), static_cast<ssize_t>(name.size()),
                          value.data(), static_cast<ssize_t>(value.size()));
    }
  }
  return message;
}

rd_kafka_message_t* make_message(rd_kafka_topic_t* topic, int partition, rd_kafka_resp_err_t error,
                                 std::int64_t offset) {
  auto* const message = new Message{};
  message->rkt = topic;
  message->partition = partition;
  message->err = error;
  message->offset = offset;
  return message;
}

}  // namespace huiliu::simulation

extern "C" {

// --- settings that are callbacks ----------------------------------------------------------------

void rd_kafka_conf_set_opaque(rd_kafka_conf_t* conf, void* opaque) {
  prepared()[conf].opaque = opaque;
}
void rd_kafka_conf_set_dr_msg_cb(rd_kafka_conf_t* conf,
                                 void (*callback)(rd_kafka_t*, const rd_kafka_message_t*, void*)) {
  prepared()[conf].delivery = callback;
}
void rd_kafka_conf_set_rebalance_cb(rd_kafka_conf_t* conf,
                                    void (*callback)(rd_kafka_t*, rd_kafka_resp_err_t,
                                                     rd_kafka_topic_partition_list_t*, void*)) {
  prepared()[conf].rebalance = callback;
}

// --- clients
// --------------------------------------------------------------------------------------

rd_kafka_t* rd_kafka_new(rd_kafka_type_t type, rd_kafka_conf_t* conf, char*, std::size_t) {
  auto* const made = new rd_kafka_t;
  made->client = std::make_shared<Client>(*cluster(), made, type, conf);
  if (const auto known = prepared().find(conf); known != prepared().end()) {
    made->client->callbacks = known->second;
    prepared().erase(known);
  }
  rd_kafka_conf_destroy(conf);
  cluster()->clients.insert(made);
  return made;
}

void rd_kafka_destroy(rd_kafka_t* client) {
  cluster()->clients.erase(client);
  delete client;
}

const char* rd_kafka_name(const rd_kafka_t* client) { return client->client->name.c_str(); }

char* rd_kafka_clusterid(rd_kafka_t* client, int timeout_ms) {
  if (ask(*client->client, timeout_ms, [] { return RD_KAFKA_RESP_ERR_NO_ERROR; })) return nullptr;
  return ::strdup("simulated");
}

void rd_kafka_mem_free(rd_kafka_t*, void* memory) { std::free(memory); }

char* rd_kafka_memberid(const rd_kafka_t* client) {
  return ::strdup(client->client->member->id().member.c_str());
}

int rd_kafka_assignment_lost(rd_kafka_t* client) {
  return client->client->member && client->client->member->lost() ? 1 : 0;
}

rd_kafka_resp_err_t rd_kafka_fatal_error(rd_kafka_t* client, char* text, std::size_t size) {
  const auto error =
      client->client->member ? client->client->member->fatal() : RD_KAFKA_RESP_ERR_NO_ERROR;
  if (error && size > 0) std::snprintf(text, size, "%s", rd_kafka_err2str(error));
  return error;
}

int rd_kafka_poll(rd_kafka_t* client, int timeout_ms) {
  if (timeout_ms > 0) client->client->scheduler().sleep(micros(timeout_ms));
  return client->client->producer ? client->client->producer->serve() : 0;
}

// --- errors
// ---------------------------------------------------------------------------------------

rd_kafka_resp_err_t rd_kafka_error_code(const rd_kafka_error_t* error) {
  return error == nullptr ? RD_KAFKA_RESP_ERR_NO_ERROR : error->code;
}
const char* rd_kafka_error_string(const rd_kafka_error_t* error) {
  return rd_kafka_err2str(error->code);
}
int rd_kafka_error_is_fatal(const rd_kafka_error_t* error) {
  return error->code == RD_KAFKA_RESP_ERR__FENCED || error->code == RD_KAFKA_RESP_ERR__FATAL;
}
int rd_kafka_error_is_retriable(const rd_kafka_error_t* error) {
  return error->code == RD_KAFKA_RESP_ERR__TIMED_OUT;
}
void rd_kafka_error_destroy(rd_kafka_error_t* error) { delete error; }

// --- transactions
// -----------------------------------------------------------------------------------

rd_kafka_error_t* rd_kafka_init_transactions(rd_kafka_t* client, int timeout_ms) {
  return as_error(client->client->producer->init(micros(timeout_ms)));
}
rd_kafka_error_t* rd_kafka_begin_transaction(rd_kafka_t* client) {
  return as_error(client->client->producer->begin());
}
rd_kafka_error_t* rd_kafka_commit_transaction(rd_kafka_t* client, int timeout_ms) {
  return as_error(client->client->producer->end(true, micros(timeout_ms)));
}
rd_kafka_error_t* rd_kafka_abort_transaction(rd_kafka_t* client, int timeout_ms) {
  return as_error(client->client->producer->end(false, micros(timeout_ms)));
}
rd_kafka_error_t* rd_kafka_send_offsets_to_transaction(
    rd_kafka_t* client, const rd_kafka_topic_partition_list_t* list,
    const rd_kafka_consumer_group_metadata_t* member, int timeout_ms) {
  if (member == nullptr) return as_error(RD_KAFKA_RESP_ERR__INVALID_ARG);
  std::vector<Offset> offsets;
  for (int i = 0; i < list->cnt; ++i) {
    offsets.push_back({{list->elems[i].topic, list->elems[i].partition}, list->elems[i].offset});
  }
  return as_error(
      client->client->producer->send_offsets(member->id, std::move(offsets), micros(timeout_ms)));
}

// --- producing
// --------------------------------------------------------------------------------------

rd_kafka_error_t* rd_kafka_produceva(rd_kafka_t* client, const rd_kafka_vu_t* fields,
                                     std::size_t count) {
  std::string topic;
  int partition = RD_KAFKA_PARTITION_UA;
  Outgoing message;
  rd_kafka_headers_t* headers = nullptr;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& value = fields[i].u;
    switch (fields[i].vtype) {
      case RD_KAFKA_VTYPE_RKT:
        topic = value.rkt->name;
        break;
      case RD_KAFKA_VTYPE_PARTITION:
        partition = value.i32;
        break;
      case RD_KAFKA_VTYPE_KEY:
        message.record.has_key = value.mem.ptr != nullptr;
        message.record.key = bytes_of(value.mem.ptr, value.mem.size);
        break;
      case RD_KAFKA_VTYPE_VALUE:
        message.record.has_value = value.mem.ptr != nullptr;
        message.record.value = bytes_of(value.mem.ptr, value.mem.size);
        break;
      case RD_KAFKA_VTYPE_OPAQUE:
        message.opaque = value.ptr;
        break;
      case RD_KAFKA_VTYPE_TIMESTAMP:
        message.record.time_ms = value.i64;
        break;
      case RD_KAFKA_VTYPE_HEADERS:
        headers = value.headers;
        break;
      default:
        break;
    }
  }
  if (headers != nullptr) copy_headers(message.record, headers);
  const auto error = produce(*client->client, topic, partition, std::move(message));
  // After an error they are the caller's.
  if (!error && headers != nullptr) rd_kafka_headers_destroy(headers);
  return as_error(error);
}

rd_kafka_resp_err_t rd_kafka_producev(rd_kafka_t* client, ...) {
  std::string topic;
  int partition = RD_KAFKA_PARTITION_UA;
  Outgoing message;
  va_list list;
  va_start(list, client);
  for (;;) {
    const auto type = static_cast<rd_kafka_vtype_t>(va_arg(list, int));
    if (type == RD_KAFKA_VTYPE_END) break;
    if (type == RD_KAFKA_VTYPE_TOPIC) topic = va_arg(list, const char*);
    if (type == RD_KAFKA_VTYPE_PARTITION) partition = va_arg(list, int);
    if (type == RD_KAFKA_VTYPE_MSGFLAGS) static_cast<void>(va_arg(list, int));
    if (type == RD_KAFKA_VTYPE_OPAQUE) message.opaque = va_arg(list, void*);
    if (type == RD_KAFKA_VTYPE_KEY || type == RD_KAFKA_VTYPE_VALUE) {
      const void* const at = va_arg(list, const void*);
      const std::size_t size = va_arg(list, std::size_t);
      const bool key = type == RD_KAFKA_VTYPE_KEY;
      (key ? message.record.has_key : message.record.has_value) = at != nullptr;
      (key ? message.record.key : message.record.value) = bytes_of(at, size);
    }
  }
  va_end(list);
  return produce(*client->client, topic, partition, std::move(message));
}

int rd_kafka_produce_batch(rd_kafka_topic_t* topic, std::int32_t partition, int,
                           rd_kafka_message_t* messages, int count) {
  int taken = 0;
  for (int i = 0; i < count; ++i) {
    Outgoing message;
    message.record.has_key = messages[i].key != nullptr;
    message.record.key = bytes_of(messages[i].key, messages[i].key_len);
    message.record.has_value = messages[i].payload != nullptr;
    message.record.value = bytes_of(messages[i].payload, messages[i].len);
    message.opaque = messages[i]._private;
    messages[i].err = produce(*topic->client, topic->name, partition, std::move(message));
    if (messages[i].err == RD_KAFKA_RESP_ERR_NO_ERROR) ++taken;
  }
  return taken;
}

rd_kafka_resp_err_t rd_kafka_flush(rd_kafka_t* client, int timeout_ms) {
  if (timeout_ms == 0 || !client->client->alive()) {  // also in destructors
    if (client->client->alive()) client->client->producer->serve();
    return RD_KAFKA_RESP_ERR__TIMED_OUT;
  }
  return client->client->producer->flush(micros(timeout_ms));
}

rd_kafka_resp_err_t rd_kafka_purge(rd_kafka_t* client, int) {
  if (client->client->alive()) client->client->producer->purge();
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

// --- reading
// ----------------------------------------------------------------------------------------

rd_kafka_resp_err_t rd_kafka_poll_set_consumer(rd_kafka_t*) { return RD_KAFKA_RESP_ERR_NO_ERROR; }

rd_kafka_resp_err_t rd_kafka_assign(rd_kafka_t* client,
                                    const rd_kafka_topic_partition_list_t* list) {
  client->client->reader->assign(list, true);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}
rd_kafka_error_t* rd_kafka_incremental_assign(rd_kafka_t* client,
                                              const rd_kafka_topic_partition_list_t* list) {
  if (client->client->callbacks.rebalance != nullptr) {
    client->client->member->assign_called(list, true);
  } else {
    client->client->reader->assign(list, false);
  }
  return nullptr;
}
rd_kafka_error_t* rd_kafka_incremental_unassign(rd_kafka_t* client,
                                                const rd_kafka_topic_partition_list_t* list) {
  if (client->client->callbacks.rebalance != nullptr) {
    client->client->member->assign_called(list, false);
  } else {
    client->client->reader->unassign(list);
  }
  return nullptr;
}

rd_kafka_error_t* rd_kafka_seek_partitions(rd_kafka_t* client,
                                           rd_kafka_topic_partition_list_t* list, int) {
  client->client->reader->seek(list);
  return nullptr;
}

rd_kafka_queue_t* rd_kafka_queue_new(rd_kafka_t* client) {
  return new rd_kafka_queue_t{.client = client->client.get()};
}
rd_kafka_queue_t* rd_kafka_queue_get_consumer(rd_kafka_t* client) {
  return new rd_kafka_queue_t{.client = client->client.get(), .of_consumer = true};
}
rd_kafka_queue_t* rd_kafka_queue_get_partition(rd_kafka_t* client, const char* topic,
                                               std::int32_t partition) {
  return new rd_kafka_queue_t{.client = client->client.get(), .partition = {topic, partition}};
}
void rd_kafka_queue_forward(rd_kafka_queue_t* from, rd_kafka_queue_t* to) {
  from->client->reader->forward(from->partition, to);
}
void rd_kafka_event_destroy(rd_kafka_event_t* event) { delete event; }
void rd_kafka_queue_destroy(rd_kafka_queue_t* queue) {
  for (rd_kafka_event_t* event : queue->events) rd_kafka_event_destroy(event);
  if (queue->client->reader) queue->client->reader->forget(queue);
  delete queue;
}

ssize_t rd_kafka_consume_batch_queue(rd_kafka_queue_t* queue, int timeout_ms,
                                     rd_kafka_message_t** messages, std::size_t most) {
  return static_cast<ssize_t>(
      queue->client->reader->fetch(*queue, micros(timeout_ms), messages, most));
}

rd_kafka_resp_err_t rd_kafka_pause_partitions(rd_kafka_t* client,
                                              rd_kafka_topic_partition_list_t* list) {
  client->client->reader->pause(list, true);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}
rd_kafka_resp_err_t rd_kafka_resume_partitions(rd_kafka_t* client,
                                               rd_kafka_topic_partition_list_t* list) {
  client->client->reader->pause(list, false);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_message_t* rd_kafka_consume_queue(rd_kafka_queue_t* queue, int timeout_ms) {
  rd_kafka_message_t* message = nullptr;
  return rd_kafka_consume_batch_queue(queue, timeout_ms, &message, 1) > 0 ? message : nullptr;
}

void rd_kafka_message_destroy(rd_kafka_message_t* message) {
  auto* const own = static_cast<Message*>(message);
  if (own->header_list != nullptr) rd_kafka_headers_destroy(own->header_list);
  delete own;
}
const char* rd_kafka_message_errstr(const rd_kafka_message_t* message) {
  return rd_kafka_err2str(message->err);
}
std::int64_t rd_kafka_message_timestamp(const rd_kafka_message_t* message,
                                        rd_kafka_timestamp_type_t* type) {
  if (type != nullptr) *type = RD_KAFKA_TIMESTAMP_CREATE_TIME;
  return static_cast<const Message*>(message)->time_ms;
}
rd_kafka_resp_err_t rd_kafka_message_headers(const rd_kafka_message_t* message,
                                             rd_kafka_headers_t** headers) {
  *headers = static_cast<const Message*>(message)->header_list;
  return *headers == nullptr ? RD_KAFKA_RESP_ERR__NOENT : RD_KAFKA_RESP_ERR_NO_ERROR;
}

// The model keeps no copy of what brokers have said: a client then says that it does not know.
rd_kafka_resp_err_t rd_kafka_get_watermark_offsets(rd_kafka_t*, const char*, std::int32_t,
                                                   std::int64_t* low, std::int64_t* high) {
  *low = *high = RD_KAFKA_OFFSET_INVALID;
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t rd_kafka_query_watermark_offsets(rd_kafka_t* client, const char* topic,
                                                     std::int32_t partition, std::int64_t* low,
                                                     std::int64_t* high, int timeout_ms) {
  Client& own = *client->client;
  const auto marks = std::make_shared<std::pair<std::int64_t, std::int64_t>>();
  const bool committed = !own.reader || own.reader->committed_only();
  const auto error = ask(
      own, timeout_ms, [marks, committed, &own = own.broker(), id = PartitionId(topic, partition)] {
        const auto* const log = own.log(id);
        if (log == nullptr) return RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
        *marks = {log->begin, committed ? log->stable() : log->next};
        return RD_KAFKA_RESP_ERR_NO_ERROR;
      });
  *low = marks->first;
  *high = marks->second;
  return error;
}

// --- topics
// -----------------------------------------------------------------------------------------

rd_kafka_topic_t* rd_kafka_topic_new(rd_kafka_t* client, const char* name,
                                     rd_kafka_topic_conf_t* conf) {
  if (conf != nullptr) rd_kafka_topic_conf_destroy(conf);
  return client->client->topic(name);
}
void rd_kafka_topic_destroy(rd_kafka_topic_t*) {}  // the client's
const char* rd_kafka_topic_name(const rd_kafka_topic_t* topic) { return topic->name.c_str(); }

rd_kafka_resp_err_t rd_kafka_metadata(rd_kafka_t* client, int all, rd_kafka_topic_t* only,
                                      const struct rd_kafka_metadata** answer, int timeout_ms) {
  *answer = nullptr;
  if (const auto error =
          ask(*client->client, timeout_ms, [] { return RD_KAFKA_RESP_ERR_NO_ERROR; })) {
    return error;
  }
  std::vector<std::string> names;
  if (only != nullptr) names.push_back(only->name);
  if (all != 0) {
    for (const auto& [name, topic] : client->client->broker().topics()) names.push_back(name);
  }
  auto* const made = new rd_kafka_metadata_t{};
  made->topic_cnt = static_cast<int>(names.size());
  made->topics = new rd_kafka_metadata_topic_t[names.size()]{};
  for (std::size_t t = 0; t < names.size(); ++t) {
    rd_kafka_metadata_topic_t& topic = made->topics[t];
    topic.topic = ::strdup(names[t].c_str());
    const auto* const found = client->client->broker().topic(names[t]);
    if (found == nullptr) {
      topic.err = RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
      continue;
    }
    topic.partition_cnt = static_cast<int>(found->logs.size());
    topic.partitions = new rd_kafka_metadata_partition_t[found->logs.size()]{};
    for (int p = 0; p < topic.partition_cnt; ++p) {
      const auto& log = found->logs[static_cast<std::size_t>(p)];
      topic.partitions[p].id = p;
      topic.partitions[p].leader = client->client->scheduler().now() < log.away_until ? -1 : 1;
    }
  }
  *answer = made;
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

void rd_kafka_metadata_destroy(const struct rd_kafka_metadata* metadata) {
  if (metadata == nullptr) return;
  for (int t = 0; t < metadata->topic_cnt; ++t) {
    std::free(metadata->topics[t].topic);
    delete[] metadata->topics[t].partitions;
  }
  delete[] metadata->topics;
  delete metadata;
}

rd_kafka_NewTopic_t* rd_kafka_NewTopic_new(const char* name, int partitions, int, char*,
                                           std::size_t) {
  return new rd_kafka_NewTopic_t{name, partitions, false};
}
void rd_kafka_NewTopic_destroy(rd_kafka_NewTopic_t* topic) { delete topic; }
rd_kafka_resp_err_t rd_kafka_NewTopic_set_config(rd_kafka_NewTopic_t* topic, const char* name,
                                                 const char* value) {
  if (std::strcmp(name, "cleanup.policy") == 0) {
    topic->compacted = std::strcmp(value, "compact") == 0;
  }
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

void rd_kafka_CreateTopics(rd_kafka_t* client, rd_kafka_NewTopic_t** topics, std::size_t count,
                           const rd_kafka_AdminOptions_t*, rd_kafka_queue_t* queue) {
  auto& broker = client->client->broker();
  std::vector<rd_kafka_NewTopic_t> wanted;
  for (std::size_t i = 0; i < count; ++i) wanted.push_back(*topics[i]);
  const auto results = std::make_shared<std::vector<rd_kafka_topic_result_t>>(count);
  auto event = std::make_unique<rd_kafka_event_t>();
  event->error = ask(*client->client, 30'000, [&broker, results, wanted] {
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const bool exists = broker.topic(wanted[i].name) != nullptr;
      (*results)[i].error =
          exists ? RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS : RD_KAFKA_RESP_ERR_NO_ERROR;
      if (!exists) broker.create(wanted[i].name, wanted[i].partitions, wanted[i].compacted);
    }
    return RD_KAFKA_RESP_ERR_NO_ERROR;
  });
  event->results = *results;
  for (const auto& result : event->results) event->list.push_back(&result);
  queue->events.push_back(event.release());
}

rd_kafka_DeleteRecords_t* rd_kafka_DeleteRecords_new(const rd_kafka_topic_partition_list_t* list) {
  auto* const made = new rd_kafka_DeleteRecords_t;
  for (int i = 0; i < list->cnt; ++i) {
    const auto& one = list->elems[i];
    made->offsets.push_back({{one.topic, one.partition}, one.offset});
  }
  return made;
}
void rd_kafka_DeleteRecords_destroy(rd_kafka_DeleteRecords_t* request) { delete request; }

void rd_kafka_DeleteRecords(rd_kafka_t* client, rd_kafka_DeleteRecords_t** requests, std::size_t,
                            const rd_kafka_AdminOptions_t*, rd_kafka_queue_t* queue) {
  auto& broker = client->client->broker();
  auto event = std::make_unique<rd_kafka_event_t>();
  event->error = ask(*client->client, 30'000, [&broker, offsets = requests[0]->offsets] {
    for (const Offset& one : offsets) broker.delete_records(one.partition, one.offset);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
  });
  queue->events.push_back(event.release());
}

// The event's own error is the only one that the simulated brokers give.
const rd_kafka_DeleteRecords_result_t* rd_kafka_event_DeleteRecords_result(
    rd_kafka_event_t* event) {
  return reinterpret_cast<const rd_kafka_DeleteRecords_result_t*>(event);
}
const rd_kafka_topic_partition_list_t* rd_kafka_DeleteRecords_result_offsets(
    const rd_kafka_DeleteRecords_result_t*) {
  return nullptr;
}

// The simulated brokers do not let anybody see the settings of topics.
rd_kafka_ConfigResource_t* rd_kafka_ConfigResource_new(rd_kafka_ResourceType_t, const char*) {
  return new rd_kafka_ConfigResource_t;
}
void rd_kafka_ConfigResource_destroy(rd_kafka_ConfigResource_t* resource) { delete resource; }
rd_kafka_AdminOptions_t* rd_kafka_AdminOptions_new(rd_kafka_t*, rd_kafka_admin_op_t) {
  return new rd_kafka_AdminOptions_t;
}
void rd_kafka_AdminOptions_destroy(rd_kafka_AdminOptions_t* options) { delete options; }
rd_kafka_resp_err_t rd_kafka_AdminOptions_set_broker(rd_kafka_AdminOptions_t*, std::int32_t, char*,
                                                     std::size_t) {
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}
void rd_kafka_DescribeConfigs(rd_kafka_t* client, rd_kafka_ConfigResource_t**, std::size_t,
                              const rd_kafka_AdminOptions_t*, rd_kafka_queue_t* queue) {
  auto event = std::make_unique<rd_kafka_event_t>();
  event->error = ask(*client->client, 30'000, [] { return RD_KAFKA_RESP_ERR_NO_ERROR; });
  queue->events.push_back(event.release());
}
const rd_kafka_DescribeConfigs_result_t* rd_kafka_event_DescribeConfigs_result(
    rd_kafka_event_t* event) {
  return reinterpret_cast<const rd_kafka_DescribeConfigs_result_t*>(event);
}
const rd_kafka_ConfigResource_t** rd_kafka_DescribeConfigs_result_resources(
    const rd_kafka_DescribeConfigs_result_t*, std::size_t* count) {
  static const rd_kafka_ConfigResource_t hidden;
  static const rd_kafka_ConfigResource_t* only = &hidden;
  *count = 1;
  return &only;
}
const char* rd_kafka_ConfigResource_name(const rd_kafka_ConfigResource_t*) { return "hidden"; }
rd_kafka_resp_err_t rd_kafka_ConfigResource_error(const rd_kafka_ConfigResource_t*) {
  return RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
}

rd_kafka_event_t* rd_kafka_queue_poll(rd_kafka_queue_t* queue, int) {
  if (queue->events.empty()) return nullptr;
  rd_kafka_event_t* const event = queue->events.front();
  queue->events.pop_front();
  return event;
}
rd_kafka_resp_err_t rd_kafka_event_error(rd_kafka_event_t* event) { return event->error; }
const rd_kafka_CreateTopics_result_t* rd_kafka_event_CreateTopics_result(rd_kafka_event_t* event) {
  return reinterpret_cast<const rd_kafka_CreateTopics_result_t*>(event);
}
const rd_kafka_topic_result_t** rd_kafka_CreateTopics_result_topics(
    const rd_kafka_CreateTopics_result_t* result, std::size_t* count) {
  const auto* event = reinterpret_cast<const rd_kafka_event_t*>(result);
  *count = event->list.size();
  return const_cast<const rd_kafka_topic_result_t**>(event->list.data());
}
rd_kafka_resp_err_t rd_kafka_topic_result_error(const rd_kafka_topic_result_t* result) {
  return result->error;
}
const char* rd_kafka_topic_result_error_string(const rd_kafka_topic_result_t* result) {
  return rd_kafka_err2str(result->error);
}

// --- groups
// -----------------------------------------------------------------------------------------

rd_kafka_resp_err_t rd_kafka_subscribe(rd_kafka_t* client,
                                       const rd_kafka_topic_partition_list_t* topics) {
  client->client->member->subscribe(topics->elems[0].topic);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}
rd_kafka_message_t* rd_kafka_consumer_poll(rd_kafka_t* client, int timeout_ms) {
  return client->client->member->poll(micros(timeout_ms));
}
rd_kafka_resp_err_t rd_kafka_consumer_close(rd_kafka_t* client) {
  client->client->member->close();
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}
rd_kafka_consumer_group_metadata_t* rd_kafka_consumer_group_metadata(rd_kafka_t* client) {
  return new rd_kafka_consumer_group_metadata_t{client->client->member->id()};
}
rd_kafka_consumer_group_metadata_t* rd_kafka_consumer_group_metadata_new(const char* group) {
  auto* const made = new rd_kafka_consumer_group_metadata_t;
  made->id.group = group;
  return made;
}
void rd_kafka_consumer_group_metadata_destroy(rd_kafka_consumer_group_metadata_t* metadata) {
  delete metadata;
}

}  // extern "C"
