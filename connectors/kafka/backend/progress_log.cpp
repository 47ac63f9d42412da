#include "connectors/kafka/backend/progress_log.h"

#include <charconv>

#include <fmt/format.h>

#include "connectors/kafka/backend/backend_keys.h"
#include "connectors/kafka/client/position.h"

namespace huiliu::connectors::kafka {

using runtime::Result;
using runtime::Status;

namespace {

bool is_number(std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end;
}

bool fits(std::string_view key, std::string_view value) {
  if (key == kEpoch || key.starts_with(kTrimmed)) return is_number(value);
  return !parse_position_key(key) || parse_position(value);
}

}  // namespace

Status ProgressLog::take(const ReplayedRecord& record) {
  if (record.tombstone) {
    values_.erase(std::string(record.key));
    return Status::ok();
  }
  if (!fits(record.key, record.value)) {
    return Status::corrupt(fmt::format(
        "{}[{}] at offset {}: '{}' is no value of {}: something else has written it there. Restore "
        "the topic, or start afresh with another `topology` id",
        topic_name_, record.partition, record.offset, record.value.substr(0, 80), record.key));
  }
  values_[std::string(record.key)] = record.value;
  return Status::ok();
}

const std::string* ProgressLog::find(std::string_view key) const {
  const auto found = values_.find(std::string(key));
  return found == values_.end() ? nullptr : &found->second;
}

ProgressLog::Meta ProgressLog::with_prefix(std::string_view prefix) const {
  Meta found;
  for (auto it = values_.lower_bound(std::string(prefix));
       it != values_.end() && it->first.starts_with(prefix); ++it) {
    found.emplace_back(*it);
  }
  return found;
}

void ProgressLog::set(std::string_view key, std::string value) {
  values_[std::string(key)] = std::move(value);
}

void ProgressLog::add_next(std::string_view key, std::string value) {
  next_.emplace_back(key, std::move(value));
}

Result<bool> ProgressLog::put(TopicTransaction& transaction, int partition, const std::string& key,
                              const std::string& value) {
  const std::string* const known = find(key);
  // A key that is not there is as good as deleted.
  if (known == nullptr ? value.empty() : *known == value) return false;
  if (Status status = write(transaction, partition, key, value); !status.is_ok()) return status;
  return true;
}

Status ProgressLog::write(TopicTransaction& transaction, int partition, const std::string& key,
                          const std::string& value) {
  if (value.empty()) {
    values_.erase(key);
  } else {
    values_[key] = value;
  }
  return transaction.produce(
      topic_, {.partition = partition,
               .key = key,
               .value = value.empty() ? std::string_view() : std::string_view(value)});
}

}  // namespace huiliu::connectors::kafka
