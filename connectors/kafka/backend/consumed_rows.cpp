#include "connectors/kafka/backend/consumed_rows.h"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "connectors/kafka/backend/backend_keys.h"
#include "connectors/kafka/client/position.h"

namespace huiliu::connectors::kafka {

PartitionList consumed_rows(const runtime::StateNeeds& needs, const ProgressLog& progress) {
  PartitionList list(rd_kafka_topic_partition_list_new(8));
  for (const auto& [key, value] : progress.all()) {
    const auto place = parse_position_key(key);
    const auto position = place ? parse_position(value) : std::nullopt;
    if (!position) continue;
    const bool own = std::any_of(needs.repartitions.begin(), needs.repartitions.end(),
                                 [&](const auto& need) { return need.topic == place->topic; });
    if (!own) continue;
    rd_kafka_topic_partition_list_add(list.get(), place->topic.c_str(), place->partition)->offset =
        position->next;
  }
  return list;
}

void ConsumedRows::forget(rd_kafka_t* client, const runtime::StateNeeds& needs,
                          const ProgressLog& progress) {
  constexpr std::int64_t kEveryMs = 30'000;
  if (now_ms() - forgotten_ms_ < kEveryMs) return;
  forgotten_ms_ = now_ms();
  const PartitionList list = consumed_rows(needs, progress);
  if (list->cnt == 0) return;
  if (runtime::Status status = delete_records(client, list.get()); !status.is_ok()) {
    spdlog::warn("{}; the topic keeps growing", status.message());
  }
}

}  // namespace huiliu::connectors::kafka
