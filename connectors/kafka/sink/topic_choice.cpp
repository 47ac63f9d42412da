#include "connectors/kafka/sink/topic_choice.h"

#include <algorithm>
#include <regex>

#include <fmt/format.h>

#include "connectors/kafka/client/topics.h"
#include "runtime/component/source.h"
#include "runtime/component/text_template.h"

namespace huiliu::connectors::kafka {

using runtime::Config;
using runtime::Diagnostics;
using runtime::SinkDeclaration;

bool names_fields(const Config& topic) { return topic.text().find('{') != std::string::npos; }

std::vector<std::string> topics_of(const Config& config) {
  return names_fields(config["topic"]) ? config["topics"].as_strings()
                                       : std::vector{config["topic"].text()};
}

std::string bootstrap_of(const SinkDeclaration& declaration) {
  const Config* const backend = declaration.backend;
  return backend != nullptr && backend->is_map() ? backend->string_or("bootstrap", "") : "";
}

namespace {

void check_names(const SinkDeclaration& declaration) {
  const bool listed = names_fields(declaration.config["topic"]);
  const Config& place = declaration.config[listed ? "topics" : "topic"];
  for (const std::string& topic : topics_of(declaration.config)) {
    if (is_topic_name(topic)) continue;
    declaration.diagnostics.error(
        place.place(), fmt::format("'{}' cannot be the name of a topic", topic), kTopicNameRule);
  }
}

bool reads(const std::string& named, const std::string& topic) {
  if (!named.starts_with('^')) return named == topic;
  try {
    return std::regex_search(topic, std::regex(named));
  } catch (const std::regex_error&) {
    return false;  // the source says so
  }
}

/// A topology that reads what it writes goes round for ever.
void check_not_read(const SinkDeclaration& declaration) {
  const std::string bootstrap = bootstrap_of(declaration);
  for (const auto& [name, source] : declaration.sources) {
    const Config& config = source->config;
    if (config.string_or("type", "") != "kafka") continue;
    if (config.string_or("bootstrap", bootstrap) != bootstrap) continue;
    for (const std::string& named : config["topic"].as_strings()) {
      for (const std::string& topic : topics_of(declaration.config)) {
        if (!reads(named, topic)) continue;
        declaration.diagnostics.error(
            declaration.config["topic"].place(),
            fmt::format("source '{}' reads the topic '{}', which is written here: the topology "
                        "would feed itself",
                        name, topic),
            named.starts_with('^') ? "write a pattern that does not match it, or give it another "
                                     "name"
                                   : "read or write another topic");
      }
    }
  }
}

void check_listed_once(const Config& topics, Diagnostics& diagnostics) {
  std::vector<std::string> known;
  for (const Config& item : topics.is_list() ? topics.items() : std::vector<Config>{topics}) {
    if (!item.is_scalar()) continue;
    if (std::find(known.begin(), known.end(), item.text()) != known.end()) {
      diagnostics.error(item.place(), fmt::format("the topic '{}' is listed twice", item.text()),
                        "leave one of them out");
    }
    known.push_back(item.text());
  }
}

/// A record whose input lacks a field of the name would never have a topic.
void check_topics(const SinkDeclaration& declaration) {
  const Config& topic = declaration.config["topic"];
  const Config& topics = declaration.config["topics"];
  Diagnostics& diagnostics = declaration.diagnostics;
  if (!names_fields(topic)) {
    if (topics.is_null()) return;
    diagnostics.error(topics.place(), "`topics` goes with a `topic` that names fields",
                      "leave it out, or write e.g. topic: \"credit.{kind}\"");
    return;
  }
  if (topics.is_null()) {
    diagnostics.error(topic.place(), "`topic` names fields, so `topics` must list what it may give",
                      "e.g. topics: [credit.legal, credit.natural]");
  }
  const std::size_t errors = diagnostics.errors();
  for (const runtime::Schema* input : declaration.inputs) {
    if (diagnostics.errors() == errors) {
      (void)runtime::TextTemplate::parse(topic, *input, diagnostics);
    }
  }
  check_listed_once(topics, diagnostics);
}

}  // namespace

void check_topic_choice(const SinkDeclaration& declaration) {
  check_topics(declaration);
  check_names(declaration);
  check_not_read(declaration);
}

}  // namespace huiliu::connectors::kafka
