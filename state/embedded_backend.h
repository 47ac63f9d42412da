#pragma once

#include <memory>
#include <vector>

#include "runtime/component/backend.h"
#include "state/epoch_store.h"

namespace huiliu::state {

/// How the state of a topology is opened.
StoreOptions store_options(const runtime::StateNeeds& needs);
/// The commit as the store takes it; `entries` and `commit` must outlive the result.
Commit as_commit(const runtime::EpochCommit& commit, std::vector<LogEntry>& entries);

/// The engine's backend on an EpochStore.
class EmbeddedBackend final : public runtime::Backend {
 public:
  /// Intakes lie in `folder`, "" = nowhere.
  explicit EmbeddedBackend(std::unique_ptr<EpochStore> store, std::string folder = {})
      : store_(std::move(store)), folder_(std::move(folder)) {}

  std::uint64_t last_epoch() const override { return store_->last_epoch(); }
  std::vector<std::pair<std::string, std::string>> meta(std::string_view prefix) const override {
    return store_->meta(prefix);
  }
  runtime::Result<Table*> open_table(const std::string& name,
                                     const std::vector<std::uint16_t>& shards) override {
    return store_->table(name, shards);
  }
  runtime::Pacing pacing() const override {
    return {.end_epoch = store_->wants_epoch(), .pause = store_->wants_pause()};
  }
  std::shared_ptr<void> freeze(Table& table, std::uint64_t epoch) override;
  runtime::Status commit(const runtime::EpochCommit& commit) override;
  runtime::Result<std::vector<runtime::OutboxEntry>> read_log(const std::string& log,
                                                              std::uint64_t after,
                                                              std::size_t max_bytes) override;
  std::vector<runtime::Figure> figures() const override { return store_->figures(); }
  runtime::Result<std::uint64_t> snapshot(const runtime::SnapshotRequest& request) override;
  runtime::Result<std::shared_ptr<runtime::Intake>> open_intake(
      const std::string& source, const runtime::IntakeOptions& options) override;
  EpochStore& store() { return *store_; }

  /// Below the state folder; in it a folder for each source.
  static constexpr const char* kIntakes = "intake";

 private:
  std::unique_ptr<EpochStore> store_;
  std::string folder_;
};

}  // namespace huiliu::state
