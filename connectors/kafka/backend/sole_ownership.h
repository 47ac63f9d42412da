#pragma once

#include "connectors/kafka/backend/ownership.h"

namespace huiliu::connectors::kafka {

/// One process runs the topology. A second one with the same id takes over: it writes its mark into
/// the progress topic and opens transactions of the same transactional id, which fences the first.
class SoleOwnership final : public Ownership {
 public:
  using Ownership::Ownership;

  runtime::Status prepare() override;
  std::string transactional_id() const override;
  runtime::Status take_over(TopicTransaction& transaction) override;
  std::string worker() const override { return "worker"; }
  std::uint64_t epoch() const override { return epoch_; }
  std::vector<std::string> table_marks(const std::string& table) const override;

 private:
  bool keeps(std::string_view) const override { return true; }
  int partition_of(std::string_view) const override { return 0; }
  runtime::Status produce_epoch(TopicTransaction& transaction,
                                const runtime::EpochCommit& commit) override;
  GroupMetadata group() override;

  runtime::Status write_mark();
  runtime::Status check_owner() const;
  runtime::Status read_progress();
  runtime::Status read_epoch();
  runtime::Status check_shards() const;

  std::string owner_;  // this process, in the progress topic
  std::uint64_t epoch_ = 0;
};

}  // namespace huiliu::connectors::kafka
