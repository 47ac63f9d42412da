#include <deque>
#include <map>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/generate/generate_reader.h"
#include "connectors/testing.h"
#include "runtime/component/registry.h"
#include "runtime/record/value_text.h"

namespace huiliu::connectors {
namespace {

using runtime::ReadResult;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kEveryKind = R"(
seed: 7
fields:
  - {name: id, sequence: {from: 1}, pattern: "P{:04}"}
  - {name: at, type: timestamp, sequence: {from: 2026-01-01, step: 10ms, disorder: 5s}}
  - {name: dept, choice: {market: 3, traffic: 1}}
  - {name: party, zipf: {keys: 50, exponent: 1.2}}
  - {name: amount, uniform: {from: -5, to: 500}}
  - {name: share, type: float64, uniform: {from: 0, to: 1}}
  - {name: by, constant: test}
event_time: at
)";

std::string problems_of(const std::string& config) {
  const auto& type = *runtime::Registry::linked().source("generate");
  runtime::Diagnostics diagnostics;
  const runtime::Config parsed = testing::config_of(config);
  runtime::check_config(parsed, type.descriptor.options, {"type"}, diagnostics);
  if (diagnostics.has_errors()) return diagnostics.to_string();
  const runtime::Config whole = runtime::with_defaults(parsed, type.descriptor.options);
  runtime::SourceDeclaration declaration(whole, {}, diagnostics);
  type.declare(declaration);
  return diagnostics.to_string();
}

/// A source and its decoder; rows come out as "row|a|b".
class Harness {
 public:
  explicit Harness(const std::string& config, const testing::Positions& positions = {},
                   std::size_t slice_bytes = 1 << 20)
      : type_(*runtime::Registry::linked().source("generate")),
        config_(runtime::with_defaults(testing::config_of(config), type_.descriptor.options)),
        declaration_(config_, {}, diagnostics_),
        outputs_("source", 1, 32) {
    type_.declare(declaration_);
    EXPECT_EQ(diagnostics_.to_string(), "");
    runtime::SourceContext context;
    context.node_name = "rows";
    context.positions = positions;
    context.clock = &clock;
    context.slice_bytes = slice_bytes;
    context.intern = [this](std::string_view name) { return &names_.emplace_back(name); };
    reader = type_.create_reader(declaration_);
    decoder_ = type_.create_decoder(
        declaration_, {declaration_.output.width() + 3, declaration_.event_time.field});
    EXPECT_TRUE(reader->open(context).is_ok());
    outputs_.set_arena(&arena_);
    outputs_.port(0).target = &collector_;
    outputs_.port(0).target_outputs = &sunk_;
    collector_.on_record = [this](const runtime::Record& record) { keep(record); };
  }

  ReadResult step() {
    runtime::Slice slice;
    const ReadResult result = reader->read(slice);
    if (result != ReadResult::kSlice) return result;
    decoder_->decode(slice, outputs_);
    testing::merge(committed, slice.positions);
    return result;
  }
  ReadResult run() {
    ReadResult result = ReadResult::kSlice;
    while (result == ReadResult::kSlice) result = step();
    return result;
  }
  /// How often each value of the field came.
  std::map<std::string, int> values_of(std::size_t field) const {
    std::map<std::string, int> counts;
    for (const auto& row : cells) ++counts[row[field]];
    return counts;
  }

  runtime::ManualClock clock{4'000'000'000'000};
  std::unique_ptr<runtime::SourceReader> reader;
  std::vector<std::string> rows;
  std::vector<std::vector<std::string>> cells;
  std::vector<std::int64_t> times;
  testing::Positions committed;

 private:
  void keep(const runtime::Record& record) {
    std::string row = std::to_string(record.origin.offset), scratch;
    auto& texts = cells.emplace_back();
    for (std::size_t i = 0; i < declaration_.output.width(); ++i) {
      texts.emplace_back(runtime::value_text(declaration_.output[i].type, record[i], scratch));
      row += "|" + texts.back();
    }
    rows.push_back(row);
    times.push_back(record.event_time);
  }

  const runtime::SourceType& type_;
  runtime::Config config_;
  runtime::Diagnostics diagnostics_;
  runtime::SourceDeclaration declaration_;
  std::deque<std::string> names_;
  runtime::Arena arena_;
  runtime::Outputs outputs_, sunk_{"sink", 1, 64};
  testing::Collector collector_;
  std::unique_ptr<runtime::Decoder> decoder_;
};

TEST(Generate, TheRowsAreTheSameAfterARestartAtAnyPosition) {
  const std::string config = std::string(kEveryKind) + "count: 500\n";
  Harness whole(config);
  EXPECT_EQ(whole.run(), ReadResult::kEnd);
  ASSERT_EQ(whole.rows.size(), 500u);
  for (std::size_t start = 0; start <= 500; start += 7) {
    Harness rest(config, {{"rows", std::to_string(start)}}, 1 + start * 40);
    EXPECT_EQ(rest.run(), ReadResult::kEnd);
    const std::vector<std::string> expected(whole.rows.begin() + static_cast<std::ptrdiff_t>(start),
                                            whole.rows.end());
    ASSERT_EQ(rest.rows, expected) << "from " << start;
  }
}

TEST(Generate, ThePositionIsTheNumberOfRowsGiven) {
  Harness source(std::string(kEveryKind) + "count: 500\n", {}, 7 * 16 * 100);
  EXPECT_EQ(source.step(), ReadResult::kSlice);
  EXPECT_EQ(source.rows.size(), 100u);
  EXPECT_THAT(source.committed, ElementsAre(std::pair<std::string, std::string>("rows", "100")));
  EXPECT_EQ(source.reader->progress(), std::pair(std::uint64_t{100}, std::uint64_t{500}));
}

TEST(Generate, AnotherSeedMakesOtherRows) {
  Harness one("{seed: 1, count: 20, fields: [{name: a, uniform: {from: 0, to: 1000000}}]}");
  Harness two("{seed: 2, count: 20, fields: [{name: a, uniform: {from: 0, to: 1000000}}]}");
  one.run();
  two.run();
  EXPECT_NE(one.rows, two.rows);
}

TEST(Generate, ValuesAreOfTheirRangesAndAboutAsOftenAsAsked) {
  Harness source(std::string(kEveryKind) + "count: 20000\n");
  source.run();
  EXPECT_EQ(source.cells[0][0], "P0001");
  EXPECT_EQ(source.cells[19999][0], "P20000");
  EXPECT_NEAR(source.values_of(2)["market"], 15000, 400);
  auto parties = source.values_of(3);
  EXPECT_EQ(parties.size(), 50u);
  // 1/1, 1/2^1.2, ... of 50 keys: the first has 28 % of them, the second 12 %.
  EXPECT_NEAR(parties["1"], 5600, 500);
  EXPECT_NEAR(parties["1"], parties["2"] * 2.297, 700);
  const auto amounts = source.values_of(4);
  EXPECT_EQ(amounts.size(), 506u);
  EXPECT_EQ(source.values_of(6)["test"], 20000);
}

TEST(Generate, TimesLieBehindTheirPlaceByNoMoreThanTheDisorder) {
  Harness source(std::string(kEveryKind) + "count: 5000\n");
  source.run();
  const std::int64_t start = 1'767'225'600'000;  // 2026-01-01T00:00:00Z
  bool backwards = false;
  for (std::size_t i = 0; i < source.times.size(); ++i) {
    const std::int64_t place = source.times[i] - source.times[0];
    EXPECT_EQ(std::to_string(source.times[i]), source.cells[i][1]);
    backwards = backwards || (i > 0 && source.times[i] < source.times[i - 1]);
    EXPECT_GE(place, static_cast<std::int64_t>(i) * 10 - 5000);
    EXPECT_LE(source.times[i], start + 8 * 3'600'000 + static_cast<std::int64_t>(i) * 10);
  }
  EXPECT_TRUE(backwards);
}

TEST(Generate, PacesItselfByTheClockAndMakesUpForNothingAfterARestart) {
  const std::string config = "{rate: 100/s, count: 250, fields: [{name: a, sequence: {}}]}";
  Harness source(config, {{"rows", "40"}});
  EXPECT_FALSE(source.reader->is_bounded());
  EXPECT_EQ(source.run(), ReadResult::kIdle);
  EXPECT_EQ(source.rows.size(), 0u);
  source.clock.advance(500);
  EXPECT_EQ(source.run(), ReadResult::kIdle);
  EXPECT_EQ(source.rows.size(), 50u);
  EXPECT_EQ(source.rows.front(), "41|41");
  source.clock.advance(10'000);
  EXPECT_EQ(source.run(), ReadResult::kEnd);
  EXPECT_EQ(source.rows.size(), 210u);
}

TEST(Generate, RatesAndPatterns) {
  EXPECT_EQ(parse_rate("5/m")->per_ms, 60'000);
  EXPECT_EQ(parse_rate("1000")->per_ms, 1000);
  EXPECT_FALSE(parse_rate("5/fortnight") || parse_rate("-1/s") || parse_rate(""));
  EXPECT_EQ(parse_number_pattern("D{:03}x")->digits, 3);
  EXPECT_EQ(parse_number_pattern("D{:03}x")->after, "x");
  EXPECT_FALSE(parse_number_pattern("D") || parse_number_pattern("{}{}") ||
               parse_number_pattern("{:99}") || parse_number_pattern("}{"));
}

TEST(Generate, SaysWhatIsWrongWhere) {
  EXPECT_EQ(problems_of(kEveryKind), "");
  EXPECT_EQ(problems_of(runtime::Registry::linked().source("generate")->descriptor.example), "");
  const auto field = [](const std::string& text) {
    return problems_of("fields:\n  - {name: a, " + text + "}\n");
  };
  EXPECT_THAT(field("sequence: {}, constant: b"), HasSubstr("test.yaml:2:5: error: field 'a'"));
  EXPECT_THAT(field("unifrom: {from: 1, to: 2}"), HasSubstr("uniform"));
  EXPECT_THAT(field("uniform: {from: 3, to: 2}"), HasSubstr("`to` is less than `from`"));
  EXPECT_THAT(field("uniform: {from: x, to: 2}"), HasSubstr("expected a value of type int64"));
  EXPECT_THAT(field("type: date, sequence: {}"), HasSubstr("`sequence` makes no date"));
  EXPECT_THAT(field("sequence: {disorder: 1s}"), HasSubstr("only times have `disorder`"));
  EXPECT_THAT(field("choice: {a: 0}"), HasSubstr("a map of value to weight"));
  EXPECT_THAT(field("choice: {a: -1, b: 2}"), HasSubstr("a number from 0"));
  EXPECT_THAT(field("constant: b, pattern: \"{}\""), HasSubstr("there is no number"));
  EXPECT_THAT(field("sequence: {}, pattern: D"), HasSubstr("no place for the number"));
  EXPECT_THAT(problems_of("fields: [{name: a, sequence: {}}]\nrate: quick\n"),
              HasSubstr("'quick' is no rate"));
  EXPECT_THAT(problems_of("fields: [{name: a, sequence: {}}, {name: a, constant: b}]\n"),
              HasSubstr("named twice"));
}

}  // namespace
}  // namespace huiliu::connectors
