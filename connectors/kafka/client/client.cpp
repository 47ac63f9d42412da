#include "connectors/kafka/client/client.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "connectors/kafka/client/errors.h"
#include "runtime/base/clock.h"

namespace huiliu::connectors::kafka {

using runtime::Config;
using runtime::Diagnostics;
using runtime::Option;
using runtime::OptionType;
using runtime::Result;
using runtime::Status;

namespace {

// Exactly once depends on these.
constexpr std::array kReserved = {"bootstrap.servers",
                                  "allow.auto.create.topics",
                                  "metadata.broker.list",
                                  "group.id",
                                  "group.instance.id",
                                  "enable.auto.commit",
                                  "enable.auto.offset.store",
                                  "auto.offset.reset",
                                  "isolation.level",
                                  "transactional.id",
                                  "enable.idempotence",
                                  "acks",
                                  "request.required.acks",
                                  "max.in.flight",
                                  "partitioner",
                                  "enable.partition.eof",
                                  "transaction.timeout.ms"};

void check_setting(const Config& settings, const std::string& name, const Config& value,
                   Diagnostics& diagnostics) {
  if (std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end()) {
    diagnostics.error(settings.key_place(name), fmt::format("'{}' is set by Huiliu", name),
                      "leave it out; what may be chosen is an option of its own");
    return;
  }
  const Conf scratch(rd_kafka_conf_new());
  char message[512];
  const rd_kafka_conf_res_t result =
      rd_kafka_conf_set(scratch.get(), name.c_str(), value.text().c_str(), message, sizeof message);
  if (result == RD_KAFKA_CONF_OK) return;
  const bool unknown = result == RD_KAFKA_CONF_UNKNOWN;
  diagnostics.error(unknown ? settings.key_place(name) : value.place(),
                    unknown          ? fmt::format("librdkafka has no setting '{}'", name)
                    : value.secret() ? fmt::format("'{}' does not take this value", name)
                                     : std::string(message),
                    "see CONFIGURATION.md of librdkafka");
}

void log_line(const rd_kafka_t* client, int level, const char*, const char* text) {
  constexpr int kError = 3, kWarning = 4, kNotice = 5;
  const auto at = level <= kError     ? spdlog::level::err
                  : level <= kWarning ? spdlog::level::warn
                  : level <= kNotice  ? spdlog::level::info
                                      : spdlog::level::debug;
  // Lost connections are retried; the reaction to a real error is logged by whoever reacts.
  const bool lost = level <= kError && std::string_view(text).find("refused") != std::string::npos;
  spdlog::log(lost ? spdlog::level::warn : at, "kafka {}: {}", rd_kafka_name(client), text);
}

// Without it librdkafka prints errors itself, again and again while a server is away.
void ignore_error(rd_kafka_t*, int, const char*, void*) {}

}  // namespace

std::vector<Option> connection_options(bool of_backend) {
  return {{.name = "bootstrap",
           .doc = std::string("Brokers to ask first: `host:port`, several with commas.") +
                  (of_backend ? "" : " Default: those of the topology's `backend`."),
           .required = of_backend},
          {.name = "settings",
           .type = OptionType::kMap,
           .doc = "Settings of librdkafka, passed through: TLS, SASL, timeouts, e.g. "
                  "`security.protocol: sasl_ssl`. Take secrets from `${ENV}` or `${file:path}`.",
           .members = {{.name = "value"}}}};
}

namespace {

bool uses_backend(const Config& node, const Config* backend) {
  return backend != nullptr && backend->is_map() && backend->string_or("type", "") == "kafka" &&
         !node.has("bootstrap");
}

}  // namespace

Connection connection_of(const Config& node, const Config* backend) {
  const bool shared = uses_backend(node, backend);
  const Config& from = shared ? *backend : node;
  Connection connection;
  connection.bootstrap = from.string_or("bootstrap", "");
  std::vector<const Config*> sections = {&node["settings"]};
  if (shared) sections.insert(sections.begin(), &from["settings"]);
  for (const Config* settings : sections) {
    if (!settings->is_map()) continue;
    for (const auto& [name, value] : settings->entries()) {
      if (value.is_scalar()) connection.settings.emplace_back(name, value.text());
    }
  }
  return connection;
}

void check_connection(const Config& node, const Config* backend, Diagnostics& diagnostics) {
  if (connection_of(node, backend).bootstrap.empty() && !diagnostics.has_errors()) {
    diagnostics.error(node.place(), "`bootstrap` is missing",
                      "name the brokers here, or use `backend: {type: kafka, bootstrap: ...}`");
  }
  // Those of the backend are checked with the backend.
  const Config& settings = node["settings"];
  if (!settings.is_map()) return;
  for (const auto& [name, value] : settings.entries()) {
    if (value.is_scalar()) check_setting(settings, name, value, diagnostics);
  }
}

namespace {

bool logs_in_by_token(const Settings& settings) {
  return std::any_of(settings.begin(), settings.end(), [](const auto& setting) {
    return setting.first.starts_with("sasl.mechanism") && setting.second == "OAUTHBEARER";
  });
}

}  // namespace

Result<Client> make_client(rd_kafka_type_t type, const Connection& connection, const Settings& own,
                           const std::function<void(rd_kafka_conf_t*)>& prepare) {
  Conf conf(rd_kafka_conf_new());
  char message[512];
  const auto set = [&](const std::string& name, const std::string& value) {
    return rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), message, sizeof message) ==
           RD_KAFKA_CONF_OK;
  };
  Settings all = {{"bootstrap.servers", connection.bootstrap},
                  {"client.id", "huiliu"},
                  // Who asks for a topic must not make it: it would have the brokers' settings, by
                  // which state is deleted after days, and a mistyped name would be a topic.
                  {"allow.auto.create.topics", "false"},
                  {"log.connection.close", "false"},
                  {"reconnect.backoff.ms", "50"},
                  {"reconnect.backoff.max.ms", "2000"}};
  if (type == RD_KAFKA_PRODUCER) {
    all.emplace_back("retry.backoff.ms", "20");
    all.emplace_back("linger.ms", "5");
  } else {
    // The client gives up a connection that does not answer for so long, as the Java client does.
    all.emplace_back("socket.timeout.ms", "30000");
  }
  all.insert(all.end(), connection.settings.begin(), connection.settings.end());
  all.insert(all.end(), own.begin(), own.end());
  for (const auto& [name, value] : all) {
    if (!set(name, value)) return Status::invalid(message);
  }
  rd_kafka_conf_set_log_cb(conf.get(), log_line);
  rd_kafka_conf_set_error_cb(conf.get(), ignore_error);
  const bool by_token = logs_in_by_token(all);
  if (by_token) rd_kafka_conf_enable_sasl_queue(conf.get(), 1);
  if (prepare) prepare(conf.get());
  Client client(rd_kafka_new(type, conf.get(), message, sizeof message));
  if (!client) return Status::invalid(fmt::format("cannot make a Kafka client: {}", message));
  (void)conf.release();  // the client has it
  // Tokens are refreshed on a thread of their own: nobody may be polling.
  if (by_token) {
    const Error error = take(rd_kafka_sasl_background_callbacks_enable(client.get()));
    if (error) spdlog::debug("kafka: {}", error.text);  // where librdkafka asks nobody
  }
  return client;
}

Status use_consumer_queue(rd_kafka_t* consumer) {
  return as_status(error_of(rd_kafka_poll_set_consumer(consumer)), "reading");
}

void close_consumer(Client client, std::shared_ptr<void> used_by_callbacks) {
  constexpr std::chrono::seconds kMost(5);
  if (!client) return;
  auto done = std::make_shared<std::promise<void>>();
  const std::future<void> ended = done->get_future();
  std::thread([done, handle = client.release(), used = std::move(used_by_callbacks)] {
    rd_kafka_destroy(handle);
    done->set_value();
  }).detach();
  if (ended.wait_for(kMost) != std::future_status::ready) {
    spdlog::warn("kafka: a client whose topic was deleted does not end; it is left behind");
  }
}

Error take(rd_kafka_error_t* error) {
  if (error == nullptr) return {};
  Error taken{rd_kafka_error_code(error), rd_kafka_error_string(error),
              rd_kafka_error_is_fatal(error) != 0, rd_kafka_error_is_retriable(error) != 0};
  rd_kafka_error_destroy(error);
  return taken;
}

Error error_of(rd_kafka_resp_err_t code) { return {code, rd_kafka_err2str(code), false, false}; }

namespace {

Status ended(const Error& error, const std::string& message) {
  return Status::fatal(fmt::format(
      "{}: it came {} times or more within {} s and more, and Huiliu does not know it as one that "
      "passes. See the brokers' log for code {}; a new start goes on at the last committed epoch",
      message, RepeatedErrors::kMost, RepeatedErrors::kLeastMs / 1000,
      static_cast<int>(error.code)));
}

/// Of the whole process: the openings of the backend come and go, and sources have own threads.
bool came_too_often(rd_kafka_resp_err_t code, std::int64_t now_ms) {
  static std::mutex mutex;
  static std::map<rd_kafka_resp_err_t, RepeatedErrors> repeated;
  const std::lock_guard lock(mutex);
  return repeated[code].too_often(now_ms);
}

}  // namespace

Status as_status(const Error& error, const std::string& what) {
  return as_status(error, what, runtime::system_clock().steady_ms());
}

Status as_status(const Error& error, const std::string& what, std::int64_t now_ms) {
  if (!error) return Status::ok();
  const ErrorRule rule = rule_of(error.code);
  const std::string message =
      fmt::format("{}: {} ({})", what, error.text, rd_kafka_err2name(error.code));
  switch (rule.reaction) {
    case Reaction::kReject:
    case Reaction::kEnd:
      return Status::invalid(fmt::format("{}; {}", message, rule.remedy));
    case Reaction::kFew:
      if (came_too_often(error.code, now_ms)) return ended(error, message);
      break;
    case Reaction::kRetry:
    case Reaction::kReopen:
      break;
  }
  return Status::restart(message);
}

Status unless_passing(const Error& error, const std::string& what) {
  constexpr std::int64_t kEveryMs = 10'000;
  static std::atomic<std::int64_t> said_ms = -kEveryMs;
  if (!error) return Status::ok();
  if (rule_of(error.code).reaction != Reaction::kRetry) return as_status(error, what);
  const std::int64_t now = runtime::system_clock().steady_ms();
  std::int64_t said = said_ms;
  if (now - said >= kEveryMs && said_ms.compare_exchange_strong(said, now)) {
    spdlog::info("{}: {} ({}); the client tries again", what, error.text,
                 rd_kafka_err2name(error.code));
  }
  return Status::ok();
}

}  // namespace huiliu::connectors::kafka
