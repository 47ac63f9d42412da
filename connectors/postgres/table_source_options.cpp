#include "connectors/postgres/table_source_options.h"

#include <algorithm>

#include <fmt/format.h>

#include "codecs/files/file_options.h"

namespace huiliu::connectors::postgres {

using runtime::Config;
using runtime::Diagnostics;
using runtime::Option;
using runtime::OptionType;

namespace {

constexpr std::int64_t kMinuteMs = 60'000, kDayMinutes = 24 * 60;
constexpr std::int64_t kChinaMs = 8 * 60 * kMinuteMs;

class Parser {
 public:
  Parser(const Config& config, Diagnostics& diagnostics)
      : config_(config), diagnostics_(diagnostics) {}

  TableSourceOptions parse() {
    options_.connection = ConnectionOptions::parse(config_, diagnostics_);
    static_cast<TableName&>(options_) = TableName::parse(config_, diagnostics_);
    options_.columns = codecs::parse_row_fields(config_["fields"], diagnostics_);
    parse_key();
    parse_mode();
    parse_pace();
    return std::move(options_);
  }

 private:
  void fail(const Config& at, const std::string& message, const std::string& hint = "") {
    diagnostics_.error(at.is_null() ? config_.place() : at.place(), message, hint);
  }

  void parse_key() {
    if (!config_.has("key")) return;
    std::vector<std::string> names;
    for (const runtime::Field& field : options_.columns.fields()) names.push_back(field.name);
    for (const std::string& name : config_["key"].as_strings()) {
      const auto index = options_.columns.index_of(name);
      if (!index) {
        fail(config_["key"], fmt::format("`fields` has no '{}'", name),
             runtime::nearest_hint(name, names));
      } else if (std::ranges::count(options_.key, *index) > 0) {
        fail(config_["key"], fmt::format("'{}' is in the key twice", name));
      } else {
        options_.key.push_back(*index);
      }
    }
    if (options_.key.empty()) fail(config_["key"], "`key` names no column");
  }

  void parse_mode() {
    const std::string mode = config_.string_or("mode", "");
    options_.mode = mode == "flag"       ? ReadMode::kFlag
                    : mode == "snapshot" ? ReadMode::kSnapshot
                                         : ReadMode::kIncrement;
    const auto only = [&](const char* option, ReadMode of, const char* name) {
      if (config_.has(option) && options_.mode != of) {
        diagnostics_.error(config_.key_place(option),
                           fmt::format("`{}` is of no use: `mode` is {}", option, mode),
                           fmt::format("it belongs to `mode: {}`", name));
      } else if (!config_.has(option) && options_.mode == of) {
        return false;
      }
      return config_.has(option);
    };
    if (only("column", ReadMode::kIncrement, "increment")) {
      options_.increment = config_["column"].text();
    } else if (options_.mode == ReadMode::kIncrement) {
      fail(config_, "`mode: increment` needs `column`", "a column that grows with each change");
    }
    if (only("overlap", ReadMode::kIncrement, "increment")) {
      parse_overlap(config_["overlap"]);
    } else if (options_.mode == ReadMode::kIncrement) {
      fail(config_, "`mode: increment` needs `overlap`",
           "longer than a transaction of the department may take, such as 10m");
    }
    if (only("flag", ReadMode::kFlag, "flag")) {
      options_.flag = config_["flag"].string_or("column", "");
      options_.unread = config_["flag"].string_or("unread", "");
      options_.read = config_["flag"].string_or("read", "");
      if (options_.unread == options_.read) {
        fail(config_["flag"], "`unread` and `read` are the same");
      }
    } else if (options_.mode == ReadMode::kFlag) {
      fail(config_, "`mode: flag` needs `flag`", "flag: {column: status, unread: 0, read: 1}");
    }
    if (only("deletes", ReadMode::kSnapshot, "snapshot")) {
      options_.deletes = config_["deletes"].as_bool();
    }
    if (only("most_gone", ReadMode::kSnapshot, "snapshot")) {
      options_.most_gone = config_["most_gone"].as_float();
    }
  }

  void parse_overlap(const Config& overlap) {
    const std::string& text = overlap.text();
    options_.overlap_is_time = text.find_first_not_of("0123456789") != std::string::npos;
    if (!options_.overlap_is_time) {
      options_.overlap = std::strtoll(text.c_str(), nullptr, 10);
      return;
    }
    const auto duration = runtime::parse_duration(text);
    if (!duration) {
      return fail(overlap, fmt::format("'{}' is no overlap", text),
                  "a duration, such as 10m, or a number for an integer column");
    }
    options_.overlap = duration->count();
  }

  void parse_pace() {
    options_.page_rows = static_cast<std::size_t>(config_.int_or("page_rows", 5000));
    options_.interval_ms = config_["interval"].as_duration().count();
    options_.rows_per_second = config_.int_or("rows_per_second", 0);
    options_.until_end = config_.string_or("until", "forever") == "end";
    if (!config_.has("hours")) return;
    options_.hours = TableSourceOptions::Hours::parse(config_["hours"].text());
    if (!options_.hours) {
      fail(config_["hours"], fmt::format("'{}' are no hours", config_["hours"].text()),
           "such as 22:00-06:00");
    }
  }

  const Config& config_;
  Diagnostics& diagnostics_;
  TableSourceOptions options_;
};

std::optional<int> minutes_of(const std::string& text) {
  int hour = 0, minute = 0, end = 0;
  const bool whole = std::sscanf(text.c_str(), "%2d:%2d%n", &hour, &minute, &end) == 2 &&
                     static_cast<std::size_t>(end) == text.size();
  if (!whole || hour < 0 || hour > 24 || minute < 0 || minute > 59) return std::nullopt;
  return hour * 60 + minute;
}

}  // namespace

bool TableSourceOptions::Hours::contain(std::int64_t now_ms) const {
  const auto minute = static_cast<int>((now_ms + kChinaMs) / kMinuteMs % kDayMinutes);
  return from <= to ? minute >= from && minute < to : minute >= from || minute < to;
}

std::optional<TableSourceOptions::Hours> TableSourceOptions::Hours::parse(const std::string& text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string::npos) return std::nullopt;
  const auto from = minutes_of(text.substr(0, dash)), to = minutes_of(text.substr(dash + 1));
  if (!from || !to || *from == *to) return std::nullopt;
  return Hours{*from, *to};
}

std::vector<Option> table_source_options() {
  std::vector<Option> options = ConnectionOptions::options();
  const std::vector<Option> own = {
      {.name = "table",
       .doc = "Table or view: TABLE or SCHEMA.TABLE; the schema is `public` by default.",
       .required = true},
      {.name = "fields",
       .type = OptionType::kAny,
       .doc = "Columns to read: names (text), or maps of `name` and `type`.",
       .required = true},
      {.name = "key",
       .type = OptionType::kList,
       .doc = "Columns, among `fields`, by which a row is known. A table needs a unique index on "
              "them or on some of them.",
       .required = true,
       .members = {{.name = "field"}}},
      {.name = "mode",
       .type = OptionType::kEnum,
       .doc = "How what is new is found: `increment` by a column that grows with each change; "
              "`flag` by a column that says what was read; `snapshot` by comparing all rows with "
              "those of the pass before.",
       .required = true,
       .choices = {"increment", "flag", "snapshot"}},
      {.name = "column",
       .doc = "Of `increment`: a timestamp or an integer that the department sets at each change."},
      {.name = "overlap",
       .doc = "Of `increment`: each pass begins so much before the greatest value seen, so that "
              "rows of transactions that commit late are found: a duration, or a number for an "
              "integer column. What was given is not given again."},
      {.name = "flag",
       .type = OptionType::kObject,
       .doc = "Of `flag`: rows with `unread` are given, and have `read` once they are committed.",
       .members = {{.name = "column", .doc = "The column.", .required = true},
                   {.name = "unread", .doc = "Its value in rows to read.", .required = true},
                   {.name = "read", .doc = "Its value afterwards.", .required = true}}},
      {.name = "deletes",
       .type = OptionType::kBool,
       .doc = "Of `snapshot`: whether a row that is gone is given as a delete, with its key alone. "
              "Default: false."},
      {.name = "most_gone",
       .type = OptionType::kFloat,
       .doc = "Of `snapshot`: a pass in which a larger share of the known rows is gone is not "
              "believed (a table that is being loaded anew), and said. Default: 0.5.",
       .minimum = 0,
       .maximum = 1},
      {.name = "page_rows",
       .type = OptionType::kInt,
       .doc = "Rows of one statement, each a transaction of its own.",
       .default_text = "5000",
       .minimum = 1,
       .maximum = 100'000},
      {.name = "interval",
       .type = OptionType::kDuration,
       .doc = "Time between the end of a pass and the next.",
       .default_text = "10s"},
      {.name = "rows_per_second",
       .type = OptionType::kInt,
       .doc = "The most rows that are read, given or not. Default: any number.",
       .minimum = 1,
       .maximum = 1e9},
      {.name = "hours",
       .doc = "When it may read, such as 22:00-06:00 (time of China). Default: always."},
      {.name = "until",
       .type = OptionType::kEnum,
       .doc = "end: the input ends with one whole pass.",
       .default_text = "forever",
       .choices = {"forever", "end"}}};
  options.insert(options.end(), own.begin(), own.end());
  return options;
}

TableSourceOptions parse_table_source(const runtime::SourceDeclaration& declaration) {
  return Parser(declaration.config, declaration.diagnostics).parse();
}

}  // namespace huiliu::connectors::postgres
