#include "connectors/http/push_answers.h"

#include <gmock/gmock.h>

namespace huiliu::connectors {
namespace {

using Kind = PushVerdict::Kind;
using ::testing::HasSubstr;

constexpr std::int64_t kNow = 1767225600000;  // 2026-01-01T00:00:00Z

PushVerdict of(unsigned status, const std::string& body = {}, const std::string& retry = {}) {
  return judge({status, body, retry}, 3, kNow);
}

TEST(PushAnswersTest, WhatAStatusMeans) {
  for (const unsigned status : {200u, 201u, 202u, 204u, 409u}) {
    EXPECT_EQ(of(status).kind, Kind::kTaken) << status;
  }
  for (const unsigned status : {400u, 413u, 422u}) {
    EXPECT_EQ(of(status).kind, Kind::kRefused) << status;
  }
  for (const unsigned status : {302u, 401u, 403u, 404u, 408u, 429u, 500u, 502u, 503u}) {
    EXPECT_EQ(of(status).kind, Kind::kAgain) << status;
    EXPECT_THAT(of(status).message, HasSubstr(std::to_string(status)));
  }
  EXPECT_TRUE(of(401).is_unknown_sender);
  EXPECT_EQ(of(409, "", "1").kind, Kind::kAgain) << "a request with the key is in work";
}

TEST(PushAnswersTest, ReceiptsNameTheRowsThatAreRefused) {
  const auto verdict = of(200, R"({"results":[
      {"index":0,"outcome":"accepted"},
      {"index":2,"outcome":"rejected","code":"late","message":"第三行"},
      {"index":2,"outcome":"rejected"}, {"index":3,"outcome":"rejected"},
      {"index":-1,"outcome":"rejected"}, {"outcome":"rejected"}, 7]})");
  EXPECT_EQ(verdict.kind, Kind::kTaken);
  ASSERT_EQ(verdict.refused.size(), 1u);
  EXPECT_EQ(verdict.refused[0].index, 2u);
  EXPECT_EQ(verdict.refused[0].code, "late");
  EXPECT_EQ(verdict.refused[0].message, "第三行");
}

TEST(PushAnswersTest, ABodyThatIsNoReceiptTakesNothingBack) {
  for (const char* body :
       {"OK", "", "[]", "{\"results\":7}", "{\"results\":[", "{\"results\":[["}) {
    EXPECT_EQ(of(200, body).kind, Kind::kTaken) << body;
    EXPECT_TRUE(of(200, body).refused.empty()) << body;
  }
  EXPECT_TRUE(of(200, std::string(1 << 20, '[')).refused.empty());
}

TEST(PushAnswersTest, WordsOfTheReceiverAreShortAndOfOneLine) {
  const auto coded = of(422, R"({"code":"bad_row","message":"a\nb"})");
  EXPECT_EQ(coded.code, "bad_row");
  EXPECT_EQ(coded.message, "a b");
  const auto plain = of(400, "no\x1b[31m");
  EXPECT_EQ(plain.code, "http_400");
  EXPECT_EQ(plain.message, "no [31m");
  EXPECT_LE(of(400, std::string(5000, 'x')).message.size(), 500u);
}

TEST(PushAnswersTest, RetryAfterIsSecondsOrADate) {
  using std::chrono::seconds;
  EXPECT_EQ(parse_retry_after("7", kNow), seconds(7));
  EXPECT_EQ(parse_retry_after("-3", kNow), seconds(0));
  EXPECT_EQ(parse_retry_after("Thu, 01 Jan 2026 00:00:05 GMT", kNow), seconds(5));
  EXPECT_EQ(parse_retry_after("Wed, 31 Dec 2025 00:00:05 GMT", kNow), seconds(0));
  EXPECT_EQ(parse_retry_after("soon", kNow), std::nullopt);
  EXPECT_EQ(parse_retry_after("99999999999999999999", kNow), std::nullopt);
  EXPECT_EQ(of(503, "", "2").pause, seconds(2));
}

}  // namespace
}  // namespace huiliu::connectors
