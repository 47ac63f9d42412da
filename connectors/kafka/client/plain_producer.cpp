#include "connectors/kafka/client/plain_producer.h"

#include <fmt/format.h>

#include "connectors/kafka/client/topics.h"

namespace huiliu::connectors::kafka {

using runtime::Result;
using runtime::Status;

namespace {

struct Delivery {
  bool done = false;
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
};

void on_single_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
  auto* delivery = static_cast<Delivery*>(message->_private);
  delivery->done = true;
  delivery->error = message->err;
}

void on_refusal(rd_kafka_t*, int code, const char* text, void* refused) {
  const auto error = static_cast<rd_kafka_resp_err_t>(code);
  if (error == RD_KAFKA_RESP_ERR__AUTHENTICATION || error == RD_KAFKA_RESP_ERR__SSL) {
    *static_cast<Error*>(refused) = {error, text, false, false};
  }
}

}  // namespace

Result<PlainProducer> make_connected_producer(const Connection& connection) {
  constexpr int kStepMs = 1000;
  PlainProducer producer;
  producer.refused = std::make_unique<Error>();
  auto client = make_client(RD_KAFKA_PRODUCER, connection, {{"acks", "all"}, {"linger.ms", "0"}},
                            [&producer](rd_kafka_conf_t* conf) {
                              rd_kafka_conf_set_opaque(conf, producer.refused.get());
                              rd_kafka_conf_set_error_cb(conf, on_refusal);
                              rd_kafka_conf_set_dr_msg_cb(conf, on_single_delivery);
                            });
  if (!client.is_ok()) return client.status();
  producer.client = std::move(client.value());
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
  for (int waited = 0; waited < kRequestMs; waited += kStepMs) {
    const rd_kafka_metadata_t* found = nullptr;
    code = rd_kafka_metadata(producer.client.get(), 0, nullptr, &found, kStepMs);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
      rd_kafka_metadata_destroy(found);
      return producer;
    }
    rd_kafka_poll(producer.client.get(), 0);
    if (*producer.refused) return as_status(*producer.refused, "connecting");
  }
  return as_status(error_of(code), "connecting");
}

Status produce_one(rd_kafka_t* producer, const std::string& topic, std::string_view key,
                   std::string_view value) {
  // It is on the heap, since librdkafka may write the report after this call has returned.
  auto delivery = std::make_unique<Delivery>();
  const rd_kafka_resp_err_t code = rd_kafka_producev(
      producer, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(0),
      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key.data(), key.size()),
      RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
      RD_KAFKA_V_OPAQUE(delivery.get()), RD_KAFKA_V_END);
  const std::string what = "writing to " + topic;
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return as_status(error_of(code), what);
  (void)rd_kafka_flush(producer, kRequestMs);  // the report tells
  if (delivery->done) return as_status(error_of(delivery->error), what);
  Error error =
      error_of(rd_kafka_purge(producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT));
  if (!error) error = error_of(rd_kafka_flush(producer, kRequestMs));
  if (!error && delivery->done) return Status::restart(what + ": no answer");
  (void)delivery.release();
  return Status::restart(
      fmt::format("{}: no answer, and the record cannot be taken back ({})", what, error.text));
}

}  // namespace huiliu::connectors::kafka
