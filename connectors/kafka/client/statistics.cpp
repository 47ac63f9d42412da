#include "connectors/kafka/client/statistics.h"

#include <algorithm>

#include <rapidjson/document.h>

namespace huiliu::connectors::kafka {
namespace {

constexpr const char* kInterval = "statistics.interval.ms";

double number(const rapidjson::Value& object, const char* name) {
  const auto found = object.FindMember(name);
  return found != object.MemberEnd() && found->value.IsNumber() ? found->value.GetDouble() : 0;
}

bool is_up(const rapidjson::Value& broker) {
  const auto state = broker.FindMember("state");
  return state != broker.MemberEnd() && state->value == "UP";
}

// In seconds; 0 if nothing was measured.
double round_trip(const rapidjson::Value& broker) {
  constexpr double kMicro = 1e-6;
  const auto rtt = broker.FindMember("rtt");
  if (rtt == broker.MemberEnd() || !rtt->value.IsObject()) return 0;
  return number(rtt->value, "p99") * kMicro;
}

}  // namespace

Settings ClientStatistics::wanted(Settings own, const Connection& connection) {
  const bool said = std::any_of(connection.settings.begin(), connection.settings.end(),
                                [](const auto& setting) { return setting.first == kInterval; });
  if (!said) own.emplace_back(kInterval, "5000");
  return own;
}

void ClientStatistics::take(std::string_view json) {
  rapidjson::Document document;
  document.Parse(json.data(), json.size());
  if (document.HasParseError() || !document.IsObject()) return;
  Numbers now;
  now.queued = number(document, "msg_cnt");
  now.queued_bytes = number(document, "msg_size");
  now.sent_bytes = number(document, "tx_bytes");
  now.received_bytes = number(document, "rx_bytes");
  const auto brokers = document.FindMember("brokers");
  if (brokers != document.MemberEnd() && brokers->value.IsObject()) {
    for (const auto& [name, broker] : brokers->value.GetObject()) {
      if (!broker.IsObject()) continue;
      now.errors += number(broker, "txerrs") + number(broker, "rxerrs");
      now.timeouts += number(broker, "req_timeouts");
      now.disconnects += number(broker, "disconnects");
      now.waiting += number(broker, "waitresp_cnt");
      now.up += is_up(broker) ? 1 : 0;
      now.round_trip_s = std::max(now.round_trip_s, round_trip(broker));
    }
  }
  const std::lock_guard lock(mutex_);
  last_ = now;
  taken_ = true;
}

std::vector<runtime::Figure> ClientStatistics::figures(const std::string& client) const {
  const std::lock_guard lock(mutex_);
  if (!taken_) return {};
  const std::vector<std::pair<std::string, std::string>> labels = {{"client", client}};
  return {
      {"kafka_client_queued_messages", "Messages that a client holds and has not sent.", labels,
       last_.queued},
      {"kafka_client_queued_bytes", "What these messages take.", labels, last_.queued_bytes},
      {"kafka_client_sent_bytes_total", "Bytes that a client has sent to brokers.", labels,
       last_.sent_bytes, true},
      {"kafka_client_received_bytes_total", "Bytes that it has received.", labels,
       last_.received_bytes, true},
      {"kafka_client_errors_total", "Sendings and receptions that failed.", labels, last_.errors,
       true},
      {"kafka_client_request_timeouts_total", "Requests that were given up.", labels,
       last_.timeouts, true},
      {"kafka_client_disconnects_total", "Connections to brokers that were lost.", labels,
       last_.disconnects, true},
      {"kafka_client_waiting_requests", "Requests that brokers have not answered yet.", labels,
       last_.waiting},
      {"kafka_client_connected_brokers", "Brokers that a client is connected to.", labels,
       last_.up},
      {"kafka_client_round_trip_seconds",
       "Time until a request is answered, which 99 % do not reach, at the slowest broker.", labels,
       std::max(0.0, last_.round_trip_s)},
  };
}

}  // namespace huiliu::connectors::kafka
