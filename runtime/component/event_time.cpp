#include "runtime/component/event_time.h"

#include <string>

namespace huiliu::runtime {
namespace {

int parse_field(const Config& named, const Schema& schema, Diagnostics& diagnostics) {
  const auto field = schema.index_of(named.text());
  if (!field) {
    std::vector<std::string> names;
    for (const Field& known : schema.fields()) names.push_back(known.name);
    diagnostics.error(named.place(), "there is no field '" + named.text() + "'",
                      nearest_hint(named.text(), names));
    return -1;
  }
  const Type type = schema[*field].type;
  if (type != Type::kInt64 && type != Type::kTimestamp) {
    diagnostics.error(named.place(),
                      "the event time must be a timestamp or an int64 (milliseconds)");
  }
  return static_cast<int>(*field);
}

}  // namespace

std::vector<Option> event_time_options() {
  return {{.name = "event_time", .doc = "Field with the event time."},
          {.name = "out_of_orderness",
           .type = OptionType::kDuration,
           .doc = "How far event times may be out of order within a file or a partition.",
           .default_text = "0s",
           .formerly = "lateness"},
          {.name = "ahead",
           .type = OptionType::kDuration,
           .doc = "How far event times may lie ahead of the clock; a record beyond is refused "
                  "(E410_TIME_AHEAD), since it would close windows that are still filled.",
           .default_text = "24h"},
          {.name = "idle",
           .type = OptionType::kDuration,
           .doc = "How long windows wait for a partition, or for a file that grows, of which "
                  "nothing comes, and for a source that has nothing to read. What comes of it "
                  "later may be late.",
           .default_text = "1m"}};
}

Option alignment_option() {
  return {.name = "alignment",
          .type = OptionType::kObject,
          .doc =
              "Holds back partitions that are further ahead in event time than `most` of the "
              "slowest one, so that windows need not be kept for it without bound.",
          .members = {{.name = "group",
                       .doc = "Sources with one group are aligned to each other; without it, the "
                              "source's own partitions are."},
                      {.name = "most",
                       .type = OptionType::kDuration,
                       .doc = "How far ahead.",
                       .required = true}}};
}

EventTime parse_event_time(const Config& config, const Schema& schema, Diagnostics& diagnostics) {
  EventTime time;
  if (config.has("event_time")) time.field = parse_field(config["event_time"], schema, diagnostics);
  const auto duration = [&](const char* key, std::int64_t& value) {
    if (config.has(key)) value = config[key].as_duration().count();
  };
  duration("out_of_orderness", time.out_of_orderness_ms);
  duration("ahead", time.ahead_ms);
  duration("idle", time.idle_ms);
  if (config.has("alignment")) {
    const Config& alignment = config["alignment"];
    time.align_most_ms = alignment["most"].as_duration().count();
    time.align_group = alignment.string_or("group", "");
    if (time.field < 0) {
      diagnostics.error(alignment.place(), "`alignment` needs event time", "set `event_time` too");
    }
  }
  return time;
}

}  // namespace huiliu::runtime
