#include "runtime/engine/timeline.h"

#include <gtest/gtest.h>

#include "runtime/component/registry.h"
#include "runtime/testing/null_sink.h"
#include "runtime/testing/topology_text.h"

namespace huiliu::runtime {
namespace {

using Kind = SplitEvent::Kind;

/// Sources `a` and `b` with event time, `c` without; `x` reads a, `y` reads a and b, `z` reads c.
Registry make_registry() {
  Registry registry;
  for (const bool timed : {true, false}) {
    SourceType source;
    source.descriptor = {.name = timed ? "timed" : "timeless", .kind = ComponentKind::kSource};
    source.declare = [timed](SourceDeclaration& declaration) {
      declaration.output.add("n", Type::kInt64);
      if (timed) declaration.event_time = {.field = 0, .out_of_orderness_ms = 10};
    };
    registry.add(std::move(source));
  }
  OperatorType pass;
  pass.descriptor = {.name = "pass"};
  pass.declare = [](Declaration& declaration) { declaration.output = declaration.input(); };
  registry.add(std::move(pass));
  registry.add(testing::null_sink());
  return registry;
}

class TimelineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    topology_ = testing::topology_of(
        registry_,
        "topology: test\nsources: {a: {type: timed}, b: {type: timed}, c: {type: timeless}}\n"
        "operators:\n  x: {type: pass, input: a}\n  y: {type: pass, input: [a, b]}\n"
        "  z: {type: pass, input: c}\nsinks: {none: {type: \"null\", input: [x, y, z]}}\n");
    timeline_.emplace(topology_);
  }

  /// A slice of that source (0: a, 1: b) and split, with records up to `time`.
  void records(std::uint32_t source, SplitId split, std::int64_t time,
               std::vector<SplitEvent> events = {}) {
    SliceInfo slice;
    slice.source = source;
    slice.split = split;
    slice.max_event_time = time;
    pass(slice, std::move(events));
  }
  void nothing(std::vector<SplitEvent> events) {
    SliceInfo slice;
    pass(slice, std::move(events));
  }
  std::int64_t at(std::string_view node) const {
    for (std::size_t n = 0; n < topology_.nodes.size(); ++n) {
      if (topology_.nodes[n].name == node) return times_->at(n);
    }
    ADD_FAILURE() << node;
    return 0;
  }
  void announce(std::uint32_t source, SplitId split, std::int64_t time = kNoEventTime) {
    nothing({{Kind::kAnnounced, source, split, time}});
  }

  Registry registry_ = make_registry();
  Topology topology_;
  std::optional<Timeline> timeline_;
  std::shared_ptr<const NodeTimes> times_;

 private:
  void pass(SliceInfo& slice, std::vector<SplitEvent> events) {
    slice.sequence = sequence_++;
    slice.events = std::move(events);
    times_ = timeline_->after(slice);
    EXPECT_EQ(timeline_->after(slice), times_) << "the same for the next thread";
  }
  std::uint64_t sequence_ = 0;
};

TEST_F(TimelineTest, ANodeWaitsForEverySplitOfItsOwnSources) {
  announce(0, 0);
  announce(0, 1);
  announce(1, 0);
  records(0, 0, 1000);
  EXPECT_EQ(at("x"), kNoEventTime) << "split 1 of a has said nothing";
  records(0, 1, 500);
  EXPECT_EQ(at("x"), 490);
  EXPECT_EQ(at("y"), kNoEventTime) << "b has said nothing";
  records(1, 0, 400);
  EXPECT_EQ(at("x"), 490);
  EXPECT_EQ(at("y"), 390);
  EXPECT_EQ(at("z"), kNoEventTime);
}

TEST_F(TimelineTest, NeverGoesBack) {
  announce(0, 0);
  records(0, 0, 1000);
  records(0, 0, 700);
  EXPECT_EQ(at("x"), 990);
  announce(0, 1);
  EXPECT_EQ(at("x"), 990);
  records(0, 1, 100);
  records(0, 0, 2000);
  EXPECT_EQ(at("x"), 990) << "held up by the new split";
  records(0, 1, 1500);
  EXPECT_EQ(at("x"), 1490);
}

TEST_F(TimelineTest, WhatHasEndedOrIsIdleHoldsNobodyUp) {
  announce(0, 0);
  announce(0, 1);
  announce(0, 2);
  records(0, 0, 1000);
  nothing({{Kind::kEnded, 0, 1}, {Kind::kIdle, 0, 2}});
  EXPECT_EQ(at("x"), 990);
  records(0, 2, 300);
  records(0, 0, 3000);
  EXPECT_EQ(at("x"), 990) << "split 2 is not idle any more";
  nothing({{Kind::kIdle, 0, 2}});
  EXPECT_EQ(at("x"), 2990);
}

TEST_F(TimelineTest, AnIdleSourceLeavesTheTimeToOthers) {
  announce(0, 0);
  records(0, 0, 1000);
  EXPECT_EQ(at("y"), kNoEventTime);
  nothing({{Kind::kSourceIdle, 1}});
  EXPECT_EQ(at("y"), 990);
  announce(1, 0);
  records(0, 0, 2000);
  EXPECT_EQ(at("y"), 990) << "b is there again";
  nothing({{Kind::kIdle, 0, 0}, {Kind::kIdle, 1, 0}});
  EXPECT_EQ(at("y"), 1990) << "all that has come is all that there is";
}

TEST_F(TimelineTest, TimeEndsWithTheLastSource) {
  announce(0, 0);
  records(0, 0, 1000);
  nothing({{Kind::kEnded, 0, 0}, {Kind::kSourceEnded, 0}});
  EXPECT_EQ(at("x"), kEndOfTime);
  EXPECT_EQ(at("y"), kNoEventTime);
  nothing({{Kind::kSourceEnded, 1}});
  EXPECT_EQ(at("y"), kEndOfTime);
  EXPECT_EQ(at("z"), kNoEventTime);
}

TEST_F(TimelineTest, GoesOnWhereAnEarlierRunWas) {
  nothing({{Kind::kAnnounced, 0, 0, 5000}, {Kind::kAnnounced, 0, 1, 4000}});
  EXPECT_EQ(at("x"), 3990);
  records(0, 1, 4500);
  EXPECT_EQ(at("x"), 4490);
}

TEST_F(TimelineTest, TimesAtTheEdgesOfTheNumbersAreNoTrap) {
  announce(0, 0, std::numeric_limits<std::int64_t>::min() + 3);
  EXPECT_EQ(at("x"), std::numeric_limits<std::int64_t>::min() + 1);
}

TEST_F(TimelineTest, StandsStillInARejudgement) {
  timeline_->stand_still();
  announce(0, 0);
  records(0, 0, 1000);
  EXPECT_EQ(at("x"), kNoEventTime);
}

TEST(HoldBackTest, NoShardIsFurtherThanWhatIsYetToBeMade) {
  using State = ShardTime::State;
  std::vector<ShardTime> times = {{0, State::kTime, 50},
                                  {1, State::kTime, 900},
                                  {2, State::kIdle, 70},
                                  {3, State::kNone, kNoEventTime}};
  std::vector<ShardTime> expected = {{0, State::kTime, 50},
                                     {1, State::kTime, 100},
                                     {2, State::kTime, 100},
                                     {3, State::kTime, 100}};
  hold_back(times, kEndOfTime);
  EXPECT_EQ(times[1].time, 900) << "nothing is held back";
  hold_back(times, 100);
  EXPECT_EQ(times, expected);
}

}  // namespace
}  // namespace huiliu::runtime
