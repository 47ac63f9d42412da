#include "connectors/postgres/table_reader.h"

#include <algorithm>
#include <atomic>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "connectors/postgres/table_pass.h"
#include "runtime/base/stored_number.h"
#include "runtime/record/key.h"

namespace huiliu::connectors::postgres {
namespace {

using runtime::Figure;
using runtime::ReadResult;
using runtime::Slice;
using runtime::Status;
using runtime::StatusCode;

constexpr std::string_view kCount = "count";  // of the position: rows given
constexpr std::size_t kReadableBehind = 64;   // Slice::bytes
constexpr std::int64_t kParkMs = 5000;        // how soon a table that is wrong is looked at again
constexpr std::int64_t kWorkMs = 100;         // without anything to give

class TableReader final : public runtime::SourceReader {
 public:
  explicit TableReader(const TableSourceOptions& options)
      : options_(options), session_(options_), pass_(TablePass::make(options_)) {}

  Status open(const runtime::SourceContext& context) override {
    context_ = context;
    pass_ = TablePass::make(options_);
    in_pass_ = false;
    count_ = 0;
    partition_ = context.intern(options_.name());
    for (const auto& [key, value] : context.positions) {
      if (key == kCount) {
        count_ = runtime::stored_number<std::uint64_t>(value, context.node_name);
      } else if (!pass_->load(key, value)) {
        return Status::invalid(context.node_name +
                               ": the state is of a source with another `mode`. Go back to that "
                               "mode, or start with another name of the source");
      }
    }
    const Status status = session_.attach(context.ending);
    if (status.code() != StatusCode::kUnavailable) return status;
    spdlog::warn("{}: {}; it is read when it is there", context.node_name, status.message());
    away_ = status.message();
    return Status::ok();
  }

  ReadResult read(Slice& slice) override {
    const std::int64_t began = now();
    while (now() - began < kWorkMs) {
      // The flags of what was given last are set when it is committed, and that is committed too.
      if (ended_ && !commit_came_) {
        return pass_->waits_for_commit() ? ReadResult::kIdle : ReadResult::kEnd;
      }
      if (!is_time()) return ReadResult::kIdle;
      Step step;
      const Status status = take_step(step);
      if (!status.is_ok()) return failed(status);
      commit_came_ = false;  // what was committed has its flags now
      works(step);
      if (step.rows.empty() && step.positions.empty()) continue;
      give(step, slice);
      return ReadResult::kSlice;
    }
    return ReadResult::kIdle;
  }

  void committed(const std::vector<runtime::PositionChange>& positions) override {
    for (const auto& [key, value] : positions) pass_->committed(key, value);
    commit_came_ = pass_->waits_for_commit();
  }
  bool has_caught_up() const override { return passes_ > 0; }
  std::string_view away() const override { return away_; }
  Status failure() const override { return failure_; }

  std::vector<Figure> figures() const override {
    return {{"table_rows_read_total",
             "Rows that the server sent.",
             {},
             static_cast<double>(rows_read_),
             true},
            {"table_passes_total",
             "Passes over the table, or what is new of it.",
             {},
             static_cast<double>(passes_),
             true},
            {"table_rows_remembered",
             "Rows that are remembered, so that they are given once.",
             {},
             static_cast<double>(remembered_)},
            {"table_last_pass_timestamp_seconds",
             "When the last pass ended; 0: none has.",
             {},
             static_cast<double>(last_pass_ms_) / 1000}};
  }

 private:
  std::int64_t now() const { return context_.clock->steady_ms(); }

  bool is_time() {
    if (commit_came_ && (ended_ || away_.empty())) return true;
    if (now() < not_before_) return false;
    return in_pass_ || !options_.hours || options_.hours->contain(context_.clock->now_ms());
  }

  Status take_step(Step& step) {
    HUILIU_RETURN_IF_ERROR(session_.attach(context_.ending));
    if (!in_pass_) pass_->begin_pass();
    in_pass_ = true;
    return pass_->step(session_, step);
  }

  ReadResult failed(const Status& status) {
    in_pass_ = false;
    away_ = status.message();
    if (status.code() == StatusCode::kUnavailable) {
      spdlog::warn("{}: {}", context_.node_name, status.message());
      return ReadResult::kRetry;
    }
    if (status.code() != StatusCode::kInvalid || options_.until_end) {
      failure_ = status;
      return ReadResult::kFailed;
    }
    // Others go on; somebody mends the table, and then it goes on too.
    if (parked_ != away_) spdlog::error("{}: it waits: {}", context_.node_name, away_);
    parked_ = away_;
    leave_out(away_);
    not_before_ = now() + kParkMs;
    return ReadResult::kIdle;
  }

  void works(const Step& step) {
    if (!away_.empty()) spdlog::info("{}: the table is read again", context_.node_name);
    if (!parked_.empty()) leave_out("");
    away_.clear();
    parked_.clear();
    rows_read_ += step.read;
    remembered_ = pass_->remembered();
    if (options_.rows_per_second > 0) {
      not_before_ = now() + static_cast<std::int64_t>(step.read) * 1000 / options_.rows_per_second;
    }
    if (!step.pass_ended) return;
    in_pass_ = false;
    ++passes_;
    last_pass_ms_ = context_.clock->now_ms();
    not_before_ = std::max(not_before_, now() + options_.interval_ms);
    ended_ = options_.until_end;
    if (step.remark == remark_) return;
    remark_ = step.remark;
    if (!remark_.empty()) spdlog::warn("{}: {}", context_.node_name, remark_);
    leave_out(remark_);
  }

  void leave_out(const std::string& why) {
    if (context_.left_out) context_.left_out(options_.name(), why);
  }

  void give(Step& step, Slice& slice) {
    slice.bytes = std::move(step.rows);
    slice.bytes.reserve(slice.bytes.size() + kReadableBehind);
    slice.format =
        static_cast<std::uint32_t>(step.deletes ? TableSlice::kDeletes : TableSlice::kRows);
    slice.detail = nullptr;
    slice.partition = partition_;
    slice.partition_hash = runtime::KeyBuilder::hash_bytes(*partition_);
    slice.first_offset = count_;
    count_ += step.given;
    slice.positions = std::move(step.positions);
    if (step.given > 0) slice.positions.emplace_back(kCount, std::to_string(count_));
  }

  const TableSourceOptions options_;
  runtime::SourceContext context_;
  TableSession session_;
  std::unique_ptr<TablePass> pass_;
  bool in_pass_ = false, ended_ = false, commit_came_ = false;
  std::int64_t not_before_ = 0;
  std::uint64_t count_ = 0;
  const std::string* partition_ = nullptr;
  std::string away_, parked_, remark_;
  Status failure_ = Status::ok();
  std::atomic<std::uint64_t> rows_read_{0}, passes_{0}, remembered_{0};
  std::atomic<std::int64_t> last_pass_ms_{0};
};

}  // namespace

std::unique_ptr<runtime::SourceReader> make_table_reader(const TableSourceOptions& options) {
  return std::make_unique<TableReader>(options);
}

}  // namespace huiliu::connectors::postgres
