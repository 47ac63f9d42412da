#include <algorithm>
#include <iterator>
#include <map>
#include <unordered_map>

#include <fmt/format.h>

#include "connectors/postgres/packed_cells.h"
#include "connectors/postgres/table_pass.h"
#include "runtime/base/failpoint.h"

namespace huiliu::connectors::postgres {
namespace {

using runtime::Status;

constexpr std::string_view kGiven = "given/";

/// By a flag. Rows that were given are part of the position until their flag is set, which is after
/// their commit: a crash between the two neither gives them twice nor leaves their flag.
class FlagPass final : public TablePass {
 public:
  explicit FlagPass(const TableSourceOptions& options) : options_(options) {}

  bool load(const std::string& key, const std::string& value) override {
    if (!key.starts_with(kGiven)) return false;
    const std::uint64_t number = std::strtoull(key.c_str() + kGiven.size(), nullptr, 10);
    Given& given = given_[number];
    std::string_view rest = value;
    while (!rest.empty()) {
      std::optional<std::string_view> row_key, version;
      if (!take_cell(rest, row_key) || !take_cell(rest, version) || !row_key || !version) {
        return false;
      }
      remember(given, std::string(*row_key), std::string(*version));
    }
    given.committed = true;
    next_ = std::max(next_, number + 1);
    return true;
  }

  void begin_pass() override { place_.reset(); }

  Status step(TableSession& session, Step& step) override {
    HUILIU_RETURN_IF_ERROR(write_back(session));
    Answer answer;
    const Dialect& dialect = session.dialect();
    std::vector<std::string> parameters = {options_.unread};
    if (place_) {
      for (std::string& text : key_texts(options_, *place_)) parameters.push_back(std::move(text));
    }
    HUILIU_RETURN_IF_ERROR(
        session.ask(dialect.page(false, place_.has_value()), parameters, answer));
    step.read = answer.rows.size();
    Given given;
    std::string bytes;
    for (const Row& row : answer.rows) {
      const std::string key = key_of(options_, row), version = *row[dialect.extras().version];
      const auto known = waiting_.find(key);
      if (known != waiting_.end() && known->second == version) continue;
      step.rows += cells_of(options_, row);
      ++step.given;
      put_cell(key, bytes);
      put_cell(version, bytes);
      remember(given, key, version);
    }
    if (step.given > 0) {
      step.positions.emplace_back(fmt::format("{}{}", kGiven, next_), bytes);
      given_[next_++] = std::move(given);
    }
    std::ranges::move(done_, std::back_inserter(step.positions));
    done_.clear();
    step.pass_ended = answer.rows.size() <= options_.page_rows;
    if (!answer.rows.empty()) place_ = answer.rows.back();
    return Status::ok();
  }

  void committed(const std::string& key, const std::string& value) override {
    if (!key.starts_with(kGiven) || value.empty()) return;
    const auto found = given_.find(std::strtoull(key.c_str() + kGiven.size(), nullptr, 10));
    if (found != given_.end()) found->second.committed = true;
  }
  bool waits_for_commit() const override { return !given_.empty(); }
  std::size_t remembered() const override { return waiting_.size(); }

 private:
  struct Given {
    bool committed = false;
    std::vector<std::pair<std::string, std::string>> rows;  ///< key, version
  };

  void remember(Given& given, std::string key, std::string version) {
    waiting_[key] = version;
    given.rows.emplace_back(std::move(key), std::move(version));
  }

  Status write_back(TableSession& session) {
    while (!given_.empty() &&
           (given_.begin()->second.committed || runtime::mutant("postgres.flag_early"))) {
      const auto first = given_.begin();
      runtime::failpoint("postgres.before_write_back");
      HUILIU_RETURN_IF_ERROR(set_flags(session, first->second));
      runtime::failpoint("postgres.after_write_back");
      for (const auto& [key, version] : first->second.rows) {
        const auto known = waiting_.find(key);
        if (known != waiting_.end() && known->second == version) waiting_.erase(known);
      }
      done_.emplace_back(fmt::format("{}{}", kGiven, first->first), "");
      given_.erase(first);
    }
    return Status::ok();
  }

  Status set_flags(TableSession& session, const Given& given) const {
    std::vector<std::vector<std::string>> columns(options_.key.size() + 1);
    for (const auto& [key, version] : given.rows) {
      std::string_view rest = key;
      for (std::size_t i = 0; i < options_.key.size(); ++i) {
        std::optional<std::string_view> cell;
        if (!take_cell(rest, cell)) return Status::corrupt(options_.name() + ": a damaged key");
        columns[i].emplace_back(cell.value_or(""));
      }
      columns.back().push_back(version);
    }
    std::vector<std::string> parameters = {options_.read, options_.unread};
    for (const auto& texts : columns) parameters.push_back(Dialect::array(texts));
    Answer answer;
    return session.ask(session.dialect().write_back(), parameters, answer);
  }

  const TableSourceOptions& options_;
  std::map<std::uint64_t, Given> given_;
  std::unordered_map<std::string, std::string> waiting_;  // of `given_`: key → version
  std::vector<runtime::PositionChange> done_;             // which no step has said yet
  std::uint64_t next_ = 1;
  std::optional<Row> place_;
};

}  // namespace

std::unique_ptr<TablePass> make_flag_pass(const TableSourceOptions& options) {
  return std::make_unique<FlagPass>(options);
}

}  // namespace huiliu::connectors::postgres
