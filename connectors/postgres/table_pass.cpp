#include "connectors/postgres/table_pass.h"

#include <algorithm>

#include <fmt/format.h>

#include "connectors/postgres/packed_cells.h"
#include "runtime/base/failpoint.h"
#include "runtime/record/key.h"

namespace huiliu::connectors::postgres {

using runtime::Status;

std::vector<std::string> key_texts(const TableSourceOptions& options, const Row& row) {
  std::vector<std::string> texts;
  for (const std::size_t column : options.key) texts.push_back(row[column].value_or(""));
  return texts;
}

std::string key_of(const TableSourceOptions& options, const Row& row) {
  std::string key;
  for (const std::size_t column : options.key) put_cell(row[column], key);
  return key;
}

std::string cells_of(const TableSourceOptions& options, const Row& row) {
  std::string cells;
  for (std::size_t i = 0; i < options.columns.width(); ++i) put_cell(row[i], cells);
  return cells;
}

bool same_place(const TableSourceOptions& options, const Dialect& dialect, const Row& one,
                const Row& other) {
  const std::size_t stamp = dialect.extras().stamp;
  if (options.mode == ReadMode::kIncrement && one[stamp] != other[stamp]) return false;
  return std::ranges::all_of(options.key,
                             [&](std::size_t column) { return one[column] == other[column]; });
}

namespace {

constexpr std::string_view kMark = "mark";

/// By increment and by comparison: what was given is remembered, and what is as it was is passed
/// over.
class ComparingPass final : public TablePass {
 public:
  explicit ComparingPass(const TableSourceOptions& options)
      : options_(options), seen_(options.mode == ReadMode::kSnapshot) {}

  bool load(const std::string& key, const std::string& value) override {
    if (key == kMark) {
      mark_ = value;
      return true;
    }
    return key.starts_with(SeenRows::kPrefix) && seen_.load(key, value);
  }

  void begin_pass() override {
    place_.reset();
    stage_ = Stage::kPages;
    pages_.clear();
    remark_.clear();
    seen_.begin_pass();
  }

  Status step(TableSession& session, Step& step) override {
    if (stage_ == Stage::kEnd) return end(session, step);
    if (stage_ == Stage::kDrop) return drop(step);
    Answer answer;
    const Dialect& dialect = session.dialect();
    HUILIU_RETURN_IF_ERROR(session.ask(dialect.page(mark_.has_value(), place_.has_value()),
                                       parameters(dialect), answer));
    step.read = answer.rows.size();
    // The first row of a page is the last of the page before, unless it has gone.
    const bool again = place_ && !answer.rows.empty() &&
                       same_place(options_, dialect, *place_, answer.rows.front());
    for (std::size_t i = 1; i < answer.rows.size(); ++i) {
      if (!same_place(options_, dialect, answer.rows[i - 1], answer.rows[i])) continue;
      return two_of_one_key(session);
    }
    const std::uint64_t chunk = seen_.chunk();
    for (std::size_t i = again ? 1 : 0; i < answer.rows.size(); ++i) take(answer.rows[i], step);
    if (options_.mode == ReadMode::kIncrement) {
      move_mark(answer, dialect, step);
      // The next page that adds something begins a chunk of its own.
      forget_pages(answer, dialect, chunk, step.given > 0);
    }
    if (answer.rows.size() <= options_.page_rows) stage_ = Stage::kEnd;
    if (!answer.rows.empty()) place_ = answer.rows.back();
    seen_.take_changes(step.positions);
    return Status::ok();
  }

  std::size_t remembered() const override { return seen_.size(); }

 private:
  std::vector<std::string> parameters(const Dialect& dialect) const {
    std::vector<std::string> texts;
    if (options_.mode == ReadMode::kIncrement) {
      if (mark_) texts.push_back(*mark_);
      if (mark_ && !place_) texts.push_back(dialect.overlap());
      if (place_) texts.push_back(*(*place_)[dialect.extras().stamp]);
    }
    if (place_) {
      for (std::string& text : key_texts(options_, *place_)) texts.push_back(std::move(text));
    }
    return texts;
  }

  void take(const Row& row, Step& step) {
    const std::string key = key_of(options_, row), cells = cells_of(options_, row);
    const std::uint64_t hash = runtime::KeyBuilder::hash_bytes(cells);
    // The stamp is not always among the fields; a change of it alone is no change of the row.
    if (seen_.knows(key, hash) && !runtime::mutant("postgres.seen_forgotten")) return;
    seen_.add(key, hash);
    step.rows += cells;
    ++step.given;
  }

  // Rows come by stamp: the last one that moves the mark says where it is.
  void move_mark(const Answer& answer, const Dialect& dialect, Step& step) {
    for (auto row = answer.rows.rbegin(); row != answer.rows.rend(); ++row) {
      if ((*row)[dialect.extras().moves] != "true") continue;
      mark_ = *(*row)[dialect.extras().bounded];
      step.positions.emplace_back(kMark, *mark_);
      return;
    }
  }

  // A first pass may be long: what no later one comes back to need not be remembered till its end.
  void forget_pages(const Answer& answer, const Dialect& dialect, std::uint64_t chunk, bool added) {
    if (answer.rows.empty()) return;
    const Row& last = answer.rows.back();
    if (added) pages_.push_back({chunk, seen_.chunk(), *last[dialect.extras().stamp]});
    const std::string& floor = *last[dialect.extras().floor];
    while (!pages_.empty() && dialect.is_before(pages_.front().last, floor)) {
      seen_.drop_chunks(pages_.front().from, pages_.front().to);
      pages_.pop_front();
    }
  }

  Status two_of_one_key(TableSession& session) const {
    session.close();
    return Status::invalid(fmt::format(
        "table {}: two rows have one key. Name columns in `key` that tell all rows apart",
        options_.name()));
  }

  // What this pass has not met has left the overlap, or the table.
  Status end(TableSession& session, Step& step) {
    HUILIU_RETURN_IF_ERROR(count_unreadable(session));
    remark_ = unreadable_;
    const std::size_t unmet = seen_.unmet();
    const bool too_many =
        options_.mode == ReadMode::kSnapshot &&
        static_cast<double>(unmet) > options_.most_gone * static_cast<double>(seen_.size());
    if (too_many) {
      remark_ = fmt::format(
          "{} of {} rows are gone at once, which is not believed: they stay known. If it is so, "
          "raise `most_gone`",
          unmet, seen_.size());
    }
    stage_ = !too_many && unmet > 0 ? Stage::kDrop : Stage::kPages;
    step.pass_ended = stage_ != Stage::kDrop;
    step.remark = remark_;
    return Status::ok();
  }

  // It may look at the whole table, so not in each pass.
  Status count_unreadable(TableSession& session) {
    constexpr std::uint64_t kEvery = 60;
    if (passes_++ % kEvery != 0) return Status::ok();
    Answer nulls;
    HUILIU_RETURN_IF_ERROR(session.ask(session.dialect().unreadable(), {}, nulls));
    const std::string& count = *nulls.rows[0][0];
    unreadable_ =
        count == "0"
            ? ""
            : fmt::format("{} rows have no {}, and are never read",
                          count == "1001" ? "over 1000" : count,
                          options_.mode == ReadMode::kIncrement ? "key or no `column`" : "key");
    return Status::ok();
  }

  Status drop(Step& step) {
    const std::vector<std::string> keys = seen_.drop_unmet(options_.page_rows);
    step.pass_ended = keys.size() < options_.page_rows;
    step.remark = remark_;
    if (options_.deletes) {
      step.deletes = true;
      for (const std::string& key : keys) step.rows += key;
      step.given = keys.size();
    }
    seen_.take_changes(step.positions);
    return Status::ok();
  }

  const TableSourceOptions& options_;
  SeenRows seen_;
  std::optional<std::string> mark_;
  std::optional<Row> place_;  // the last row of the page before
  /// What a page of this pass has added.
  struct Page {
    std::uint64_t from = 0, to = 0;  ///< chunks
    std::string last;                ///< the greatest stamp
  };
  std::deque<Page> pages_;
  enum class Stage { kPages, kEnd, kDrop };
  Stage stage_ = Stage::kPages;
  std::uint64_t passes_ = 0;
  std::string remark_, unreadable_;
};

}  // namespace

std::unique_ptr<TablePass> TablePass::make(const TableSourceOptions& options) {
  if (options.mode == ReadMode::kFlag) return make_flag_pass(options);
  return std::make_unique<ComparingPass>(options);
}

}  // namespace huiliu::connectors::postgres
