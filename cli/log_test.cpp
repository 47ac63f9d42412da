#include "cli/log.h"

#include <vector>

#include <gmock/gmock.h>

#include "runtime/base/log_context.h"

namespace huiliu::cli {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Lines final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  std::vector<std::string> seen;

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    seen.emplace_back(message.payload.data(), message.payload.size());
  }
  void flush_() override {}
};

spdlog::details::log_msg message_at(std::int64_t ms, std::string_view text) {
  return {spdlog::log_clock::time_point(milliseconds(ms)),
          {},
          "",
          spdlog::level::warn,
          spdlog::string_view_t(text.data(), text.size())};
}

TEST(LogTest, WhatIsSaidAgainAndAgainIsCounted) {
  const auto lines = std::make_shared<Lines>();
  RateLimitedSink limited(lines);
  for (int i = 0; i < 140; ++i) {
    limited.log(message_at(i, "trying again in " + std::to_string(i) + " ms"));
  }
  EXPECT_EQ(lines->seen.size(), RateLimitedSink::kMost);
  limited.log(message_at(160, "something else"));
  EXPECT_EQ(lines->seen.back(), "something else");
  limited.log(message_at(RateLimitedSink::kWindowMs + 1, "a third thing"));
  ASSERT_EQ(lines->seen.size(), RateLimitedSink::kMost + 3);
  EXPECT_EQ(lines->seen[RateLimitedSink::kMost + 1],
            "40 more messages like this were left out: trying again in # ms");
}

TEST(LogTest, WhatIsLeftOutIsSaidAtTheEnd) {
  const auto lines = std::make_shared<Lines>();
  {
    RateLimitedSink limited(lines);
    for (unsigned i = 0; i <= RateLimitedSink::kMost; ++i) limited.log(message_at(0, "no"));
  }
  EXPECT_EQ(lines->seen.back(), "1 more messages like this were left out: no");
}

TEST(LogTest, ALineIsOneJsonObject) {
  const std::string line = json_line(message_at(1'800'000'000'000, "a \"b\"\n\x01 中"), "t");
  EXPECT_EQ(line,
            "{\"time\":\"2027-01-15T08:00:00.000Z\",\"level\":\"warning\",\"topology\":\"t\","
            "\"message\":\"a \\\"b\\\"\\n\\u0001 中\"}");
}

TEST(LogTest, ALineNamesTheNodeAndTheEpochThatItsThreadWorksOn) {
  const auto line = [] { return json_line(message_at(0, "m"), ""); };
  {
    const runtime::LogScope epoch(std::uint64_t{7});
    const runtime::LogScope node(std::string_view("out"));
    EXPECT_NE(line().find(R"("node":"out","epoch":7,"message":"m")"), std::string::npos) << line();
  }
  EXPECT_EQ(line().find("epoch"), std::string::npos) << line();
}

}  // namespace
}  // namespace huiliu::cli
