#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "connectors/postgres/seen_rows.h"
#include "connectors/postgres/table_session.h"

namespace huiliu::connectors::postgres {

/// What a step of a source came to: rows to give and what is true after them.
struct Step {
  std::string rows;  ///< cells of the source's columns, row after row (packed_cells.h)
  std::uint64_t given = 0;
  bool deletes = false;  ///< the rows are deletes, with the key alone
  std::vector<runtime::PositionChange> positions;
  std::uint64_t read = 0;  ///< rows that the server sent
  bool pass_ended = false;
  std::string remark;  ///< of a pass that ended: what people should know of it
};

/// Reads a table pass by pass, step by step. A step that fails changes nothing: the pass begins
/// anew with begin_pass(). One thread.
class TablePass {
 public:
  virtual ~TablePass() = default;
  /// A committed position of an earlier run; false if it is of another kind.
  virtual bool load(const std::string& key, const std::string& value) = 0;
  virtual void begin_pass() = 0;
  virtual runtime::Status step(TableSession& session, Step& step) = 0;
  /// The position is committed.
  virtual void committed(const std::string& /*key*/, const std::string& /*value*/) {}
  /// Whether something is still to be done after the commit of what was given.
  virtual bool waits_for_commit() const { return false; }
  /// Rows that it remembers.
  virtual std::size_t remembered() const = 0;

  static std::unique_ptr<TablePass> make(const TableSourceOptions& options);
};

/// The key's cells of a row, by which it is known.
std::string key_of(const TableSourceOptions& options, const Row& row);
/// The key's cells as parameters.
std::vector<std::string> key_texts(const TableSourceOptions& options, const Row& row);
/// A row's cells, as the decoder wants them.
std::string cells_of(const TableSourceOptions& options, const Row& row);
/// Whether two rows in order have the same key, and stamp if there is one.
bool same_place(const TableSourceOptions& options, const Dialect& dialect, const Row& one,
                const Row& other);

std::unique_ptr<TablePass> make_flag_pass(const TableSourceOptions& options);

}  // namespace huiliu::connectors::postgres
