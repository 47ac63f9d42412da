#include "runtime/engine/engine.h"

#include <atomic>
#include <optional>
#include <random>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "runtime/component/selection.h"
#include "runtime/testing/memory_backend.h"

namespace huiliu::runtime {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::MemoryBackend;
using ::testing::Not;

/// What the test's sinks hold; outlives engines like a file does.
std::map<std::string, std::string>& files() {
  static std::map<std::string, std::string> all;
  return all;
}

// Numbers 1..count, `per_slice` at a time; the position is the last number read.
class Numbers final : public SourceReader {
 public:
  Numbers(std::int64_t count, std::int64_t per_slice) : count_(count), per_slice_(per_slice) {}
  Status open(const SourceContext& context) override {
    partition_ = context.intern("numbers");
    for (const auto& [key, value] : context.positions) next_ = std::stoll(value) + 1;
    return Status::ok();
  }
  ReadResult read(Slice& slice) override {
    if (next_ > count_) return ReadResult::kEnd;
    slice.partition = partition_;
    slice.first_offset = static_cast<std::uint64_t>(next_);
    const std::int64_t last = std::min(count_, next_ + per_slice_ - 1);
    slice.bytes = std::to_string(last);
    next_ = last + 1;
    slice.positions = {{"next", slice.bytes}};
    return ReadResult::kSlice;
  }

 private:
  std::int64_t count_, per_slice_, next_ = 1;
  const std::string* partition_ = nullptr;
};

// All numbers from the first on, for a rejudgement.
class NumbersAgain final : public SourceReader {
 public:
  NumbersAgain(std::int64_t count, std::int64_t per_slice) : numbers_(count, per_slice) {}
  Status open(const SourceContext& context) override {
    EXPECT_NE(context.selection, nullptr);
    SourceContext from_start = context;
    from_start.positions.clear();
    return numbers_.open(from_start);
  }
  ReadResult read(Slice& slice) override {
    const ReadResult result = numbers_.read(slice);
    slice.positions.clear();
    return result;
  }

 private:
  Numbers numbers_;
};

class NumberDecoder final : public Decoder {
 public:
  explicit NumberDecoder(std::size_t slots) : row_(slots) {}
  void decode(const Slice& slice, Outputs& out) override {
    const std::int64_t last = std::stoll(slice.bytes);
    for (auto number = static_cast<std::int64_t>(slice.first_offset); number <= last; ++number) {
      Record record;
      record.values = row_.data();
      record.width = 1;
      record.event_time = number;
      record.origin = {slice.partition, static_cast<std::uint64_t>(number)};
      record.id = record_id(7, record.origin.offset);
      row_[0] = Value::of_integer(number);
      out.emit(record);
    }
  }

 private:
  std::vector<Value> row_;
};

// Rejects multiples of 7, drops multiples of 5.
class Sieve final : public Operator {
 public:
  void process(std::size_t /*input*/, Record& record, Outputs& out) override {
    const std::int64_t number = record[0].integer();
    if (number % 7 == 0) {
      out.reject(record, {"SEVEN", "n", "7", "sieve@1", "a multiple of seven", "七的倍数"});
    } else if (number % 5 == 0) {
      out.drop(record, "five");
    } else {
      out.emit(record);
    }
  }
};

// Keyed pass-through that says which watermark it saw last.
class Pass final : public Operator {
 public:
  void process(std::size_t /*input*/, Record& record, Outputs& out) override { out.emit(record); }
};

class TextEncoder final : public SinkEncoder {
 public:
  const Reject* encode(const Record& record, std::string& out) override {
    out += std::to_string(record[0].integer());
    for (std::size_t i = 1; i < record.width; ++i) out.append(" ").append(record[i].text());
    out += '\n';
    return nullptr;
  }
};

// Refuses multiples of 11; the reject's text does not outlive the call.
class PickyEncoder final : public SinkEncoder {
 public:
  const Reject* encode(const Record& record, std::string& out) override {
    const std::int64_t number = record[0].integer();
    if (number % 11 != 0) return text_.encode(record, out);
    value_ = std::to_string(number);
    reject_ = {"ELEVEN", "n", value_, "picky", "a multiple of eleven", "十一的倍数"};
    return &reject_;
  }

 private:
  TextEncoder text_;
  std::string value_;
  Reject reject_;
};

class StringSink final : public EpochSink {
 public:
  explicit StringSink(std::string name) : name_(std::move(name)) {}
  Status open(const SinkContext& context) override {
    std::size_t length = 0;
    for (const auto& [key, value] : context.positions) length = std::stoull(value);
    files()[name_].resize(length);
    return Status::ok();
  }
  Status append(std::string_view bytes, std::uint64_t) override {
    files()[name_].append(bytes);
    return Status::ok();
  }
  Status prepare(std::vector<std::pair<std::string, std::string>>& positions) override {
    positions = {{"length", std::to_string(files()[name_].size())}};
    return Status::ok();
  }
  void committed() override { committed_ = files()[name_].size(); }
  std::vector<Figure> figures() const override {
    return {{"bytes", "Of a file.", {{"sink", name_}}, static_cast<double>(committed_)}};
  }

 private:
  std::string name_;
  std::size_t committed_ = 0;
};

class StringStore final : public OutboxSink {
 public:
  explicit StringStore(std::string name) : name_(std::move(name)) {}
  Status open(const SinkContext&) override { return Status::ok(); }
  Result<std::uint64_t> position() override { return positions()[name_]; }
  Status apply(const std::vector<OutboxEntry>& entries) override {
    if (away()) return Status::unavailable("as the test wants it");
    for (const OutboxEntry& entry : entries) {
      files()[name_].append(entry.bytes);
      positions()[name_] = entry.sequence;
    }
    return Status::ok();
  }
  static std::atomic<bool>& away() {
    static std::atomic<bool> all{false};
    return all;
  }
  static std::map<std::string, std::uint64_t>& positions() {
    static std::map<std::string, std::uint64_t> all;
    return all;
  }

 private:
  std::string name_;
};

Registry make_registry(std::int64_t count, std::int64_t per_slice) {
  Registry registry;
  SourceType source;
  source.descriptor = {.name = "numbers", .kind = ComponentKind::kSource};
  source.descriptor.traits = {.replayable = true, .reason = "counted"};
  source.declare = [](SourceDeclaration& declaration) {
    declaration.output.add("n", Type::kInt64);
    declaration.event_time.field = 0;
  };
  source.create_reader = [=](const SourceDeclaration&) {
    return std::make_unique<Numbers>(count, per_slice);
  };
  source.create_rereader = [=](const SourceDeclaration&) {
    return std::make_unique<NumbersAgain>(count, per_slice);
  };
  source.create_decoder = [](const SourceDeclaration&, const DecoderContext& context) {
    return std::make_unique<NumberDecoder>(context.row_slots);
  };
  registry.add(std::move(source));

  OperatorType sieve;
  sieve.descriptor = {.name = "sieve"};
  sieve.descriptor.rejects = true;
  sieve.declare = [](Declaration& declaration) { declaration.output = declaration.input(); };
  sieve.create = [](const Declaration&) { return std::make_unique<Sieve>(); };
  registry.add(std::move(sieve));

  OperatorType pass;
  pass.descriptor = {.name = "pass"};
  pass.descriptor.keyed = true;
  pass.declare = [](Declaration& declaration) {
    declaration.output = declaration.input();
    declaration.key_fields = {"n"};
  };
  pass.create = [](const Declaration&) { return std::make_unique<Pass>(); };
  registry.add(std::move(pass));

  for (const std::string name : {"text", "picky", "store"}) {
    const bool store = name == "store", picky = name == "picky";
    SinkType sink;
    sink.descriptor = {.name = name, .kind = ComponentKind::kSink};
    sink.descriptor.rejects = picky;
    sink.descriptor.options = {{.name = "name", .doc = "of the file"}};
    sink.declare = [](SinkDeclaration&) {};
    sink.create_encoder = [picky](const SinkDeclaration&,
                                  std::size_t) -> std::unique_ptr<SinkEncoder> {
      if (picky) return std::make_unique<PickyEncoder>();
      return std::make_unique<TextEncoder>();
    };
    if (store) {
      sink.descriptor.options.push_back(outbox_option());
      sink.create_outbox_sink = [](const SinkDeclaration& declaration) {
        return std::make_unique<StringStore>(declaration.config["name"].text());
      };
    } else {
      sink.create_epoch_sink = [](const SinkDeclaration& declaration) {
        return std::make_unique<StringSink>(declaration.config["name"].text());
      };
    }
    registry.add(std::move(sink));
  }
  return registry;
}

constexpr std::string_view kTopology = R"(
topology: test
epoch: 5ms
rejects: refused
sources:
  numbers: {type: numbers}
operators:
  sieve: {type: sieve, input: numbers}
  by_number: {type: pass, input: sieve}
  again: {type: pass, input: by_number}
sinks:
  kept: {type: text, input: again, name: kept}
  early: {type: text, input: [sieve, by_number], name: early}
  stored: {type: store, input: again, name: stored}
  refused: {type: text, name: refused}
)";

// The sink `picky` refuses records of two stages; readers of its rejects are a sink, a keyed
// operator, and one without a key that is of a later stage than some of them. `refused` refuses
// some of what it gets, and nobody reads that.
constexpr std::string_view kPicky = R"(
topology: test
epoch: 5ms
rejects: refused
sources:
  numbers: {type: numbers}
operators:
  sieve: {type: sieve, input: numbers}
  by_number: {type: pass, input: sieve}
  refused_by_number: {type: pass, input: picky.rejects}
  sieved_again: {type: sieve, input: picky.rejects}
sinks:
  picky: {type: picky, input: [sieve, by_number], name: picky}
  straight: {type: text, input: picky.rejects, name: straight}
  keyed: {type: text, input: refused_by_number, name: keyed}
  again: {type: text, input: sieved_again, name: again}
  refused: {type: picky, name: refused}
)";

Topology load(const Registry& registry, Diagnostics& diagnostics,
              std::string_view text = kTopology) {
  const Config config = parse_config(text, "test.yaml", diagnostics);
  return build_topology(config, "test.yaml", registry, diagnostics);
}

class EngineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    spdlog::set_level(spdlog::level::err);  // commits that fail on purpose would fill the log
    files().clear();
    StringStore::positions().clear();
  }
  std::map<std::string, std::string> run(unsigned threads, std::int64_t count = 5000,
                                         std::string_view text = kTopology) {
    files().clear();
    StringStore::positions().clear();
    const Registry registry = make_registry(count, 37);
    Diagnostics diagnostics;
    const Topology topology = load(registry, diagnostics, text);
    EXPECT_FALSE(diagnostics.has_errors()) << diagnostics.to_string();
    MemoryBackend backend;
    Engine engine(topology, threads, backend, system_clock());
    EXPECT_TRUE(engine.open().is_ok());
    const Status status = engine.run();
    EXPECT_TRUE(status.is_ok()) << status.message();
    for (std::size_t n = 0; n < topology.nodes.size(); ++n) {
      totals_[topology.nodes[n].name] = engine.progress().totals[n];
    }
    return files();
  }
  // Runs to the end in many lives, each cut at a random step.
  std::map<std::string, std::string> run_cut(std::uint64_t seed, std::string_view text);

  std::map<std::string, Ledger::Totals> totals_;  // of the last run(), by node
};

TEST_F(EngineTest, SinksSayTheirFiguresBeforeTheFirstCommitAndOfTheLast) {
  const Registry registry = make_registry(500, 37);
  Diagnostics diagnostics;
  const Topology topology = load(registry, diagnostics);
  MemoryBackend backend;
  Engine engine(topology, 2, backend, system_clock());
  ASSERT_TRUE(engine.open().is_ok());
  const auto said = [&](const std::string& sink) {
    for (const Figure& one : *engine.progress().sink_figures) {
      if (one.labels.front().second == sink) return one.value;
    }
    return -1.0;
  };
  EXPECT_EQ(engine.progress().figures, nullptr);
  EXPECT_EQ(said("kept"), 0);
  EXPECT_TRUE(engine.run().is_ok());
  EXPECT_EQ(said("kept"), files()["kept"].size());
  EXPECT_GT(said("refused"), 0);
}

TEST_F(EngineTest, RejudgesSelectedRowsAndMovesNoPosition) {
  const Registry registry = make_registry(500, 37);
  Diagnostics diagnostics;
  const Topology topology = load(registry, diagnostics);
  for (const unsigned threads : {1u, 3u}) {
    files().clear();
    StringStore::positions().clear();
    MemoryBackend backend;
    {
      Engine engine(topology, threads, backend, system_clock());
      ASSERT_TRUE(engine.open().is_ok());
      ASSERT_TRUE(engine.run().is_ok());
    }
    const auto before = files();
    const auto positions = backend.meta("source/");
    Selection selection(3, "all");
    for (const std::uint64_t row : {7u, 9u, 10u, 444u}) {
      selection.add("numbers", {row, record_id(7, row), "SEVEN"});
    }
    Engine engine(topology, threads, backend, system_clock());
    engine.rejudge(selection);
    ASSERT_TRUE(engine.open().is_ok());
    const Status status = engine.run();
    ASSERT_TRUE(status.is_ok()) << status.message();
    EXPECT_EQ(files()["kept"], before.at("kept") + "9\n444\n");
    EXPECT_EQ(files()["stored"], before.at("stored") + "9\n444\n");
    EXPECT_THAT(files()["refused"].substr(before.at("refused").size()),
                AllOf(HasSubstr("7 SEVEN n 7"), Not(HasSubstr("14"))));
    EXPECT_EQ(backend.meta("source/"), positions);
    const auto made = backend.meta(Rejudgement::kKey);
    ASSERT_EQ(made.size(), 1u);
    EXPECT_EQ(made.front().second, "3 open all");
  }
}

TEST(RejudgementTest, ReadsWhatItWrote) {
  const Rejudgement open{7, true, "file=*.csv rule=a b"};
  const Rejudgement read = Rejudgement::parse(open.to_value());
  EXPECT_EQ(read.number, 7u);
  EXPECT_TRUE(read.open);
  EXPECT_EQ(read.text, open.text);
  EXPECT_FALSE(Rejudgement::parse("8 done x").open);
  EXPECT_EQ(Rejudgement::parse("").number, 0u);
}

TEST_F(EngineTest, WritesTheSameBytesWithAnyNumberOfThreads) {
  const auto one = run(1);
  EXPECT_EQ(one.at("kept"), one.at("stored"));
  EXPECT_EQ(std::count(one.at("refused").begin(), one.at("refused").end(), '\n'), 5000 / 7);
  EXPECT_NE(one.at("refused").find("7 SEVEN n 7 sieve@1 a multiple of seven 七的倍数 sieve"),
            std::string::npos);
  for (unsigned threads : {2u, 3u, 5u}) EXPECT_EQ(run(threads), one) << threads;
}

std::map<std::string, std::string> EngineTest::run_cut(std::uint64_t seed, std::string_view text) {
  files().clear();
  StringStore::positions().clear();
  std::mt19937_64 random(seed);
  const Registry registry = make_registry(1000, 1 + static_cast<std::int64_t>(random() % 60));
  MemoryBackend backend;
  for (int life = 0; life < 200; ++life) {
    Diagnostics diagnostics;
    const Topology topology = load(registry, diagnostics, text);
    ManualClock clock;
    Engine engine(topology, 1 + static_cast<unsigned>(random() % 3), backend, clock);
    engine.set_wait([&](std::int64_t ms) {
      clock.advance(ms);
      return true;
    });
    EXPECT_TRUE(engine.open().is_ok());
    backend.fail_commits(static_cast<int>(random() % 3));
    const std::uint64_t steps = life > 20 ? 1'000'000 : random() % 400;
    for (std::uint64_t step = 0; step < steps && !engine.done(); ++step) {
      engine.step(random());
      clock.advance(static_cast<std::int64_t>(random() % 2));
    }
    if (!engine.done()) continue;
    EXPECT_TRUE(engine.finish().is_ok()) << engine.finish().message();
    return files();
  }
  ADD_FAILURE() << "does not end";
  return {};
}

TEST_F(EngineTest, GoesOnFromTheCommittedEpochWhereverItWasCut) {
  const auto whole = run(1, 1000);
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    ASSERT_EQ(run_cut(seed, kTopology), whole) << "seed " << seed;
  }
}

/// An engine in steps of a seed, on a clock of its own.
class Stepped {
 public:
  Stepped(const Topology& topology, MemoryBackend& backend, std::uint64_t seed)
      : random_(seed),
        engine_(topology, 1 + static_cast<unsigned>(random_() % 3), backend, clock_) {
    engine_.set_wait([this](std::int64_t ms) {
      clock_.advance(ms);
      return true;
    });
    EXPECT_TRUE(engine_.open().is_ok());
  }
  Engine& engine() { return engine_; }
  void steps(std::uint64_t count) {
    for (std::uint64_t step = 0; step < count && !engine_.done(); ++step) {
      engine_.step(random_());
      clock_.advance(static_cast<std::int64_t>(random_() % 2));
    }
  }
  /// False if the run ended before.
  bool until_paused() {
    for (int tries = 0; tries < 10'000 && !engine_.asked().paused_with; ++tries) steps(1);
    return engine_.asked().paused_with.has_value();
  }

 private:
  ManualClock clock_;
  std::mt19937_64 random_;
  Engine engine_;
};

TEST_F(EngineTest, APauseHoldsBetweenTwoSlicesAndNothingIsLostOrDoubled) {
  const auto whole = run(1, 1000);
  int paused = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    files().clear();
    StringStore::positions().clear();
    const Registry registry = make_registry(1000, 1 + static_cast<std::int64_t>(seed % 60));
    Diagnostics diagnostics;
    const Topology topology = load(registry, diagnostics);
    MemoryBackend backend;
    Stepped run(topology, backend, seed);
    run.steps(seed % 150);
    run.engine().pause();
    if (run.until_paused()) {
      ++paused;
      EXPECT_EQ(backend.last_epoch(), *run.engine().asked().paused_with) << "seed " << seed;
      const auto positions = backend.meta("source/");
      const std::string kept = files()["kept"];
      run.steps(500);
      ASSERT_FALSE(run.engine().done()) << "a pause does not end a run; seed " << seed;
      EXPECT_EQ(backend.meta("source/"), positions);
      EXPECT_EQ(files()["kept"], kept);
      EXPECT_EQ(run.engine().progress().uncommitted_bytes, 0u) << "seed " << seed;
    }
    run.engine().resume();
    run.steps(1'000'000);
    ASSERT_TRUE(run.engine().finish().is_ok());
    ASSERT_EQ(files(), whole) << "seed " << seed;
    EXPECT_FALSE(run.engine().asked().pause_asked);
  }
  EXPECT_GT(paused, 200);
}

TEST_F(EngineTest, ADrainDeliversWhatIsCommittedAndTheNextStartGoesOnRunning) {
  const auto whole = run(1, 1000);
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    files().clear();
    StringStore::positions().clear();
    const Registry registry = make_registry(1000, 1 + static_cast<std::int64_t>(seed % 60));
    Diagnostics diagnostics;
    const Topology topology = load(registry, diagnostics);
    MemoryBackend backend;
    {
      Stepped first(topology, backend, seed);
      first.steps(seed % 150);
      if (seed % 2 == 0) first.engine().pause();  // a pause does not hold up a drain
      first.engine().drain();
      first.steps(1'000'000);
      ASSERT_TRUE(first.engine().finish().is_ok());
      EXPECT_TRUE(first.engine().drained()) << "seed " << seed;
      EXPECT_EQ(files()["stored"], files()["kept"]) << "seed " << seed;
    }
    Stepped second(topology, backend, seed + 1000);
    EXPECT_FALSE(second.engine().asked().pause_asked);
    second.steps(1'000'000);
    ASSERT_TRUE(second.engine().finish().is_ok());
    ASSERT_EQ(files(), whole) << "seed " << seed;
  }
}

TEST_F(EngineTest, PausesAndDrainsWithThreads) {
  const auto whole = run(1, 20'000);
  files().clear();
  StringStore::positions().clear();
  const Registry registry = make_registry(20'000, 7);
  Diagnostics diagnostics;
  const Topology topology = load(registry, diagnostics);
  MemoryBackend backend;
  Engine first(topology, 3, backend, system_clock());
  ASSERT_TRUE(first.open().is_ok());
  first.pause();
  std::optional<std::uint64_t> paused_with;
  // The run tells of the pause, is then told to go on, and soon after to drain.
  const Status status = first.run(
      [&](const EngineProgress& progress) {
        if (!paused_with && progress.asked.paused_with) {
          paused_with = progress.asked.paused_with;
          first.resume();
        } else if (paused_with && progress.epoch > *paused_with) {
          first.drain();
        }
      },
      1);
  ASSERT_TRUE(status.is_ok()) << status.message();
  EXPECT_EQ(paused_with, 0u) << "before anything was read";
  EXPECT_TRUE(first.drained() || first.input_ended());
  Engine second(topology, 2, backend, system_clock());
  ASSERT_TRUE(second.open().is_ok());
  ASSERT_TRUE(second.run().is_ok());
  EXPECT_EQ(files(), whole);
}

TEST_F(EngineTest, ADrainWaitsForAStoreThatIsAwayAndSaysSo) {
  const Registry registry = make_registry(20'000, 7);
  Diagnostics diagnostics;
  const Topology topology = load(registry, diagnostics);
  MemoryBackend backend;
  StringStore::away() = true;
  Engine engine(topology, 2, backend, system_clock());
  ASSERT_TRUE(engine.open().is_ok());
  bool waited = false;
  const auto watch = [&](const EngineProgress& progress) {
    if (progress.outbox_records > 0) engine.drain();
    if (!engine.done() || progress.delivering.empty()) return;
    waited = true;
    EXPECT_EQ(progress.delivering, std::vector<std::string>{"stored"});
    StringStore::away() = false;
  };
  const Status status = engine.run(watch, 1);
  StringStore::away() = false;
  ASSERT_TRUE(status.is_ok()) << status.message();
  EXPECT_TRUE(waited);
  EXPECT_TRUE(engine.drained());
  EXPECT_TRUE(engine.progress().delivering.empty());
  EXPECT_EQ(files()["stored"], files()["kept"]);
}

std::size_t lines(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

constexpr std::string_view kTwoEnds = R"(
topology: test
epoch: 5ms
sources:
  slow: {type: numbers}
  other: {type: numbers}
sinks:
  stored: {type: store, input: slow, name: stored, outbox: 4KiB}
  text: {type: text, input: other, name: text}
)";

// Of a node, what is committed.
std::uint64_t received(const Topology& topology, const EngineProgress& progress,
                       std::string_view node) {
  for (std::size_t n = 0; n < topology.nodes.size(); ++n) {
    if (topology.nodes[n].name == node) return progress.totals[n].received;
  }
  return 0;
}

TEST_F(EngineTest, AStoreThatIsBehindStopsOnlyWhatFeedsItAlsoAfterARestart) {
  constexpr std::uint64_t kNumbers = 200'000;
  const Registry registry = make_registry(kNumbers, 37);
  Diagnostics diagnostics;
  const Topology topology = load(registry, diagnostics, kTwoEnds);
  ASSERT_FALSE(diagnostics.has_errors()) << diagnostics.to_string();
  MemoryBackend backend;
  StringStore::away() = true;
  std::uint64_t taken = 0;
  {
    Engine engine(topology, 2, backend, system_clock());
    ASSERT_TRUE(engine.open().is_ok());
    const auto watch = [&](const EngineProgress& progress) {
      taken = received(topology, progress, "stored");
      if (received(topology, progress, "text") == kNumbers) engine.stop();
    };
    ASSERT_TRUE(engine.run(watch, 1).is_ok());
    EXPECT_LT(taken, kNumbers);
    EXPECT_GT(taken, 0u);
  }
  Engine engine(topology, 2, backend, system_clock());
  ASSERT_TRUE(engine.open().is_ok());
  EXPECT_EQ(engine.progress().outbox_records, taken);
  int ticks = 0;
  const auto watch = [&](const EngineProgress& progress) {
    constexpr int kTicks = 10;
    if (++ticks == kTicks) StringStore::away() = false;
    if (ticks > kTicks) return;
    EXPECT_EQ(received(topology, progress, "stored"), taken);
  };
  const Status status = engine.run(watch, 1);
  StringStore::away() = false;
  ASSERT_TRUE(status.is_ok()) << status.message();
  EXPECT_EQ(engine.progress().outbox_records, 0u);
  EXPECT_EQ(lines(files()["stored"]), kNumbers);
}

TEST_F(EngineTest, ASinksRejectsGoOnWithAnyNumberOfThreads) {
  const auto one = run(1, 5000, kPicky);
  const auto& picky = totals_.at("picky");
  EXPECT_EQ(picky.rejected, lines(one.at("straight")));
  EXPECT_EQ(picky.received, picky.rejected + lines(one.at("picky")));
  EXPECT_EQ(lines(one.at("straight")), lines(one.at("keyed")));
  EXPECT_EQ(one.at("picky").find("ELEVEN"), std::string::npos);
  const std::string_view first =
      "11 ELEVEN n 11 picky a multiple of eleven 十一的倍数 picky  numbers:11\n";
  EXPECT_EQ(one.at("straight").substr(0, 2 * first.size()), std::string(first).append(first));
  // Multiples of 77 get no further than `sieve`, and then `refused` refuses them; nobody reads
  // that.
  EXPECT_EQ(totals_.at("refused").rejected, 5000 / 77);
  EXPECT_EQ(totals_.at("refused").received, lines(one.at("refused")) + 5000 / 77);
  for (unsigned threads : {2u, 3u, 5u}) {
    EXPECT_EQ(run(threads, 5000, kPicky), one) << threads;
  }
}

TEST_F(EngineTest, ASinksRejectsAreThereOnceWhereverItWasCut) {
  const auto whole = run(1, 1000, kPicky);
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    ASSERT_EQ(run_cut(seed, kPicky), whole) << "seed " << seed;
  }
}

std::string problems(std::string text, const std::string& from, const std::string& to) {
  const Registry registry = make_registry(1, 1);
  Diagnostics diagnostics;
  text.replace(text.find(from), from.size(), to);
  load(registry, diagnostics, text);
  return diagnostics.to_string();
}

TEST_F(EngineTest, SaysWhatIsWrongWithReadersOfASinksRejects) {
  const std::string text(kPicky);
  EXPECT_THAT(problems(text, "[sieve, by_number]", "[sieve, picky.rejects]"),
              HasSubstr("'picky' is its own input: the streams form a cycle"));
  EXPECT_THAT(problems(text, "[sieve, by_number]", "[sieve, refused_by_number]"),
              HasSubstr("the streams form a cycle"));
  EXPECT_THAT(problems(text, "{type: text, input: picky.rejects", "{type: text, input: picky"),
              AllOf(HasSubstr("test.yaml:14:33: error: the sink 'picky' has no output but its"),
                    HasSubstr("did you mean 'picky.rejects'?")));
  EXPECT_THAT(problems(text, "input: refused_by_number", "input: straight.rejects"),
              HasSubstr("there is no stream 'straight'"));
  EXPECT_THAT(problems(text, "rejects: refused\n", ""),
              HasSubstr("the rejects of 'refused' go nowhere"));
  EXPECT_THAT(
      problems(text, "input: picky.rejects}\n  sieved", "input: refused.rejects}\n  sieved"),
      Not(HasSubstr("error")));
  // Behind the sink for rejects an operator's own would come back to it.
  EXPECT_THAT(problems(text, "{type: sieve, input: picky.rejects}",
                       "{type: sieve, input: refused.rejects}"),
              HasSubstr("the rejects of 'sieved_again' go nowhere (use 'sieved_again.rejects'"));
}

TEST_F(EngineTest, RefusesRejectsThatGoNowhere) {
  const Registry registry = make_registry(1, 1);
  Diagnostics diagnostics;
  std::string text(kTopology);
  text.erase(text.find("rejects: refused\n"), 17);
  text.erase(text.find("  refused:"));
  const Config config = parse_config(text, "test.yaml", diagnostics);
  build_topology(config, "test.yaml", registry, diagnostics);
  EXPECT_NE(diagnostics.to_string().find("the rejects of 'sieve' go nowhere"), std::string::npos)
      << diagnostics.to_string();
}

TEST_F(EngineTest, NamesTheNearestStreamOfAMisspeltInput) {
  const Registry registry = make_registry(1, 1);
  Diagnostics diagnostics;
  std::string text(kTopology);
  text.replace(text.find("input: by_number"), 16, "input: by_nunber");
  const Config config = parse_config(text, "test.yaml", diagnostics);
  build_topology(config, "test.yaml", registry, diagnostics);
  EXPECT_NE(diagnostics.to_string().find("by_number"), std::string::npos)
      << diagnostics.to_string();
}

}  // namespace
}  // namespace huiliu::runtime
