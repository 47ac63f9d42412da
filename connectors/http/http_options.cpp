#include "connectors/http/http_options.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "runtime/base/listen_address.h"

namespace huiliu::connectors {

using runtime::Option;
using runtime::OptionType;

namespace {

constexpr const char* kOfRows[] = {"encoding", "delimiter",     "sheet", "fields",
                                   "mappings", "max_row_bytes", "codes", "max_depth"};

bool is_loopback(const std::string& address) {
  const auto parsed = runtime::parse_listen_address(address);
  return parsed.is_ok() &&
         (parsed.value().first.starts_with("127.") || parsed.value().first == "::1");
}

}  // namespace

std::vector<Option> http_source_options() {
  std::vector<Option> options = {
      {.name = "listen",
       .type = OptionType::kString,
       .doc = "IP:PORT to listen on; other machines than this one need `senders`.",
       .default_text = "127.0.0.1:8080"},
      {.name = "tls",
       .type = OptionType::kMap,
       .doc = "Files in PEM form: `certificate` and `key` of this server, `client_ca` to let in "
              "only clients with a certificate of it.",
       .members = {{.name = "file", .type = OptionType::kPath}}},
      {.name = "senders",
       .type = OptionType::kPath,
       .doc = "A CSV file with a heading: `sender`, `token_sha256` (the token's hash in hex), and "
              "if wanted `rows_per_minute` and `until` (a day). It is read again when it changes. "
              "Without it only this machine may send, as sender `local`."},
      {.name = "bad_rows",
       .type = OptionType::kEnum,
       .doc = "A request with rows that cannot be read: `reject` takes it, and those rows go to "
              "`rejects`; `refuse` takes nothing of it and answers 422 with the rows.",
       .default_text = "reject",
       .choices = {"reject", "refuse"}},
      {.name = "max_body",
       .type = OptionType::kSize,
       .doc = "A larger request is refused with 413.",
       .default_text = "16MiB"},
      {.name = "max_bodies",
       .type = OptionType::kSize,
       .doc = "What all requests together that are being received may take of the memory; beyond, "
              "requests get 503.",
       .default_text = "256MiB"},
      {.name = "connections",
       .type = OptionType::kInt,
       .doc = "Beyond, the one that has been silent longest is closed.",
       .default_text = "1000",
       .minimum = 1,
       .maximum = 100000},
      {.name = "most",
       .type = OptionType::kSize,
       .doc = "What may wait to be committed; beyond, requests get 429.",
       .default_text = "1GiB"},
      {.name = "keep",
       .type = OptionType::kDuration,
       .doc = "How long requests are kept after they were committed.",
       .default_text = "0s"},
      {.name = "keys",
       .type = OptionType::kDuration,
       .doc = "How long an Idempotency-Key is known at least.",
       .default_text = "24h"}};
  std::vector<Option> rows = codecs::file_source_options();
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(options), [](const Option& option) {
    return std::find(std::begin(kOfRows), std::end(kOfRows), option.name) != std::end(kOfRows);
  });
  return options;
}

HttpOptions parse_http_options(const runtime::Config& config, runtime::Diagnostics& diagnostics) {
  HttpOptions options;
  options.rows = codecs::parse_file_options(config, diagnostics);
  options.rows.quiet = true;
  options.listen = config.string_or("listen", "127.0.0.1:8080");
  const auto address = runtime::parse_listen_address(options.listen);
  if (!address.is_ok()) {
    diagnostics.error(config["listen"].place(), address.status().message());
  }
  if (config["tls"].is_map()) {
    const runtime::Config& tls = config["tls"];
    options.tls = net::TlsOptions{tls.string_or("certificate", ""), tls.string_or("key", ""),
                                  tls.string_or("client_ca", "")};
    for (const auto& [name, value] : tls.entries()) {
      if (name == "certificate" || name == "key" || name == "client_ca") continue;
      diagnostics.error(value.place(), fmt::format("there is no '{}' in `tls`", name),
                        runtime::nearest_hint(name, {"certificate", "key", "client_ca"}));
    }
    if (options.tls->certificate.empty() || options.tls->key.empty()) {
      diagnostics.error(tls.place(), "`tls` needs `certificate` and `key`");
    }
  }
  options.senders = config.string_or("senders", "");
  if (address.is_ok() && options.senders.empty() && !is_loopback(options.listen)) {
    diagnostics.error(config["listen"].place(),
                      "other machines could send, and nothing says who may",
                      "name a file in `senders`, or listen on 127.0.0.1");
  }
  if (config.string_or("bad_rows", "reject") == "refuse") options.bad_rows = BadRows::kRefuse;
  if (config.has("max_body")) options.max_body = config["max_body"].as_size();
  if (config.has("max_bodies")) options.max_bodies = config["max_bodies"].as_size();
  if (options.max_bodies < options.max_body) {
    diagnostics.error(config.key_place(config.has("max_bodies") ? "max_bodies" : "max_body"),
                      "`max_bodies` must be `max_body` at least");
  }
  options.connections = static_cast<std::size_t>(config.int_or("connections", 1000));
  if (config.has("most")) options.intake.most_bytes = config["most"].as_size();
  if (config.has("keep")) options.intake.keep_ms = config["keep"].as_duration().count();
  if (config.has("keys")) options.intake.keys_ms = config["keys"].as_duration().count();
  if (options.intake.most_bytes < options.max_body) {
    diagnostics.error(config.key_place(config.has("most") ? "most" : "max_body"),
                      "`most` must be `max_body` at least: no request of that size could be taken");
  }
  return options;
}

}  // namespace huiliu::connectors
