#include "service/monitor/top_page.h"

#include <gmock/gmock.h>

namespace huiliu::service {
namespace {

using ::testing::HasSubstr;

constexpr const char* kBefore = R"({"topology":"t","version":"1","epoch":10,"nodes":[
  {"kind":"source","name":"in","emitted":1000},
  {"kind":"operator","name":"fast","received":1000,"emitted":900},
  {"kind":"operator","name":"slow","received":500,"emitted":500}]})";

constexpr const char* kNow = R"({"topology":"t","version":"1","state":"running","ready":false,
 "epoch":14,"last_commit_age_ms":250,
 "reasons":[{"code":"away","subject":"db","text":"no route","since":"2026-01-01T00:00:00.000Z"}],
 "nodes":[
  {"kind":"source","name":"in","emitted":3000},
  {"kind":"operator","name":"fast","received":3000,"emitted":2900,"rejected":20},
  {"kind":"operator","name":"slow","received":600,"emitted":0},
  {"kind":"sink","name":"new","received":5000}],
 "sources":[{"name":"in","queued_slices":3,"splits":2,"ended":false,"furthest_behind":[
  {"split":"p0","lag_ms":12500,"backlog_records":40},{"split":"p1","backlog_records":2}]}],
 "waits":[{"node":"w","source":"in","split":"p0"}]})";

TEST(TopPageTest, ShowsRatesBetweenTwoLooksTheSlowestFirst) {
  const std::string text = top_text(kBefore, kNow, 2).value();
  EXPECT_THAT(text, HasSubstr("t version 1: running, NOT READY"));
  EXPECT_THAT(text, HasSubstr("epoch 14, one every 0.50 s; last commit 250 ms ago"));
  EXPECT_THAT(text, HasSubstr("away db: no route"));
  EXPECT_THAT(text, HasSubstr("operator  slow                         50.0          0.0"));
  EXPECT_THAT(text,
              HasSubstr("operator  fast                       1000.0       1000.0         10.0"));
  EXPECT_LT(text.find("slow"), text.find("fast"));
  EXPECT_THAT(text,
              HasSubstr("in                         12.5 s       42 records        3      2  p0"));
  EXPECT_THAT(text, HasSubstr("w waits for in p0 (nothing yet)"));
}

TEST(TopPageTest, ANodeThatWasNotThereBeforeHasNoRateYet) {
  EXPECT_THAT(top_text(kBefore, kNow, 2).value(),
              HasSubstr("sink      new                           0.0"));
}

TEST(TopPageTest, CountsThatBeganAnewGiveNoRate) {
  const std::string text = top_text(kNow, kBefore, 2).value();
  EXPECT_THAT(text, HasSubstr("none since the last look"));
  EXPECT_THAT(text, HasSubstr("source    in                            0.0          0.0"));
}

TEST(TopPageTest, SaysThatAnAnswerIsNone) {
  EXPECT_FALSE(top_text("[]", kNow, 1).is_ok());
  EXPECT_FALSE(top_text(kBefore, "<html>", 1).is_ok());
  EXPECT_TRUE(top_text("{}", "{}", 0).is_ok()) << "of another version";
}

}  // namespace
}  // namespace huiliu::service
