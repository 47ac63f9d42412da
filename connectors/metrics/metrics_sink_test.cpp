#include <iostream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/testing.h"
#include "runtime/component/registry.h"

namespace huiliu::connectors {
namespace {

using runtime::Schema;
using runtime::Type;
using runtime::Value;
using ::testing::HasSubstr;

const Schema kRows({{"dept", Type::kString}, {"kind", Type::kString}, {"n", Type::kInt64}});
const Schema kUnreadable({{"dept", Type::kString}});
constexpr const char* kBoth = "metric: department, labels: {department: dept, kind: kind}";
constexpr std::int64_t kDay = 86'400'000;

/// A sink at work, of which a test sees what Prometheus would.
struct Metrics {
  explicit Metrics(const std::string& config_text = kBoth, runtime::ManualClock* given = nullptr)
      : type(*runtime::Registry::linked().sink("metrics")),
        config(runtime::with_defaults(testing::config_of("{" + config_text + "}"),
                                      type.descriptor.options)),
        declaration(config, {&kRows, &kUnreadable}, diagnostics),
        clock(given == nullptr ? &own_clock : given) {
    type.declare(declaration);
    sink = type.create_epoch_sink(declaration);
  }
  void open(const testing::Positions& positions = {}, bool rejudges = false,
            std::vector<std::uint16_t> shards = {}) {
    runtime::SinkContext context;
    context.node_name = "by";
    context.positions = positions;
    context.clock = clock;
    context.rejudges = rejudges;
    context.owned_shards = std::move(shards);
    EXPECT_TRUE(sink->open(context).is_ok());
  }
  void add(std::string_view department, std::string_view kind) {
    Value values[] = {Value::of_text(department), Value::of_text(kind), Value::of_integer(1)};
    encode(values, 3, 0);
  }
  void encode(Value* values, std::uint32_t width, std::size_t input) {
    runtime::Record record;
    record.values = values;
    record.width = width;
    std::string bytes;
    type.create_encoder(declaration, input)->encode(record, bytes);
    EXPECT_TRUE(sink->append(bytes, 1).is_ok());
  }
  /// What is committed then.
  testing::Positions commit() {
    testing::Positions positions;
    EXPECT_TRUE(sink->prepare(positions).is_ok());
    sink->committed();
    return positions;
  }
  /// The value of NAME{VALUE,VALUE}, or -1 without one.
  double of(const std::string& what, const std::string& department, const std::string& kind) {
    for (const runtime::Figure& one : sink->figures()) {
      if (one.name != "by_department_" + what) continue;
      if (one.labels.size() == 3 && one.labels[1].second == department &&
          one.labels[2].second == kind) {
        return one.value;
      }
    }
    return -1;
  }
  double records(const std::string& department, const std::string& kind) {
    return of("records_total", department, kind);
  }
  double last(const std::string& department, const std::string& kind) {
    return of("last_arrival_timestamp_seconds", department, kind);
  }
  double awaited(const std::string& department, const std::string& kind) {
    return of("awaited_since_timestamp_seconds", department, kind);
  }
  double folded() { return sink->figures().back().value; }

  const runtime::SinkType& type;
  runtime::Config config;
  runtime::Diagnostics diagnostics;
  runtime::SinkDeclaration declaration;
  runtime::ManualClock own_clock{kDay};
  runtime::ManualClock* clock;
  std::unique_ptr<runtime::EpochSink> sink;
};

TEST(MetricsSink, CountsWhatIsCommittedByItsLabels) {
  Metrics metrics;
  metrics.open();
  metrics.add("tax", "licence");
  metrics.add("tax", "licence");
  metrics.add("tax", "penalty");
  EXPECT_LE(metrics.records("tax", "licence"), 0);
  EXPECT_EQ(metrics.last("tax", "licence"), -1);
  metrics.commit();
  EXPECT_EQ(metrics.records("tax", "licence"), 2);
  EXPECT_EQ(metrics.records("tax", "penalty"), 1);
  EXPECT_EQ(metrics.last("tax", "penalty"), 86'400);
  EXPECT_EQ(metrics.of("expected_seconds", "tax", "penalty"), -1);
}

TEST(MetricsSink, WhatHasNoValueCountsAsNone) {
  Metrics metrics;
  metrics.open();
  Value unknown[] = {Value()};
  metrics.encode(unknown, 1, 1);
  metrics.add("", "licence");
  metrics.commit();
  EXPECT_EQ(metrics.records("none", "none"), 1);
  EXPECT_EQ(metrics.records("none", "licence"), 1);
}

TEST(MetricsSink, NumbersOfPeopleAndLongValuesNeverBecomeALabel) {
  Metrics metrics;
  metrics.open();
  metrics.add("11010519491231002X", "a");        // a citizen
  metrics.add("110105194912310020", "a");        // nearly one
  metrics.add("１１０１０５１９４９１２", "a");  // longer than a label may be
  metrics.add("92350802MAG9TRQM1U", "a");        // the business of an individual
  metrics.add("11350800004000016A", "c");        // an authority
  metrics.add("113508000040020381", "c");        // one with digits only
  metrics.add(std::string(33, 'x'), "a");
  metrics.commit();
  EXPECT_EQ(metrics.records("other", "a"), 5);
  EXPECT_EQ(metrics.records("11350800004000016A", "c"), 1);
  EXPECT_EQ(metrics.records("113508000040020381", "c"), 1);
  EXPECT_EQ(metrics.folded(), 5);
  for (const runtime::Figure& one : metrics.sink->figures()) {
    for (const auto& [name, value] : one.labels) EXPECT_THAT(value, Not(HasSubstr("19491231")));
  }
}

TEST(MetricsSink, BeyondTheMostSeriesTheyCountAsOther) {
  Metrics metrics(std::string(kBoth) + ", most_series: 2");
  metrics.open();
  for (const char* department : {"a", "b", "c", "d", "a", "c"}) metrics.add(department, "k");
  metrics.commit();
  EXPECT_EQ(metrics.records("a", "k"), 2);
  EXPECT_EQ(metrics.records("b", "k"), 1);
  EXPECT_EQ(metrics.records("c", "k"), -1);
  EXPECT_EQ(metrics.records("other", "other"), 3);
  EXPECT_EQ(metrics.folded(), 3);
}

TEST(MetricsSink, ARestartForgetsCountsAndKeepsArrivals) {
  runtime::ManualClock clock(kDay);
  testing::Positions kept;
  {
    Metrics first(kBoth, &clock);
    first.open();
    first.add("tax", "licence");
    testing::merge(kept, first.commit());
    clock.advance(kDay);
    first.add("tax", "licence");
    testing::merge(kept, first.commit());
    clock.advance(1000);
    first.add("tax", "licence");  // never committed
  }
  clock.advance(kDay);
  Metrics second(kBoth, &clock);
  second.open(kept);
  EXPECT_EQ(second.records("tax", "licence"), 0);
  EXPECT_EQ(second.last("tax", "licence"), 2 * 86'400);
}

TEST(MetricsSink, CommitsAnArrivalOnceAMinute) {
  Metrics metrics;
  metrics.open();
  metrics.add("tax", "licence");
  EXPECT_EQ(metrics.commit().size(), 1u);
  metrics.clock->advance(59'999);
  metrics.add("tax", "licence");
  EXPECT_EQ(metrics.commit().size(), 0u);
  EXPECT_EQ(metrics.last("tax", "licence"), 86'459.999);
  metrics.clock->advance(1);
  metrics.add("tax", "licence");
  EXPECT_EQ(metrics.commit().size(), 1u);
}

TEST(MetricsSink, WaitsForWhatNeverCameSinceItsFirstStart) {
  testing::TemporaryFolder folder;
  folder.write("expect.csv", "# of the test\ndepartment,kind,every,remark\ntax,licence,1d,\n");
  const std::string text = std::string(kBoth) + ", expect: " + folder.path("expect.csv");
  runtime::ManualClock clock(kDay);
  testing::Positions kept;
  {
    Metrics first(text, &clock);
    EXPECT_EQ(first.diagnostics.to_string(), "");
    first.open();
    EXPECT_EQ(first.awaited("tax", "licence"), 86'400);
    EXPECT_EQ(first.last("tax", "licence"), -1);
    testing::merge(kept, first.commit());
    EXPECT_EQ(first.commit().size(), 0u);
  }
  clock.advance(5 * kDay);
  {
    Metrics second(text, &clock);
    second.open(kept);
    EXPECT_EQ(second.awaited("tax", "licence"), 86'400);
    EXPECT_EQ(second.of("expected_seconds", "tax", "licence"), 86'400);
    EXPECT_EQ(second.records("tax", "licence"), 0);
  }
  // Nobody waits for it any more.
  Metrics third(kBoth, &clock);
  third.open(kept);
  EXPECT_EQ(third.awaited("tax", "licence"), -1);
  testing::merge(kept, third.commit());
  EXPECT_TRUE(kept.empty());
}

TEST(MetricsSink, RowsThatAreJudgedAgainAreNoArrivals) {
  Metrics metrics;
  metrics.open({{"0/department,kind:tax\x1flicence", "5000"}}, true);
  metrics.add("tax", "licence");
  metrics.add("spa", "licence");
  EXPECT_TRUE(metrics.commit().empty());
  EXPECT_EQ(metrics.records("tax", "licence"), 1);
  EXPECT_EQ(metrics.last("tax", "licence"), 5);
  EXPECT_EQ(metrics.last("spa", "licence"), -1);
}

TEST(MetricsSink, OfWhatSeveralWorkersKeptTheLatestArrivalCounts) {
  testing::TemporaryFolder folder;
  folder.write("expect.csv", "department,kind,every\ntax,licence,1d\nspa,licence,1d\n");
  Metrics metrics(std::string(kBoth) + ", expect: " + folder.path("expect.csv"));
  metrics.open({{"2/department,kind:tax\x1flicence", "waiting 1000"},
                {"3/department,kind:tax\x1flicence", "7000"},
                {"4/department,kind:tax\x1flicence", "5000"},
                {"5/department,kind:tax\x1flicence", "waiting 9000"},
                {"2/department,kind:spa\x1flicence", "waiting 6000"},
                {"3/department,kind:spa\x1flicence", "waiting 4000"}},
               false, {3, 4, 5});
  EXPECT_EQ(metrics.last("tax", "licence"), 7);
  EXPECT_EQ(metrics.awaited("spa", "licence"), 4);
  metrics.add("spa", "licence");
  EXPECT_THAT(metrics.commit(),
              ::testing::ElementsAre(std::pair("3/department,kind:spa\x1flicence", "86400000")));
  EXPECT_EQ(metrics.last("spa", "licence"), 86'400);
  EXPECT_EQ(metrics.awaited("spa", "licence"), -1);
}

TEST(MetricsSink, WhatWasKeptOfOtherLabelsIsForgotten) {
  Metrics metrics;
  metrics.open({{"0/department:tax", "5000"}});
  EXPECT_EQ(metrics.sink->figures().size(), 1u);
  EXPECT_THAT(metrics.commit(), ::testing::ElementsAre(std::pair("0/department:tax", "")));
}

TEST(MetricsSink, AThousandDepartmentsStayUnderTheStatedBound) {
  for (const std::size_t most : {2000u, 4000u}) {
    Metrics metrics(fmt::format("{}, most_series: {}", kBoth, most));
    metrics.open();
    for (int department = 0; department < 1000; ++department) {
      for (const char* kind : {"licence", "penalty", "list"}) {
        metrics.add(fmt::format("{:018}", department), kind);
      }
    }
    metrics.commit();
    const std::size_t series = metrics.sink->figures().size(), bound = 3 * (most + 1) + 1;
    std::cout << "1,000 departments x 3 kinds, most_series " << most << ": " << series
              << " series of at most " << bound << ", " << metrics.folded() << " records folded\n";
    EXPECT_LE(series, bound);
    EXPECT_EQ(metrics.folded(), most < 3000 ? 1000 : 0);
  }
}

std::string problems_of(const std::string& config) {
  return Metrics(config).diagnostics.to_string();
}

TEST(MetricsSink, SaysWhatIsWrongWithItsOptions) {
  EXPECT_EQ(problems_of(kBoth), "");
  EXPECT_THAT(problems_of("metric: Dept, labels: {d: dept}"), HasSubstr("cannot name a metric"));
  EXPECT_THAT(problems_of("metric: m, labels: {a-b: dept}"), HasSubstr("cannot name a label"));
  EXPECT_THAT(problems_of("metric: m, labels: {sink: dept}"), HasSubstr("is given already"));
  EXPECT_THAT(problems_of("metric: m, labels: {d: gone}"),
              HasSubstr("no input has a field 'gone'"));
  EXPECT_THAT(problems_of("metric: m, labels: {d: n}"), HasSubstr("'n' is not a text"));
  EXPECT_THAT(problems_of("metric: m, labels: {}"), HasSubstr("there are no labels"));
  EXPECT_THAT(problems_of("metric: m, labels: {d: dept}, expect: gone.csv"),
              HasSubstr("cannot read the table"));
}

std::string problems_of_table(const std::string& table, const std::string& more = "") {
  testing::TemporaryFolder folder;
  folder.write("t.csv", table);
  return problems_of(std::string(kBoth) + ", expect: " + folder.path("t.csv") + more);
}

TEST(MetricsSink, SaysWhatIsWrongWithItsTable) {
  const std::string head = "department,kind,every\n";
  EXPECT_EQ(problems_of_table(head + "a,b,8h\n# c\na,c,1d"), "");
  EXPECT_THAT(problems_of_table("department,every\n"), HasSubstr("expected one column 'kind'"));
  EXPECT_THAT(problems_of_table("department,kind,every,colour\n"), HasSubstr("'colour'"));
  EXPECT_THAT(problems_of_table(head + "a,b\n"), HasSubstr("t.csv:2: error: the row has 2 cells"));
  EXPECT_THAT(problems_of_table(head + "a,b,soon\n"), HasSubstr("'soon' is no duration"));
  EXPECT_THAT(problems_of_table(head + "a,b,1d\na,b,2d\n"), HasSubstr("there twice"));
  EXPECT_THAT(problems_of_table(head + "11010519491231002X,b,1d\n"),
              HasSubstr("cannot be a label"));
  EXPECT_THAT(problems_of_table(head + "a,b,1d\nb,b,1d\n", ", most_series: 1"),
              HasSubstr("the table has 2 rows"));
  EXPECT_THAT(problems_of_table(head, ", last_arrival: false"), HasSubstr("last arrival"));
}

}  // namespace
}  // namespace huiliu::connectors
