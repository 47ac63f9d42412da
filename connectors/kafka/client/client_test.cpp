#include "connectors/kafka/client/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/testing.h"

namespace huiliu::connectors::kafka {
namespace {

using connectors::testing::config_of;
using runtime::StatusCode;
using ::testing::HasSubstr;

TEST(Connection, WrongSettingsAreFoundWithTheirPlace) {
  runtime::Diagnostics diagnostics;
  check_connection(
      config_of("bootstrap: x:1\nsettings: {acks: 1, linger.msec: 5, ssl.key.pem: k}\n"), nullptr,
      diagnostics);
  ASSERT_EQ(diagnostics.errors(), 2u) << diagnostics.to_string();
  EXPECT_THAT(diagnostics.to_string(), HasSubstr("'acks' is set by Huiliu"));
  EXPECT_THAT(diagnostics.to_string(), HasSubstr("no setting 'linger.msec'"));
}

TEST(Connection, ComesFromTheBackendUnlessTheNodeHasItsOwn) {
  const runtime::Config backend =
      config_of("type: kafka\nbootstrap: b:1\nsettings: {security.protocol: ssl}\n");
  const Connection shared = connection_of(config_of("topic: t\n"), &backend);
  EXPECT_EQ(shared.bootstrap, "b:1");
  EXPECT_EQ(shared.settings.size(), 1u);
  const Connection own = connection_of(config_of("bootstrap: c:1\n"), &backend);
  EXPECT_EQ(own.bootstrap, "c:1");
  EXPECT_TRUE(own.settings.empty());
  runtime::Diagnostics diagnostics;
  check_connection(config_of("topic: t\n"), nullptr, diagnostics);
  EXPECT_THAT(diagnostics.to_string(), HasSubstr("`bootstrap` is missing"));
}

TEST(Errors, WhatAPersonMustMendStopsAndTheRestReopens) {
  const auto code = [](rd_kafka_resp_err_t error) {
    return as_status(error_of(error), "x").code();
  };
  EXPECT_EQ(code(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED), StatusCode::kInvalid);
  EXPECT_EQ(code(RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT), StatusCode::kInvalid);
  EXPECT_EQ(code(RD_KAFKA_RESP_ERR__FENCED), StatusCode::kRestart);
  EXPECT_EQ(code(RD_KAFKA_RESP_ERR__TIMED_OUT), StatusCode::kRestart);
  EXPECT_EQ(code(RD_KAFKA_RESP_ERR_NO_ERROR), StatusCode::kOk);
}

}  // namespace
}  // namespace huiliu::connectors::kafka
