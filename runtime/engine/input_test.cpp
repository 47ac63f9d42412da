#include <atomic>
#include <map>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <spdlog/spdlog.h>

#include "runtime/component/meta_key.h"
#include "runtime/component/registry.h"
#include "runtime/engine/engine.h"
#include "runtime/testing/memory_backend.h"
#include "runtime/testing/null_sink.h"
#include "runtime/testing/topology_text.h"

namespace huiliu::runtime {
namespace {

using ::testing::ElementsAre;
using testing::MemoryBackend;

/// What the test's sources give, and what came of it. Names are those of nodes.
struct World {
  /// A record of a split at a time; "" ends the split instead.
  struct Item {
    std::string split;
    std::int64_t time = 0;
    bool ends = false;
  };
  std::map<std::string, std::vector<Item>> items;
  std::map<std::string, std::vector<std::string>> splits;  ///< that the source announces at once
  std::set<std::string> live;                              ///< sources that go on for ever
  std::set<std::string> stuck;   ///< sources whose read returns only when `released` is set
  std::set<std::string> throws;  ///< sources whose read throws
  std::atomic<bool> released{false};
  std::mutex mutex;
  std::vector<std::string> seen;  ///< "NAME TIME" per record, "wm TIME" per watermark
  std::map<std::string, std::string> committed;

  void note(std::string line) {
    const std::lock_guard lock(mutex);
    seen.push_back(std::move(line));
  }
  std::size_t count(const std::string& prefix) {
    const std::lock_guard lock(mutex);
    return static_cast<std::size_t>(std::count_if(
        seen.begin(), seen.end(), [&](auto& line) { return line.starts_with(prefix); }));
  }
};

class ScriptedReader final : public SourceReader {
 public:
  ScriptedReader(World& world, std::string name) : world_(world), name_(std::move(name)) {}
  Status open(const SourceContext& context) override {
    context_ = context;
    name_ = context.node_name;
    for (const auto& [key, value] : context.positions) next_ = std::stoull(value);
    for (const std::string& split : world_.splits[name_]) {
      splits_[split] =
          context.splits->announce({.key = split, .live = world_.live.contains(name_)});
    }
    return Status::ok();
  }
  ReadResult read(Slice& slice) override {
    if (world_.throws.contains(name_)) throw std::runtime_error("no such sensor");
    while (world_.stuck.contains(name_) && !world_.released) std::this_thread::yield();
    const auto& items = world_.items[name_];
    for (; next_ < items.size() && items[next_].ends; ++next_) {
      context_.splits->end(splits_.at(items[next_].split));
    }
    if (next_ == items.size()) {
      return world_.live.contains(name_) ? ReadResult::kIdle : ReadResult::kEnd;
    }
    const World::Item& item = items[next_];
    if (held_.contains(has_splits() ? splits_.at(item.split) : 0)) return ReadResult::kIdle;
    ++next_;
    slice.bytes = std::to_string(item.time);
    slice.partition = context_.intern(name_);
    if (has_splits()) slice.split = splits_.at(item.split);
    slice.positions = {{"next", std::to_string(next_)}};
    return ReadResult::kSlice;
  }
  bool has_splits() const override { return !world_.splits[name_].empty(); }
  void hold(SplitId split, bool held) override {
    held ? void(held_.insert(split)) : void(held_.erase(split));
  }
  void committed(const std::vector<PositionChange>& positions) override {
    const std::lock_guard lock(world_.mutex);
    for (const auto& [key, value] : positions) world_.committed[name_] = value;
  }

 private:
  World& world_;
  std::string name_;
  SourceContext context_;
  std::map<std::string, SplitId> splits_;
  std::set<SplitId> held_;
  std::size_t next_ = 0;
};

class TimeDecoder final : public Decoder {
 public:
  void decode(const Slice& slice, Outputs& out) override {
    Record record;
    record.values = row_;
    record.width = 1;
    record.event_time = std::stoll(slice.bytes);
    record.origin = {slice.partition, 0};
    row_[0] = Value::of_integer(record.event_time);
    out.emit(record);
  }

 private:
  Value row_[16];
};

/// Notes records and watermarks in their order.
class Watcher final : public Operator {
 public:
  explicit Watcher(World& world) : world_(world) {}
  void process(std::size_t, Record& record, Outputs& out) override {
    world_.note(fmt::format("{} {}", *record.origin.partition, record.event_time));
    out.drop(record);
  }
  void on_watermark(std::int64_t time, Outputs&) override {
    world_.note(time == kEndOfTime ? "wm end" : fmt::format("wm {}", time));
  }

 private:
  World& world_;
};

/// Gives what it got when its time has come, one record a slice.
class Trickle final : public Operator {
 public:
  void process(std::size_t, Record& record, Outputs& out) override {
    times_.insert(record.event_time);
    name_ = record.origin.partition;
    out.absorb(record);
  }
  void on_watermark(std::int64_t time, Outputs& out) override {
    watermark_ = time;
    if (times_.empty() || *times_.begin() > time) return;
    const std::int64_t first = *times_.begin();
    times_.erase(times_.begin());
    Record record;
    record.values = row_;
    record.width = 1;
    record.event_time = first;
    record.origin = {name_, 0};
    row_[0] = Value::of_integer(first);
    out.emit_new(record);
  }
  std::int64_t held_time() const override {
    return times_.empty() || *times_.begin() > watermark_ ? kEndOfTime : *times_.begin() - 1;
  }

 private:
  std::multiset<std::int64_t> times_;
  std::int64_t watermark_ = kNoEventTime;
  const std::string* name_ = nullptr;
  Value row_[16];
};

class InputTest : public ::testing::Test {
 protected:
  void SetUp() override {
    spdlog::set_level(spdlog::level::err);
    SourceType source;
    source.descriptor = {.name = "script", .kind = ComponentKind::kSource};
    source.declare = [](SourceDeclaration& declaration) {
      declaration.output.add("t", Type::kInt64);
      declaration.event_time = {.field = 0, .idle_ms = 1000};
    };
    source.create_reader = [this](const SourceDeclaration&) {
      return std::make_unique<ScriptedReader>(world_, "");
    };
    source.create_decoder = [](const SourceDeclaration&, const DecoderContext&) {
      return std::make_unique<TimeDecoder>();
    };
    registry_.add(std::move(source));
    OperatorType watch;
    watch.descriptor = {.name = "watch"};
    watch.descriptor.stateful = watch.descriptor.needs_event_time = true;
    watch.declare = [](Declaration& declaration) { declaration.output = declaration.input(); };
    watch.create = [this](const Declaration&) { return std::make_unique<Watcher>(world_); };
    registry_.add(std::move(watch));
    OperatorType trickle;
    trickle.descriptor = {.name = "trickle"};
    trickle.descriptor.stateful = trickle.descriptor.needs_event_time = true;
    trickle.declare = [](Declaration& declaration) { declaration.output = declaration.input(); };
    trickle.create = [](const Declaration&) { return std::make_unique<Trickle>(); };
    registry_.add(std::move(trickle));
    OperatorType look_up;
    look_up.descriptor = {.name = "look_up",
                          .inputs = {{.name = "records"}, {.name = "table", .first = true}}};
    look_up.declare = [](Declaration& declaration) { declaration.output = declaration.input(); };
    look_up.create = [this](const Declaration&) { return std::make_unique<Watcher>(world_); };
    registry_.add(std::move(look_up));
    registry_.add(testing::null_sink());
    topology_ = testing::topology_of(
        registry_,
        "topology: test\nepoch: 5ms\nsources: {a: {type: script}, b: {type: script}}\n"
        "operators:\n  watch: {type: watch, input: [a, b]}\n"
        "sinks: {none: {type: \"null\", input: watch}}\n");
  }

  /// Steps until nothing happens for a virtual `idle_ms`, or the end.
  void step(std::int64_t idle_ms = 100) {
    Engine engine(topology_, 1, backend_, clock_);
    ASSERT_TRUE(engine.open().is_ok());
    const std::int64_t until = clock_.steady_ms() + idle_ms;
    for (std::uint64_t i = 0; !engine.done() && clock_.steady_ms() < until; ++i) {
      if (!engine.step(i)) clock_.advance(1);
    }
    engine.stop();
    for (std::uint64_t i = 0; !engine.done(); ++i) engine.step(i);
    ASSERT_TRUE(engine.finish().is_ok());
    progress_ = engine.progress();
  }

  EngineProgress progress_;  // of the last run
  World world_;
  Registry registry_;
  Topology topology_;
  MemoryBackend backend_;
  ManualClock clock_;
};

TEST_F(InputTest, SourcesThatAlwaysHaveSomethingTakeTurns) {
  for (int i = 0; i < 3; ++i) {
    world_.items["a"].push_back({"", i});
    world_.items["b"].push_back({"", 10 + i});
  }
  step();
  EXPECT_THAT(world_.seen, ElementsAre("a 0", "b 10", "wm 0", "a 1", "wm 1", "b 11", "a 2", "wm 2",
                                       "b 12", "wm end"));
}

/// The second source of `look_up` is a table.
class TableInputTest : public InputTest {
 protected:
  void SetUp() override {
    InputTest::SetUp();
    topology_ = testing::topology_of(
        registry_,
        "topology: test\nepoch: 5ms\nsources: {a: {type: script}, b: {type: script}}\n"
        "operators:\n  look_up: {type: look_up, input: [a, b]}\n"
        "sinks: {none: {type: \"null\", input: look_up}}\n");
    for (int i = 0; i < 2; ++i) {
      world_.items["a"].push_back({"", i});
      world_.items["b"].push_back({"", 10 + i});
    }
  }
};

TEST_F(TableInputTest, ATableIsReadBeforeWhatLooksThingsUpInIt) {
  step();
  EXPECT_THAT(world_.seen, ElementsAre("b 10", "b 11", "a 0", "a 1"));
}

TEST_F(TableInputTest, ATableThatGoesOnIsReadUntilNothingMoreIsThere) {
  world_.live = {"a", "b"};
  step();
  EXPECT_THAT(world_.seen, ElementsAre("b 10", "b 11", "a 0", "a 1"));
}

TEST_F(TableInputTest, ATableThatIsFarAheadOfItsGroupIsNotHeldBackForWhatWaitsForIt) {
  for (const Node& node : topology_.nodes) {
    if (node.kind != ComponentKind::kSource) continue;
    node.source_declaration->event_time.align_most_ms = 100;
    node.source_declaration->event_time.align_group = "g";
  }
  world_.live = {"a", "b"};
  world_.items["b"] = {{"", 1000}};
  step();
  world_.seen.clear();
  // The times come back with the next run, and with them how far the table is ahead.
  world_.items["a"].push_back({"", 2});
  world_.items["b"].push_back({"", 1001});
  step();
  EXPECT_THAT(world_.seen, ElementsAre("b 1001", "a 2"));
}

/// What the first operator makes of its state takes several slices.
class PiecesInputTest : public InputTest {
 protected:
  void SetUp() override {
    InputTest::SetUp();
    topology_ = testing::topology_of(
        registry_,
        "topology: test\nepoch: 5ms\nsources: {a: {type: script}}\n"
        "operators:\n  slow: {type: trickle, input: a}\n  watch: {type: watch, input: slow}\n"
        "sinks: {none: {type: \"null\", input: watch}}\n");
    world_.splits["a"] = {"p0", "p1"};
    // The time of both splits comes to 30 with the last record, when all three are due.
    world_.items["a"] = {{"p0", 10}, {"p0", 20}, {"p0", 30}, {"p1", 30}};
  }
};

TEST_F(PiecesInputTest, NodesBehindWaitForWhatIsDueAndComeToTheTimeOfTheRecordsBeforeTheEnd) {
  step();
  EXPECT_THAT(world_.seen,
              ElementsAre("a 10", "wm 19", "a 20", "wm 29", "a 30", "a 30", "wm 30", "wm end"));
}

TEST_F(PiecesInputTest, NodesBehindWaitForWhatIsDueOfALiveSource) {
  world_.live = {"a"};
  step();
  EXPECT_THAT(world_.seen, ElementsAre("a 10", "wm 19", "a 20", "wm 29", "a 30", "a 30", "wm 30"));
}

TEST_F(InputTest, ASourceThatIsStuckStopsNeitherOthersNorCommits) {
  world_.stuck = {"a"};
  world_.live = {"a", "b"};
  for (int i = 0; i < 200; ++i) world_.items["b"].push_back({"", i});
  for (const unsigned threads : {1u, 3u}) {
    world_.seen.clear();
    MemoryBackend backend;
    Engine engine(topology_, threads, backend, system_clock());
    ASSERT_TRUE(engine.open().is_ok());
    std::thread run([&] { EXPECT_TRUE(engine.run().is_ok()); });
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < end &&
           value_of_key(backend.meta("source/b/"), "source/b/next") != "200") {
      std::this_thread::yield();
    }
    engine.stop();
    while (!engine.done()) std::this_thread::yield();
    world_.released = true;
    run.join();
    EXPECT_EQ(value_of_key(backend.meta("source/b/"), "source/b/next"), "200");
    EXPECT_EQ(world_.count("b "), 200);
    world_.released = false;
  }
}

// Records that come one by one are small slices: a commit that takes long must not stop them where
// a few large ones would have been taken. All of them are committed with the next one.
TEST_F(InputTest, SmallSlicesGoOnInOneEpochWhileACommitTakesLong) {
  constexpr int kCount = 100;
  world_.live = {"a", "b"};
  for (int i = 0; i < kCount; ++i) world_.items["b"].push_back({"", i});
  backend_.fail_commits(1'000'000);
  Engine engine(topology_, 1, backend_, system_clock());
  ASSERT_TRUE(engine.open().is_ok());
  std::thread run([&] { EXPECT_TRUE(engine.run().is_ok()); });
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  const auto until = [&](const auto& condition) {
    while (std::chrono::steady_clock::now() < end && !condition()) std::this_thread::yield();
    return condition();
  };
  EXPECT_TRUE(until([&] { return world_.count("b ") == kCount; }));
  EXPECT_EQ(backend_.last_epoch(), 0u);
  backend_.fail_commits(0);
  EXPECT_TRUE(
      until([&] { return value_of_key(backend_.meta("source/b/"), "source/b/next") == "100"; }));
  EXPECT_LE(backend_.last_epoch(), 2u);
  engine.stop();
  run.join();
}

TEST_F(InputTest, WhatAReaderThrowsEndsTheRunWithItsWords) {
  world_.live = {"b"};
  world_.throws = {"a"};
  Engine engine(topology_, 1, backend_, system_clock());
  ASSERT_TRUE(engine.open().is_ok());
  const Status status = engine.run();
  EXPECT_EQ(status.code(), StatusCode::kFailed);
  EXPECT_EQ(status.message(), "no such sensor");
}

TEST_F(InputTest, ASilentSplitHoldsTimeUpUntilItIsIdle) {
  world_.live = {"a", "b"};
  world_.splits["a"] = {"p0", "p1"};
  world_.items["a"] = {{"p0", 100}, {"p1", 50}, {"p0", 200}};
  world_.items["b"] = {{"", 500}};
  step(500);
  EXPECT_THAT(world_.seen, ElementsAre("a 100", "b 500", "a 50", "wm 50", "a 200"));
  world_.seen.clear();
  // The times come back with the next run, and p1 stays silent.
  world_.items["a"].push_back({"p0", 300});
  step(3000);
  EXPECT_THAT(world_.seen, ElementsAre("wm 50", "a 300", "wm 500"));
  const SourceProgress& a = progress_.figures->input.front();
  EXPECT_EQ(a.splits, 2u);
  EXPECT_EQ(a.idle_splits, 2u) << "nothing comes of p0 any more either";
}

TEST_F(InputTest, ItIsSaidWhoHoldsTimeUp) {
  world_.live = {"a", "b"};
  world_.splits["a"] = {"p0", "p1"};
  world_.items["a"] = {{"p0", 100}, {"p0", 200}};
  world_.items["b"] = {{"", 500}};
  step();
  auto holder = time_holder(topology_, 2, progress_.figures->input);
  ASSERT_TRUE(holder);
  EXPECT_EQ(topology_.nodes[holder->source].name + "/" + holder->split, "a/p1");
  EXPECT_EQ(holder->time, kNoEventTime);
  EXPECT_EQ(progress_.figures->times[2], kNoEventTime);
  world_.items["a"].push_back({"p1", 300});
  step();
  holder = time_holder(topology_, 2, progress_.figures->input);
  EXPECT_EQ(holder->split, "p0");
  EXPECT_EQ(holder->time, 200);
  EXPECT_EQ(progress_.figures->times[2], 200);
  EXPECT_EQ(progress_.figures->input.front().slices, 1u) << "of this run";
}

TEST_F(InputTest, AClosedWindowStaysClosedAfterARestart) {
  world_.live = {"a", "b"};
  world_.splits["a"] = {"p"};
  world_.items["a"] = {{"p", 20'000}};
  world_.items["b"] = {{"", 30'000}};
  step();
  world_.seen.clear();
  world_.items["a"].push_back({"p", 6});
  step();
  EXPECT_THAT(world_.seen, ElementsAre("wm 20000", "a 6"));
}

TEST_F(InputTest, WhatHasEndedLeavesTheTimeAtOnce) {
  world_.live = {"b"};
  world_.splits["a"] = {"f1", "f2"};
  world_.items["a"] = {{"f1", 10}, {"f1", 0, true}, {"f2", 5}, {"f2", 0, true}};
  world_.items["b"] = {{"", 400}, {"", 500}};
  step();
  // Time waits for f2, then for b only, since a has ended.
  EXPECT_THAT(world_.seen, ElementsAre("a 10", "b 400", "a 5", "wm 5", "b 500", "wm 500"));
  EXPECT_TRUE(backend_.meta("time/a/").empty() ||
              value_of_key(backend_.meta("time/a/"), "time/a/f2").empty());
}

TEST_F(InputTest, ASourceThatIsFarAheadOfItsGroupIsHeldBack) {
  for (const Node& node : topology_.nodes) {
    if (node.kind != ComponentKind::kSource) continue;
    node.source_declaration->event_time.align_most_ms = 100;
    node.source_declaration->event_time.align_group = "g";
  }
  for (int i = 0; i < 5; ++i) {
    world_.items["a"].push_back({"", i * 1000});
    world_.items["b"].push_back({"", i});
  }
  step();
  std::vector<std::string> records;
  for (const std::string& line : world_.seen) {
    if (!line.starts_with("wm")) records.push_back(line);
  }
  EXPECT_EQ(progress_.figures->input.front().held_splits, 0u);
  EXPECT_THAT(records, ElementsAre("a 0", "b 0", "a 1000", "b 1", "b 2", "b 3", "b 4", "a 2000",
                                   "a 3000", "a 4000"));
}

/// Steps for a virtual time.
void step_for(Engine& engine, ManualClock& clock, std::int64_t ms) {
  const std::int64_t until = clock.steady_ms() + ms;
  for (std::uint64_t i = 0; !engine.done() && clock.steady_ms() < until; ++i) {
    if (!engine.step(i)) clock.advance(1);
  }
}

TEST_F(InputTest, NothingBecomesIdleWhileAnOperatorHasItPaused) {
  world_.live = {"a", "b"};
  world_.splits["a"] = {"p0", "p1"};
  world_.items["a"] = {{"p0", 100}, {"p1", 50}};
  world_.items["b"] = {{"", 500}};
  Engine engine(topology_, 1, backend_, clock_);
  ASSERT_TRUE(engine.open().is_ok());
  step_for(engine, clock_, 100);
  engine.pause();
  world_.items["a"].push_back({"p1", 60});
  step_for(engine, clock_, 10'000);
  EXPECT_EQ(engine.asked().paused_with, backend_.last_epoch());
  EXPECT_THAT(world_.seen, ElementsAre("a 100", "b 500", "a 50", "wm 50"));
  const std::uint64_t epoch = backend_.last_epoch();
  step_for(engine, clock_, 1000);
  EXPECT_EQ(backend_.last_epoch(), epoch) << "there is nothing to commit";
  engine.resume();
  step_for(engine, clock_, 100);
  EXPECT_THAT(world_.seen, ElementsAre("a 100", "b 500", "a 50", "wm 50", "a 60", "wm 60"));
  EXPECT_FALSE(engine.asked().paused_with);
}

TEST_F(PiecesInputTest, WhatOperatorsHoldIsAPartOfWhatIsDrained) {
  world_.live = {"a"};
  Engine engine(topology_, 1, backend_, clock_);
  ASSERT_TRUE(engine.open().is_ok());
  // The first of what is due comes with the slice that makes all of it due.
  while (world_.count("a ") == 0) {
    if (!engine.step(0) && !engine.step(1)) clock_.advance(1);
  }
  engine.drain();
  step_for(engine, clock_, 1000);
  ASSERT_TRUE(engine.done());
  ASSERT_TRUE(engine.finish().is_ok());
  EXPECT_THAT(world_.seen, ElementsAre("a 10", "wm 19", "a 20", "wm 29", "a 30", "a 30", "wm 30"));
  EXPECT_TRUE(engine.drained());
  EXPECT_FALSE(engine.input_ended());
}

TEST_F(InputTest, AReaderLearnsWhatIsCommitted) {
  world_.live = {"a", "b"};
  world_.items["a"] = {{"", 1}, {"", 2}};
  step();
  EXPECT_EQ(world_.committed["a"], "2");
}

}  // namespace
}  // namespace huiliu::runtime
