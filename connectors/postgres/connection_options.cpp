#include "connectors/postgres/connection_options.h"

#include <algorithm>
#include <map>
#include <memory>

#include <fmt/format.h>
#include <libpq-fe.h>

namespace huiliu::connectors::postgres {

using runtime::Config;
using runtime::Diagnostics;
using runtime::Option;
using runtime::OptionType;

namespace {

struct Free {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using Options = std::unique_ptr<PQconninfoOption, Free>;

/// Half-open connections end after some 30 s, also while nothing is sent.
const Settings kDefaults = {{"client_encoding", "UTF8"},
                            {"application_name", "huiliu"},
                            {"keepalives", "1"},
                            {"keepalives_idle", "10"},
                            {"keepalives_interval", "5"},
                            {"keepalives_count", "4"},
                            {"tcp_user_timeout", "30000"},
                            // Of several hosts the one that takes rows.
                            {"target_session_attrs", "read-write"}};

void check_settings(const Config& node, Diagnostics& diagnostics) {
  if (!node.is_map()) return;
  std::vector<std::string> known;
  const Options all(PQconndefaults());
  for (const PQconninfoOption* option = all.get(); option != nullptr && option->keyword != nullptr;
       ++option) {
    known.emplace_back(option->keyword);
  }
  for (const auto& [name, value] : node.entries()) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      diagnostics.error(node.key_place(name), fmt::format("libpq has no setting '{}'", name),
                        runtime::nearest_hint(name, known));
    } else if (!value.is_scalar()) {
      diagnostics.error(value.place(), fmt::format("expected a text for '{}'", name));
    }
  }
}

/// Whether a name or a password in the address has a sign that ends it: then a part of it would be
/// taken for a host, a port or a database, and be shown.
bool has_loose_signs(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  const std::size_t at = url.rfind('@');
  return at != std::string_view::npos && url.find_first_of("@/?#") < at;
}

/// Takes host, port and database out of the address; its text is never repeated, since a password
/// may stand in it.
void read_url(const Config& url, std::map<std::string, std::string>& found,
              Diagnostics& diagnostics) {
  if (has_loose_signs(url.text())) {
    diagnostics.error(url.place(), "`url` has signs in a name or a password that end it",
                      "in names and passwords write @ as %40, / as %2F, ? as %3F, # as %23");
    return;
  }
  char* why = nullptr;
  const Options parsed(PQconninfoParse(url.text().c_str(), &why));
  PQfreemem(why);
  if (!parsed) {
    diagnostics.error(
        url.place(), "`url` is no address of a PostgreSQL server",
        "postgresql://USER@HOST:PORT/DATABASE; in names and passwords write @ as %40, "
        "/ as %2F, % as %25");
    return;
  }
  for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) found[option->keyword] = option->val;
  }
}

}  // namespace

ConnectionOptions ConnectionOptions::parse(const Config& config, Diagnostics& diagnostics) {
  ConnectionOptions result;
  result.settings = kDefaults;
  std::map<std::string, std::string> found;
  if (config.has("url")) {
    read_url(config["url"], found, diagnostics);
    // libpq takes an address for the database's name apart; what follows goes before what is in it.
    result.settings.emplace_back("dbname", config["url"].text());
  }
  constexpr std::pair<const char*, const char*> kOptions[] = {{"host", "host"},
                                                              {"port", "port"},
                                                              {"database", "dbname"},
                                                              {"user", "user"},
                                                              {"password", "password"}};
  for (const auto& [option, keyword] : kOptions) {
    if (!config.has(option)) continue;
    if (config.has("url") && std::string_view(option) == "database") {
      diagnostics.error(config[option].place(), "`database` does not go with `url`",
                        "name the database in `url`: postgresql://HOST/DATABASE");
      continue;
    }
    result.settings.emplace_back(keyword, config[option].text());
    found[keyword] = config[option].text();
  }
  check_settings(config["settings"], diagnostics);
  if (config["settings"].is_map()) {
    for (const auto& [name, value] : config["settings"].entries()) {
      result.settings.emplace_back(name, value.text());
    }
  }
  if (!config.has("url") && !config.has("host")) {
    diagnostics.error(config.place(), "the sink does not say where the server is",
                      "`host` (with `port`, `database`, `user`), or `url`");
  }
  const auto or_else = [&found](const char* name, const char* fallback) {
    const std::string& text = found[name];
    return text.empty() ? std::string(fallback) : text;
  };
  result.place = fmt::format("{}:{}/{}", or_else("host", "localhost"), or_else("port", "5432"),
                             or_else("dbname", ""));
  result.connect_within = config["connect_timeout"].as_duration();
  result.statement_within = config["timeout"].as_duration();
  return result;
}

std::vector<Option> ConnectionOptions::options() {
  return {
      {.name = "url",
       .doc =
           "Address: postgresql://USER@HOST:PORT/DATABASE, also with several hosts. Never shown."},
      {.name = "host", .doc = "Host name, address, or folder of a Unix socket."},
      {.name = "port",
       .type = OptionType::kInt,
       .doc = "Port; default 5432.",
       .minimum = 1,
       .maximum = 65535},
      {.name = "database", .doc = "Name of the database; default that of the user."},
      {.name = "user", .doc = "Whom to log in as."},
      {.name = "password", .doc = "Write `${NAME}` or `${file:PATH}`. Never shown."},
      {.name = "settings",
       .type = OptionType::kMap,
       .doc = "Further settings of libpq as it calls them, such as sslmode, sslrootcert, sslcert, "
              "sslkey, passfile.",
       .members = {{.name = "value"}}},
      {.name = "connect_timeout",
       .type = OptionType::kDuration,
       .doc = "How long a connection may take.",
       .default_text = "10s"},
      {.name = "timeout",
       .type = OptionType::kDuration,
       .doc =
           "How long a statement may take in the server. A server that says nothing for 5 s more "
           "is given up and connected to again.",
       .default_text = "30s"}};
}

std::string ConnectionOptions::session_sql() const {
  // The outbox forgets what was applied, so a commit must outlive a crash of the server. A
  // transaction whose client has gone holds the position's row: it ends like a statement does.
  return fmt::format(
      "SET statement_timeout = {0}; SET idle_in_transaction_session_timeout = {0}; "
      "SELECT set_config('synchronous_commit', 'on', false) WHERE "
      "current_setting('synchronous_commit') = 'off'",
      statement_within.count());
}

std::chrono::milliseconds ConnectionOptions::answer_within() const {
  constexpr std::chrono::milliseconds kMore(5000);
  return statement_within + kMore;
}

}  // namespace huiliu::connectors::postgres
