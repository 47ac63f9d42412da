#include "connectors/kafka/client/errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/kafka/client/client.h"

namespace huiliu::connectors::kafka {
namespace {

using runtime::StatusCode;
using ::testing::HasSubstr;

// Codes of a newer broker; within what the enumeration can hold.
constexpr auto kUnheardOf = static_cast<rd_kafka_resp_err_t>(201);
constexpr auto kAnother = static_cast<rd_kafka_resp_err_t>(202);

// What a person must know of each kind; the whole table is in errors.cpp.
TEST(KafkaErrorsTest, SaysForEachCodeWhatIsDone) {
  const struct {
    rd_kafka_resp_err_t code;
    Reaction reaction;
  } cases[] = {
      {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, Reaction::kReject},
      {RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, Reaction::kReject},
      {RD_KAFKA_RESP_ERR_INVALID_RECORD, Reaction::kReject},
      {RD_KAFKA_RESP_ERR__TIMED_OUT, Reaction::kRetry},
      {RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, Reaction::kRetry},
      {RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, Reaction::kRetry},
      {RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, Reaction::kRetry},
      {RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED, Reaction::kRetry},
      {RD_KAFKA_RESP_ERR_PRODUCER_FENCED, Reaction::kReopen},
      {RD_KAFKA_RESP_ERR__FENCED, Reaction::kReopen},
      {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, Reaction::kReopen},
      {RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, Reaction::kReopen},
      {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, Reaction::kReopen},
      {RD_KAFKA_RESP_ERR_UNKNOWN, Reaction::kFew},
      {RD_KAFKA_RESP_ERR_INVALID_MSG, Reaction::kFew},
      {RD_KAFKA_RESP_ERR__BAD_MSG, Reaction::kFew},
      {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, Reaction::kEnd},
      {RD_KAFKA_RESP_ERR_POLICY_VIOLATION, Reaction::kEnd},
      {RD_KAFKA_RESP_ERR_GROUP_MAX_SIZE_REACHED, Reaction::kEnd},
      {kUnheardOf, Reaction::kFew},
  };
  for (const auto& [code, reaction] : cases) {
    EXPECT_EQ(rule_of(code).reaction, reaction) << rd_kafka_err2name(code);
  }
}

// A worker that started while the only broker was lost for a moment ended with this for good.
TEST(KafkaErrorsTest, TellsBrokersThatAreLostForAMomentFromTooFew) {
  const auto reaction = [](std::string_view text) {
    return rule_of(meant(RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR, text)).reaction;
  };
  EXPECT_EQ(reaction("Unable to replicate the partition 1 time(s): All brokers are currently "
                     "fenced, or have all their log directories cordoned."),
            Reaction::kRetry);
  EXPECT_EQ(reaction("Unable to replicate the partition 3 time(s): The target replication factor "
                     "of 3 cannot be reached because only 1 broker(s) are registered."),
            Reaction::kEnd);
}

// A new librdkafka may know more; then somebody must decide.
TEST(KafkaErrorsTest, HasARowForEachCodeThatLibrdkafkaKnows) {
  const rd_kafka_err_desc* all = nullptr;
  std::size_t count = 0;
  rd_kafka_get_err_descs(&all, &count);
  for (std::size_t i = 0; i < count; ++i) {
    const rd_kafka_resp_err_t code = all[i].code;
    const bool is_one = all[i].name != nullptr && code != RD_KAFKA_RESP_ERR_NO_ERROR &&
                        code != RD_KAFKA_RESP_ERR__BEGIN && code != RD_KAFKA_RESP_ERR__END;
    EXPECT_EQ(has_rule(code), is_one) << rd_kafka_err2name(code);
  }
}

TEST(KafkaErrorsTest, HasARemedyWhereOnlyAPersonCanMendIt) {
  for (const ErrorRule& rule : error_rules()) {
    const bool ends = rule.reaction == Reaction::kEnd || rule.reaction == Reaction::kReject;
    EXPECT_EQ(!rule.remedy.empty(), ends) << rd_kafka_err2name(rule.code);
    EXPECT_EQ(rule_of(rule.code).reaction, rule.reaction) << rd_kafka_err2name(rule.code);
  }
}

TEST(KafkaErrorsTest, TurnsIntoAStatusOfItsKind) {
  const auto code_of = [](rd_kafka_resp_err_t code) {
    return as_status(error_of(code), "writing").code();
  };
  EXPECT_EQ(code_of(RD_KAFKA_RESP_ERR_NO_ERROR), StatusCode::kOk);
  EXPECT_EQ(code_of(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE), StatusCode::kInvalid);
  EXPECT_EQ(code_of(RD_KAFKA_RESP_ERR__TIMED_OUT), StatusCode::kRestart);
  EXPECT_EQ(code_of(RD_KAFKA_RESP_ERR_PRODUCER_FENCED), StatusCode::kRestart);
  EXPECT_EQ(code_of(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED), StatusCode::kInvalid);
  EXPECT_THAT(as_status(error_of(RD_KAFKA_RESP_ERR_POLICY_VIOLATION), "creating").message(),
              HasSubstr("(POLICY_VIOLATION); the brokers' settings"));
}

TEST(KafkaErrorsTest, EndsWhenAnUnknownErrorComesAgainAndAgain) {
  std::int64_t now = 1'000'000;
  const auto status = [&now](rd_kafka_resp_err_t code) {
    return as_status(error_of(code), "writing to topic a", now);
  };
  // A burst is not yet too often: nothing had time to pass.
  for (int times = 0; times < 100; ++times) {
    ASSERT_EQ(status(kUnheardOf).code(), StatusCode::kRestart);
  }
  now += RepeatedErrors::kLeastMs;
  const runtime::Status ended = status(kUnheardOf);
  EXPECT_EQ(ended.code(), StatusCode::kFatal);
  EXPECT_THAT(ended.message(), HasSubstr("writing to topic a"));
  EXPECT_THAT(ended.message(), HasSubstr("code 201"));
  // Another one begins at nothing and breaks no series; the same one does after a while.
  EXPECT_EQ(status(kAnother).code(), StatusCode::kRestart);
  EXPECT_EQ(status(kUnheardOf).code(), StatusCode::kFatal);
  for (int times = 0; times < 30; ++times) {
    now += RepeatedErrors::kApartMs + 1;
    ASSERT_EQ(status(kUnheardOf).code(), StatusCode::kRestart);
  }
}

// With the pauses that a process makes between two openings: 0.1 s, twice as long each, 10 s.
TEST(KafkaErrorsTest, IsTriedForAboutTwoMinutes) {
  RepeatedErrors errors;
  std::int64_t now = 0, pause = 100;
  int times = 1;
  while (!errors.too_often(now)) {
    now += pause;
    pause = std::min<std::int64_t>(pause * 2, 10'000);
    ASSERT_LT(++times, 100);
  }
  EXPECT_GE(times, RepeatedErrors::kMost);
  EXPECT_LT(now, 120'000);
}

}  // namespace
}  // namespace huiliu::connectors::kafka
