#include "connectors/kafka/client/statistics.h"

#include <map>

#include <gtest/gtest.h>

namespace huiliu::connectors::kafka {
namespace {

std::map<std::string, double> values(const ClientStatistics& statistics) {
  std::map<std::string, double> values;
  for (const auto& figure : statistics.figures("producer")) values[figure.name] = figure.value;
  return values;
}

TEST(ClientStatisticsTest, BrokersCountTogether) {
  ClientStatistics statistics;
  EXPECT_TRUE(statistics.figures("producer").empty());
  statistics.take(R"({"msg_cnt": 5, "msg_size": 700, "tx_bytes": 10, "rx_bytes": 20, "brokers": {
      "a:1/1": {"state": "UP", "txerrs": 1, "rxerrs": 2, "req_timeouts": 3, "disconnects": 4,
                "waitresp_cnt": 5, "rtt": {"p99": 1500}},
      "b:1/2": {"state": "INIT", "txerrs": 10, "rtt": {"p99": 2500}},
      "bootstrap": {"state": "DOWN"}}})");
  const auto now = values(statistics);
  EXPECT_EQ(now.at("kafka_client_queued_messages"), 5);
  EXPECT_EQ(now.at("kafka_client_queued_bytes"), 700);
  EXPECT_EQ(now.at("kafka_client_errors_total"), 13);
  EXPECT_EQ(now.at("kafka_client_request_timeouts_total"), 3);
  EXPECT_EQ(now.at("kafka_client_disconnects_total"), 4);
  EXPECT_EQ(now.at("kafka_client_waiting_requests"), 5);
  EXPECT_EQ(now.at("kafka_client_connected_brokers"), 1);
  EXPECT_DOUBLE_EQ(now.at("kafka_client_round_trip_seconds"), 0.0025);
}

TEST(ClientStatisticsTest, WhatIsNoneChangesNothing) {
  ClientStatistics statistics;
  statistics.take("{");
  statistics.take("[1]");
  EXPECT_TRUE(statistics.figures("producer").empty());
  statistics.take(R"({"msg_cnt": "5", "brokers": {"a": 1, "b": {"rtt": 2}}})");
  EXPECT_EQ(values(statistics).at("kafka_client_queued_messages"), 0);
}

TEST(ClientStatisticsTest, TheConnectionsIntervalHolds) {
  const Connection plain{.bootstrap = "b", .settings = {}};
  const Connection own{.bootstrap = "b", .settings = {{"statistics.interval.ms", "0"}}};
  EXPECT_EQ(ClientStatistics::wanted({{"a", "b"}}, plain).size(), 2u);
  EXPECT_EQ(ClientStatistics::wanted({{"a", "b"}}, own).size(), 1u);
}

}  // namespace
}  // namespace huiliu::connectors::kafka
