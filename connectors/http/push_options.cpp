#include "connectors/http/push_options.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "codecs/receipts.h"

namespace huiliu::connectors {

using runtime::Config;
using runtime::Diagnostics;
using runtime::Option;
using runtime::OptionType;

namespace {

/// Headers that the sink sets itself.
constexpr const char* kOwnHeaders[] = {
    "authorization", "content-length",    "content-type", "date",           "host",
    "x-batch",       "x-batch-rows",      "x-batch-hash", "x-signature",    "connection",
    "expect",        "transfer-encoding", "upgrade",      "idempotency-key"};

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_';
  });
}

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
}

// A user name in it would be a secret that stands in logs.
void parse_url(const Config& node, PushOptions& options, Diagnostics& diagnostics) {
  const std::string url = node.as_string();
  const bool tls = url.starts_with("https://");
  if (!tls && !url.starts_with("http://")) {
    diagnostics.error(node.place(), "`url` begins with http:// or https://");
    return;
  }
  const std::size_t begin = url.find("//") + 2;
  const std::size_t end = std::min(url.find_first_of("/?#", begin), url.size());
  std::string host = url.substr(begin, end - begin);
  options.target = url.substr(end);
  if (options.target.empty() || options.target.front() != '/') options.target.insert(0, "/");
  const bool plain = is_printable(url) && url.find_first_of(" #") == std::string::npos;
  if (host.empty() || host.find('@') != std::string::npos || !plain) {
    diagnostics.error(node.place(),
                      "`url` is http(s)://HOST[:PORT]/PATH without a user, blanks or '#'",
                      "who pushes is said with `token`");
    return;
  }
  const std::size_t colon = host.find(':', host.front() == '[' ? host.find(']') : 0);
  if (colon == std::string::npos) host += tls ? ":443" : ":80";
  options.server = (tls ? "https://" : "http://") + host;
}

void parse_tls(const Config& tls, PushOptions& options, Diagnostics& diagnostics) {
  if (!tls.is_map()) return;
  options.trust.ca = tls.string_or("ca", "");
  options.trust.certificate = tls.string_or("certificate", "");
  options.trust.key = tls.string_or("key", "");
  if (options.trust.certificate.empty() != options.trust.key.empty()) {
    diagnostics.error(tls.place(), "`certificate` and `key` go together");
  }
  if (!options.server.starts_with("https://")) {
    diagnostics.error(tls.place(), "`tls` is of no use: `url` begins with http://");
  }
}

void parse_headers(const Config& headers, PushOptions& options, Diagnostics& diagnostics) {
  if (!headers.is_map()) return;
  for (const auto& [name, value] : headers.entries()) {
    std::string lower = name;
    std::ranges::transform(lower, lower.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (std::ranges::find(kOwnHeaders, lower) != std::end(kOwnHeaders)) {
      diagnostics.error(value.place(), fmt::format("the sink sets header '{}' itself", name));
    } else if (!is_token(name) || !is_printable(value.text())) {
      diagnostics.error(value.place(), fmt::format("'{}' is no header", name));
    } else {
      options.headers.emplace_back(name, value.text());
    }
  }
}

void parse_secrets(const Config& config, PushOptions& options, Diagnostics& diagnostics) {
  options.token = config.string_or("token", "");
  options.token_file = config.string_or("token_file", "");
  options.hmac_key = config.string_or("hmac_key", "");
  options.hmac_key_file = config.string_or("hmac_key_file", "");
  for (const char* name : {"token", "hmac_key"}) {
    const std::string file = std::string(name) + "_file";
    if (config.has(name) && config.has(file)) {
      diagnostics.error(config.key_place(file),
                        fmt::format("`{}` and `{}` say the same: take one", name, file));
    }
    if (config.has(name) && config[name].as_string().empty()) {
      diagnostics.error(config[name].place(), fmt::format("`{}` is empty", name));
    }
  }
  if (!is_printable(options.token)) {
    diagnostics.error(config["token"].place(), "`token` has a line end or another control byte");
  }
  if (config.string_or("signature", "hmac-sha256") == "hmac-sm3") options.mac = net::MacHash::kSm3;
}

// What the receiver refuses must be somewhere.
void check_refused_rows(const PushOptions& options, const runtime::SinkDeclaration& declaration) {
  Diagnostics& diagnostics = declaration.diagnostics;
  if (!options.receipts && options.dead_letters.empty()) {
    diagnostics.error(declaration.config.place(), "rows that the receiver refuses go nowhere",
                      "give `dead_letters: FILE`, or let a node read `SINK.receipts`");
  }
  if (!options.receipts) return;
  const runtime::Schema sent = sent_schema(options, declaration);
  if (const std::string_view taken = codecs::taken_receipt_field(sent); !taken.empty()) {
    diagnostics.error(
        declaration.config["fields"].place(),
        fmt::format("a row is sent with a field '{}', which receipts have themselves", taken),
        "send it by another name (`fields: [{name: ..., field: ...}]`)");
  }
}

Option file(const char* name, const char* doc) {
  return {.name = name, .type = OptionType::kPath, .doc = doc};
}

}  // namespace

std::vector<Option> push_options() {
  return {
      {.name = "url",
       .type = OptionType::kString,
       .doc = "Where batches are posted to: http(s)://HOST[:PORT]/PATH.",
       .required = true},
      {.name = "format",
       .type = OptionType::kEnum,
       .doc = "How rows stand in a request: a line each, or an array.",
       .default_text = "ndjson",
       .choices = {"ndjson", "json"}},
      {.name = "fields",
       .type = OptionType::kAny,
       .doc = "What is sent, in order: a list of field names, or of maps with `name` (as it is "
              "sent), `field` (of the stream; default: the name) and `default` (for null). "
              "Default: all fields."},
      {.name = "nulls",
       .type = OptionType::kEnum,
       .doc = "What becomes of a null without a `default`: left out, sent as null, or as an empty "
              "text or 0.",
       .default_text = "omit",
       .choices = {"omit", "null", "default"}},
      {.name = "batch_rows",
       .type = OptionType::kInt,
       .doc = "Rows of a request at most. What one epoch wrote begins a new request.",
       .default_text = "100",
       .minimum = 1,
       .maximum = 100000},
      {.name = "dead_letters",
       .type = OptionType::kPath,
       .doc =
           "File that rows go to which the receiver refuses, as NDJSON: row, code, message, "
           "batch, time. It is on disk before the position moves on. Default: there is none, and "
           "such rows go to `SINK.rejects`, which must be read then or be named by the "
           "topology's `rejects` together with a node that reads `SINK.receipts`."},
      {.name = "token",
       .type = OptionType::kString,
       .doc = "Sent as `Authorization: Bearer`. It is a secret: write ${NAME} or ${file:PATH}."},
      file("token_file",
           "File with the token, of which other users can read nothing; read again "
           "after a 401 or 403, so that a token is replaced without a restart."),
      {.name = "hmac_key",
       .type = OptionType::kString,
       .doc = "With it each request has an `X-Signature`. A secret, as `token`."},
      file("hmac_key_file", "File with the key, as `token_file`."),
      {.name = "signature",
       .type = OptionType::kEnum,
       .doc = "How requests are signed.",
       .default_text = "hmac-sha256",
       .choices = {"hmac-sha256", "hmac-sm3"}},
      {.name = "tls",
       .type = OptionType::kObject,
       .doc = "For https.",
       .members = {file("ca",
                        "PEM file of the receiver's authority; default: those of the machine."),
                   file("certificate", "PEM file of who pushes, if the receiver asks for one."),
                   file("key", "Of the certificate, not encrypted.")}},
      {.name = "headers",
       .type = OptionType::kMap,
       .doc = "Further headers.",
       .members = {{.name = "value", .type = OptionType::kString}}},
      {.name = "timeout",
       .type = OptionType::kDuration,
       .doc = "How long the answer to a request is waited for.",
       .default_text = "30s"},
      {.name = "breaker",
       .type = OptionType::kInt,
       .doc = "After so many failures in a row it pauses longer, up to `longest_pause`, and tries "
              "one request each time.",
       .default_text = "5",
       .minimum = 1,
       .maximum = 1000},
      {.name = "longest_pause",
       .type = OptionType::kDuration,
       .doc = "Between two tries; a longer Retry-After is cut to it.",
       .default_text = "60s"},
      runtime::outbox_option()};
}

PushOptions parse_push_options(runtime::SinkDeclaration& declaration) {
  const Config& config = declaration.config;
  Diagnostics& diagnostics = declaration.diagnostics;
  PushOptions options;
  if (config["url"].is_scalar()) parse_url(config["url"], options, diagnostics);
  parse_tls(config["tls"], options, diagnostics);
  parse_headers(config["headers"], options, diagnostics);
  parse_secrets(config, options, diagnostics);
  options.columns =
      codecs::parse_columns(config["fields"], declaration.inputs, declaration.diagnostics);
  const std::string nulls = config.string_or("nulls", "omit");
  if (nulls == "null") options.nulls = codecs::Nulls::kNull;
  if (nulls == "default") options.nulls = codecs::Nulls::kDefault;
  options.json = config.string_or("format", "ndjson") == "json";
  options.batch_rows = static_cast<std::size_t>(config.int_or("batch_rows", 100));
  if (config.has("timeout")) options.timeout = config["timeout"].as_duration();
  if (config.has("longest_pause")) options.longest_pause = config["longest_pause"].as_duration();
  options.breaker = static_cast<unsigned>(config.int_or("breaker", 5));
  options.dead_letters = config.string_or("dead_letters", "");
  options.receipts = declaration.receipts_read;
  check_refused_rows(options, declaration);
  return options;
}

runtime::Schema sent_schema(const PushOptions& options, const runtime::SinkDeclaration& sink) {
  std::vector<runtime::Field> fields;
  for (const codecs::OutputColumn& column : options.columns) {
    std::optional<runtime::Type> type;
    for (const runtime::Schema* input : sink.inputs) {
      const auto index = input->index_of(column.field);
      if (!index) continue;
      const runtime::Type here = (*input)[*index].type;
      type = type && *type != here ? runtime::Type::kString : here;
    }
    fields.push_back({column.name, type.value_or(runtime::Type::kString)});
  }
  return runtime::Schema(std::move(fields));
}

std::string entries_of(const PushOptions& options) {
  std::string text = fmt::format("{} of {} rows nulls={} (", options.json ? "json" : "ndjson",
                                 options.batch_rows, static_cast<int>(options.nulls));
  for (const codecs::OutputColumn& column : options.columns) {
    text += fmt::format("{}={}:{} ", column.name, column.field, column.absent.value_or(""));
  }
  text.back() = ')';
  return text;
}

}  // namespace huiliu::connectors
