#include "connectors/postgres/table_setup.h"

#include <cstdlib>

#include <fmt/format.h>

#include "connectors/postgres/table_checks.h"

namespace huiliu::connectors::postgres {

using runtime::Result;
using runtime::Status;

namespace {

class Setup {
 public:
  Setup(Connection& connection, const TableLayout& layout, const Owner& owner, bool create)
      : connection_(connection),
        layout_(layout),
        owner_(owner),
        positions_(positions_name(layout.schema)),
        create_(create) {}

  Status run() {
    HUILIU_RETURN_IF_ERROR(connection_.run("BEGIN"));
    // Two that start at once would both find nothing.
    const std::string lock = "huiliu " + layout_.schema;
    HUILIU_RETURN_IF_ERROR(
        connection_.run("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", {{lock}}));
    HUILIU_RETURN_IF_ERROR(prepare_positions());
    HUILIU_RETURN_IF_ERROR(prepare_table());
    HUILIU_RETURN_IF_ERROR(check_table(connection_, layout_));
    HUILIU_RETURN_IF_ERROR(check_neighbours());
    HUILIU_RETURN_IF_ERROR(claim());
    return connection_.run("COMMIT");
  }

 private:
  /// Nothing if there is no such table, else its comment, which may be empty.
  Status find(const std::string& quoted_name, std::optional<std::string>& comment) {
    Answer answer;
    HUILIU_RETURN_IF_ERROR(connection_.run(
        "SELECT coalesce(obj_description(to_regclass($1), 'pg_class'), '') WHERE to_regclass($1) "
        "IS NOT NULL",
        {{quoted_name}}, &answer));
    comment = answer.rows.empty() ? std::nullopt : answer.rows[0][0];
    return Status::ok();
  }

  Status check_mark(const std::string& table, const std::string& comment) {
    constexpr std::string_view kMark = "huiliu ";
    if (!comment.starts_with(kMark) || comment.starts_with(kTableMark)) return Status::ok();
    return Status::invalid(fmt::format(
        "table {}: it was made by a later version ('{}'). Use that version, or another table",
        table, comment));
  }

  Status make(const std::string& quoted_name, const std::string& sql, const std::string& what) {
    HUILIU_RETURN_IF_ERROR(connection_.run(sql));
    return connection_.run(fmt::format("COMMENT ON TABLE {} IS {}", quoted_name,
                                       literal(fmt::format("{}: {}", kTableMark, what))));
  }

  Status missing(const std::string& table, const std::string& sql) {
    return Status::invalid(
        fmt::format("table {}: there is none, and `create` is false. {}", table, sql));
  }

  Status prepare_positions() {
    std::optional<std::string> comment;
    HUILIU_RETURN_IF_ERROR(find(positions_, comment));
    const std::string name = layout_.schema + "." + std::string(kPositionsTable);
    if (comment) return check_mark(name, *comment);
    const std::string sql = create_positions_sql(layout_.schema);
    if (!create_) return missing(name, sql);
    return make(positions_, sql, "how far sinks are in their outboxes");
  }

  Status prepare_table() {
    std::optional<std::string> comment;
    HUILIU_RETURN_IF_ERROR(find(layout_.quoted_name(), comment));
    if (comment) return check_mark(layout_.name(), *comment);
    Answer before;
    HUILIU_RETURN_IF_ERROR(
        connection_.run("SELECT position::text FROM " + positions_ +
                            " WHERE topology = $1 AND sink = $2 AND target = $3 AND position > 0",
                        {{owner_.topology}, {owner_.sink}, {target_}}, &before));
    if (!before.rows.empty()) {
      return Status::invalid(fmt::format(
          "table {}: it is gone, and entries 1 to {} of the outbox were written into it, which are "
          "not written again. Restore it from a backup; or go on with an empty one: {}",
          layout_.name(), *before.rows[0][0], layout_.create_sql()));
    }
    if (!create_) return missing(layout_.name(), layout_.create_sql());
    return make(layout_.quoted_name(), layout_.create_sql(),
                fmt::format("topology {}, sink {}", owner_.topology, owner_.sink));
  }

  /// Rows without a key of two sinks could not be told apart.
  Status check_neighbours() {
    Answer others;
    HUILIU_RETURN_IF_ERROR(connection_.run(
        "SELECT topology, sink, keyed::text FROM " + positions_ +
            " WHERE target = $1 AND (topology, sink) <> ($2, $3) AND NOT (keyed AND $4::boolean)",
        {{target_}, {owner_.topology}, {owner_.sink}, {keyed()}}, &others));
    if (others.rows.empty()) return Status::ok();
    const std::string topology = *others.rows[0][0], sink = *others.rows[0][1];
    return Status::invalid(fmt::format(
        "table {}: sink '{}' of topology '{}' writes it too, and {} has no `key`: their rows could "
        "not be told apart. Give both a `key`, or give this one another `table`; if that sink is "
        "no "
        "more: DELETE FROM {} WHERE topology = {} AND sink = {}",
        layout_.name(), sink, topology, *others.rows[0][2] == "true" ? "this one" : "that one",
        positions_, literal(topology), literal(sink)));
  }

  Status claim() {
    return connection_.run("INSERT INTO " + positions_ +
                               " VALUES($1, $2, 0, $3, $4::boolean) ON CONFLICT(topology, sink) DO "
                               "UPDATE SET target = "
                               "excluded.target, keyed = excluded.keyed",
                           {{owner_.topology}, {owner_.sink}, {target_}, {keyed()}});
  }

  std::string_view keyed() const { return layout_.key > 0 ? "true" : "false"; }

  Connection& connection_;
  const TableLayout& layout_;
  const Owner& owner_;
  std::string positions_, target_ = layout_.quoted_name();
  bool create_;
};

}  // namespace

Status set_up(Connection& connection, const TableLayout& layout, const Owner& owner, bool create) {
  Status status = Setup(connection, layout, owner, create).run();
  if (!status.is_ok() && connection.is_open() && !connection.run("ROLLBACK").is_ok()) {
    connection.close();
  }
  return status;
}

Result<std::uint64_t> read_position(Connection& connection, const TableLayout& layout,
                                    const Owner& owner) {
  Answer answer;
  HUILIU_RETURN_IF_ERROR(connection.run("SELECT position FROM " + positions_name(layout.schema) +
                                            " WHERE topology = $1 AND sink = $2",
                                        {{owner.topology}, {owner.sink}}, &answer));
  if (answer.rows.empty()) {
    return Status::invalid(fmt::format(
        "{}.{} has no row of the sink any more: somebody has taken it away while the topology ran",
        layout.schema, kPositionsTable));
  }
  return static_cast<std::uint64_t>(std::strtoull(answer.rows[0][0]->c_str(), nullptr, 10));
}

Status move_position(Connection& connection, const TableLayout& layout, const Owner& owner,
                     std::uint64_t from, std::uint64_t to, bool& moved) {
  const std::string old_text = std::to_string(from), new_text = std::to_string(to);
  Answer answer;
  HUILIU_RETURN_IF_ERROR(connection.run(
      "UPDATE " + positions_name(layout.schema) +
          " SET position = $4::bigint WHERE topology = $1 AND sink = $2 AND position "
          "= $3::bigint",
      {{owner.topology}, {owner.sink}, {old_text}, {new_text}}, &answer));
  moved = answer.affected == 1;
  return Status::ok();
}

}  // namespace huiliu::connectors::postgres
