#include "connectors/kafka/backend/local_copy.h"

#include <fmt/format.h>

#include "connectors/kafka/backend/backend_keys.h"
#include "state/embedded_backend.h"

namespace huiliu::connectors::kafka {

using runtime::Result;
using runtime::Status;

Result<LocalCopy> LocalCopy::open(const std::string& folder, const runtime::StateNeeds& needs,
                                  const std::function<void(state::StoreOptions&)>& adjust) {
  state::StoreOptions options = state::store_options(needs);
  options.identity += " backend=kafka";
  if (adjust) adjust(options);
  auto store = state::EpochStore::open(folder, options);
  if (!store.is_ok()) return store.status();
  LocalCopy copy;
  copy.store_ = std::move(store.value());
  copy.number_ = copy.store_->last_epoch();
  for (auto& [key, value] : copy.store_->meta("kafka/")) copy.notes_[key] = value;
  if (Status status = copy.begin(); !status.is_ok()) return status;
  return copy;
}

// The parts of the copy are brought up one by one: nobody else is to read it (state/reader.h) until
// all of them are as of one epoch.
Status LocalCopy::begin() {
  if (notes_.erase(std::string(kWhole)) == 0) return Status::ok();
  state::Commit opening;
  opening.meta.emplace_back(kWhole, "");
  return commit_next(opening, false);
}

const std::string* LocalCopy::note(std::string_view key) const {
  const auto found = notes_.find(key);
  return found == notes_.end() ? nullptr : &found->second;
}

bool LocalCopy::has_position_of_shard(std::uint16_t shard) const {
  const std::string ending = "/" + std::to_string(shard);
  for (const auto& [key, value] : notes_) {
    if (key.starts_with(kPosition) && key.ends_with(ending) && local_offset(value) > 0) return true;
  }
  return false;
}

void LocalCopy::add_note(std::string_view key, std::string value) {
  new_notes_.emplace_back(key, std::move(value));
}

Status LocalCopy::remember() {
  if (new_notes_.empty()) return Status::ok();
  state::Commit first;
  first.meta = std::exchange(new_notes_, {});
  return commit_next(first, true);
}

Status LocalCopy::check_cluster(const std::string& cluster) {
  const std::string* const known = note(kCluster);
  if (known == nullptr) {
    add_note(kCluster, cluster);
    return Status::ok();
  }
  if (*known == cluster) return Status::ok();
  return Status::invalid(fmt::format(
      "the local state belongs to the Kafka cluster {}, `bootstrap` leads to {}; correct it, or "
      "remove the local state folder to restore the state from this cluster",
      *known, cluster));
}

std::string LocalCopy::position_key(std::string_view topic, int partition) {
  return fmt::format("{}{}/{}", kPosition, topic, partition);
}

std::optional<std::int64_t> LocalCopy::offset(std::string_view topic, int partition) const {
  const std::string* const known = note(position_key(topic, partition));
  return known == nullptr ? std::nullopt : std::optional(local_offset(*known));
}

Status LocalCopy::commit_next(state::Commit& commit, bool known) {
  commit.epoch = ++number_;
  if (known) {
    for (const auto& [key, value] : commit.meta) {
      if (value.empty()) {
        notes_.erase(key);
      } else {
        notes_[key] = value;
      }
    }
  }
  return store_->commit(commit);
}

Status LocalCopy::commit_epoch(const state::Commit& commit) {
  if (Status status = store_->commit(commit); !status.is_ok()) return status;
  number_ = commit.epoch;
  return Status::ok();
}

Status LocalCopy::tell_whole(const std::map<std::string, std::string>& engine,
                             const std::string& shards, std::uint64_t epoch) {
  state::Commit whole;
  for (const auto& [key, value] : store_->meta("")) {
    if (!key.starts_with("kafka/") && !engine.contains(key)) whole.meta.emplace_back(key, "");
  }
  for (const auto& [key, value] : engine) {
    if (!key.starts_with("!")) whole.meta.emplace_back(key, value);
  }
  whole.meta.emplace_back(kWhole, shards);
  whole.epoch = ++number_;
  align(epoch);
  return store_->commit(whole);
}

}  // namespace huiliu::connectors::kafka
