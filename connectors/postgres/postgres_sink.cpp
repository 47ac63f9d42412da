#include "connectors/postgres/postgres_sink.h"

#include <fmt/format.h>

#include "connectors/postgres/batch.h"
#include "connectors/postgres/connection.h"
#include "connectors/postgres/table_setup.h"
#include "runtime/base/failpoint.h"

namespace huiliu::connectors::postgres {
namespace {

using runtime::OutboxEntry;
using runtime::Result;
using runtime::SinkContext;
using runtime::Status;

class PostgresSink final : public runtime::OutboxSink {
 public:
  explicit PostgresSink(const SinkOptions& options) : options_(options), batch_(options_.layout) {}

  Status open(const SinkContext& context) override {
    owner_ = {context.topology, context.node_name};
    ending_ = context.ending;
    Status status = connect();
    if (status.is_ok()) {
      status = set_up(connection_, options_.layout, owner_, options_.create);
    }
    return placed(std::move(status));
  }

  Result<std::uint64_t> position() override {
    auto position = read_position(connection_, options_.layout, owner_);
    if (!position.is_ok()) return placed(position.status());
    position_ = attempted_ = *position;
    return position_;
  }

  Status apply(const std::vector<OutboxEntry>& entries) override {
    if (entries.empty()) return Status::ok();
    Status status = apply_once(entries);
    if (!status.is_ok()) {
      batch_.clear();
      // What is left of a transaction must not become part of the next one.
      if (connection_.is_open() && !connection_.run("ROLLBACK").is_ok()) connection_.close();
    }
    return placed(std::move(status));
  }

 private:
  /// Says where a failure was.
  Status placed(Status status) const {
    const std::string text = options_.connection.place + ": " + status.message();
    switch (status.code()) {
      case runtime::StatusCode::kUnavailable:
        return Status::unavailable(text);
      case runtime::StatusCode::kInvalid:
        return Status::invalid(text);
      case runtime::StatusCode::kCorrupt:
        return Status::corrupt(text);
      default:
        return status;
    }
  }

  Status connect() {
    const ConnectionOptions& options = options_.connection;
    HUILIU_RETURN_IF_ERROR(connection_.open(options.settings, options.connect_within,
                                            options.answer_within(), ending_));
    Status status = connection_.run(options.session_sql());
    if (!status.is_ok()) connection_.close();
    return status;
  }

  Status apply_once(const std::vector<OutboxEntry>& entries) {
    const std::uint64_t last = entries.back().sequence;
    if (!connection_.is_open()) {
      HUILIU_RETURN_IF_ERROR(connect());
      HUILIU_RETURN_IF_ERROR(find_out());
    }
    if (last <= position_) return Status::ok();
    const bool apart = runtime::mutant("postgres.position_separately");
    bool moved = false;
    if (!apart) HUILIU_RETURN_IF_ERROR(connection_.run("BEGIN"));
    HUILIU_RETURN_IF_ERROR(
        move_position(connection_, options_.layout, owner_, position_, last, moved));
    if (!moved && !runtime::mutant("postgres.not_fenced")) {
      HUILIU_RETURN_IF_ERROR(connection_.run("ROLLBACK"));
      HUILIU_RETURN_IF_ERROR(find_out());
      return position_ >= last ? Status::ok() : Status::unavailable("the position has moved");
    }
    if (apart) {
      attempted_ = last;
      runtime::failpoint("postgres.before_commit");
      HUILIU_RETURN_IF_ERROR(connection_.run("BEGIN"));
    }
    HUILIU_RETURN_IF_ERROR(write(entries));
    return commit(last);
  }

  Status commit(std::uint64_t last) {
    runtime::failpoint("postgres.before_commit");
    // Whoever asks for the position later knows by this that the commit was done, though its answer
    // was lost.
    attempted_ = last;
    Answer answer;
    HUILIU_RETURN_IF_ERROR(connection_.run("COMMIT", &answer));
    if (answer.done != "COMMIT") return Status::unavailable("the server has rolled back");
    runtime::failpoint("postgres.after_commit");
    position_ = last;
    return Status::ok();
  }

  /// After what may have been a commit: whether it was, and whether somebody else went on.
  Status find_out() {
    HUILIU_ASSIGN_OR_RETURN(const std::uint64_t found,
                            read_position(connection_, options_.layout, owner_));
    if (found != position_ && found != attempted_) {
      return Status::taken_over(fmt::format(
          "{}: sink '{}' of topology '{}' is at entry {} of its outbox in {}.{}, and this process "
          "has written {}: another one writes too, with the same state or a copy of it. End one of "
          "them",
          options_.connection.place, owner_.sink, owner_.topology, found, options_.layout.schema,
          kPositionsTable, position_));
    }
    position_ = found;
    return Status::ok();
  }

  Status write(const std::vector<OutboxEntry>& entries) {
    const TableLayout& layout = options_.layout;
    for (const OutboxEntry& entry : entries) {
      std::string_view bytes = entry.bytes;
      while (!bytes.empty()) {
        StoredRow row;
        if (!take_row(bytes, layout.columns.width(), layout.key, row)) {
          return Status::corrupt(owner_.sink + ": an entry of the outbox cannot be read");
        }
        batch_.add(row);
        if (batch_.size() < options_.batch_rows) continue;
        HUILIU_RETURN_IF_ERROR(batch_.write(connection_));
      }
    }
    return batch_.write(connection_);
  }

  SinkOptions options_;
  Batch batch_;
  Connection connection_;
  Owner owner_;
  std::function<bool()> ending_;
  std::uint64_t position_ = 0;   ///< as the store was known to have it last
  std::uint64_t attempted_ = 0;  ///< what it has if the last commit was done
};

}  // namespace

std::unique_ptr<runtime::OutboxSink> make_postgres_sink(const SinkOptions& options) {
  return std::make_unique<PostgresSink>(options);
}

}  // namespace huiliu::connectors::postgres
