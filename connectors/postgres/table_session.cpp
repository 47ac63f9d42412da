#include "connectors/postgres/table_session.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "connectors/postgres/table_layout.h"

namespace huiliu::connectors::postgres {

using runtime::Status;
using runtime::StatusCode;

Status TableSession::invalid(const std::string& what, const std::string& remedy) const {
  return Status::invalid(fmt::format("table {}: {}. {}", options_.name(), what, remedy));
}

Status TableSession::attach(const std::function<bool()>& ending) {
  if (connection_.is_open()) return Status::ok();
  const ConnectionOptions& way = options_.connection;
  const auto wrong = [&](const Status& status) {
    connection_.close();
    const std::string text = fmt::format("{}: {}", way.place, status.message());
    return status.code() == StatusCode::kUnavailable ? Status::unavailable(text)
                                                     : Status::invalid(text);
  };
  Status status = connection_.open(way.settings, way.connect_within, way.answer_within(), ending);
  if (!status.is_ok()) return wrong(status);
  // Times without a zone are those of the place the departments are in.
  status = connection_.run(fmt::format(
      "SET statement_timeout = {0}; SET lock_timeout = {0}; SET "
      "idle_in_transaction_session_timeout = {0}; SET TimeZone = 'Asia/Shanghai'; SET DateStyle = "
      "'ISO, YMD'; SET IntervalStyle = 'postgres'; SET extra_float_digits = 1; SET bytea_output = "
      "'hex'; SET default_transaction_read_only = {1}",
      way.statement_within.count(), options_.mode == ReadMode::kFlag ? "off" : "on"));
  if (status.is_ok()) status = look_at_table();
  return status.is_ok() ? status : wrong(status);
}

Status TableSession::ask(const std::string& sql, const std::vector<std::string>& parameters,
                         Answer& answer) {
  std::vector<Argument> arguments;
  for (const std::string& text : parameters) arguments.push_back({text});
  Status status = connection_.run(sql, arguments, &answer);
  // After an error the table may be another one: it is looked at again.
  if (!status.is_ok()) connection_.close();
  return status;
}

Status TableSession::look_at_table() {
  const std::string quoted_name = options_.quoted_name();
  Answer columns;
  HUILIU_RETURN_IF_ERROR(
      ask("SELECT c.relkind, a.attname, format_type(a.atttypid, NULL), a.attnotnull::text FROM "
          "pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT "
          "a.attisdropped WHERE c.oid = to_regclass($1)",
          {quoted_name}, columns));
  if (columns.rows.empty()) {
    return invalid("it is not there, or the user may not see its schema",
                   "Check `table`, and GRANT USAGE on the schema.");
  }
  HUILIU_RETURN_IF_ERROR(check_columns(columns));
  const std::string kind = *columns.rows[0][0];
  if (kind == "r" || kind == "p") {
    HUILIU_RETURN_IF_ERROR(check_not_null(columns));
    HUILIU_RETURN_IF_ERROR(check_key());
  }
  return options_.mode == ReadMode::kFlag ? claim_flag() : Status::ok();
}

Status TableSession::check_columns(const Answer& columns) {
  std::map<std::string, std::string> types;
  for (const Row& row : columns.rows) {
    if (row[1]) types[*row[1]] = *row[2];
  }
  std::vector<std::string> wanted, known;
  for (const runtime::Field& field : options_.columns.fields()) wanted.push_back(field.name);
  for (const std::string& name : {options_.increment, options_.flag}) {
    if (!name.empty()) wanted.push_back(name);
  }
  for (const auto& [name, type] : types) known.push_back(name);
  for (const std::string& name : wanted) {
    if (types.contains(name)) continue;
    const std::string hint = runtime::nearest_hint(name, known);
    return invalid(fmt::format("it has no column '{}'", name),
                   hint.empty() ? "Mend the table or `fields`." : hint + "?");
  }
  if (!options_.increment.empty()) {
    const std::string& type = types[options_.increment];
    const bool time = type.starts_with("timestamp") || type == "date";
    const bool whole = type == "bigint" || type == "integer" || type == "smallint";
    if (options_.overlap_is_time ? !time : !whole) {
      return invalid(fmt::format("`column` {} is {}, and `overlap` is {}", options_.increment, type,
                                 options_.overlap_is_time ? "a time" : "a number"),
                     "A timestamp goes with a duration, an integer with a number.");
    }
  }
  dialect_ = std::make_unique<Dialect>(options_, std::move(types));
  return Status::ok();
}

// A row whose key is null is equal to no other, not to itself either.
Status TableSession::check_not_null(const Answer& columns) const {
  for (const std::size_t column : options_.key) {
    const std::string& name = options_.columns[column].name;
    const auto found = std::ranges::find_if(
        columns.rows, [&](const Row& row) { return row[1] == name && *row[3] == "true"; });
    if (found != columns.rows.end()) continue;
    return invalid(fmt::format("column '{}' of the key may be null", name),
                   "Make it NOT NULL, or name other columns in `key`.");
  }
  return Status::ok();
}

// Without a unique key two rows would be taken for one, and one of them would never be given.
Status TableSession::check_key() {
  Answer answer;
  const std::string quoted_name = options_.quoted_name();
  HUILIU_RETURN_IF_ERROR(
      ask("SELECT i.indexrelid::text, a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid "
          "= i.indrelid AND a.attnum = ANY(i.indkey::int2[]) WHERE i.indrelid = to_regclass($1) "
          "AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL",
          {quoted_name}, answer));
  std::map<std::string, bool> unique;  // by index: all of its columns are in the key
  for (const Row& row : answer.rows) {
    const bool in_key = std::ranges::any_of(
        options_.key, [&](std::size_t column) { return options_.columns[column].name == *row[1]; });
    unique[*row[0]] = unique.try_emplace(*row[0], true).first->second && in_key;
  }
  const bool found = std::ranges::any_of(unique, [](const auto& index) { return index.second; });
  if (found) return Status::ok();
  return invalid("no unique index is on columns of `key` alone",
                 "Name the columns of the primary key, or make a unique index.");
}

// Whoever has the flag, in whatever topology, has the session's lock on it.
Status TableSession::claim_flag() {
  const std::string quoted_name = options_.quoted_name();
  Answer answer;
  HUILIU_RETURN_IF_ERROR(
      ask("SELECT has_column_privilege(to_regclass($1), $2, 'UPDATE')::text, "
          "pg_try_advisory_lock(hashtextextended('huiliu flag ' || $1 || ' ' || $2, 0))::text",
          {quoted_name, options_.flag}, answer));
  if (*answer.rows[0][0] != "true") {
    return invalid(
        fmt::format("the user may not set column '{}'", options_.flag),
        fmt::format("GRANT UPDATE ({}) ON {} TO the user.", quoted(options_.flag), quoted_name));
  }
  if (*answer.rows[0][1] == "true") return Status::ok();
  return Status::unavailable(fmt::format(
      "table {}: somebody else reads by flag '{}': another source of this or of another topology, "
      "or an earlier process of this one whose session the server has not ended yet",
      options_.name(), options_.flag));
}

}  // namespace huiliu::connectors::postgres
