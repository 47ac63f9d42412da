#include "runtime/component/outputs.h"

#include <stdexcept>

#include <gmock/gmock.h>

#include "runtime/base/status.h"
#include "runtime/component/operator.h"

namespace huiliu::runtime {
namespace {

using ::testing::ElementsAre;

/// Notes "TIME" of what is emitted, "TIME!CODE!FIELD!VALUE" of what is refused.
class Notes final : public Operator {
 public:
  std::vector<std::string> lines;
  void process(std::size_t /*input*/, Record& record, Outputs&) override {
    std::string line = std::to_string(record.event_time);
    for (std::uint32_t i = 0; i < std::min(record.width, 3u); ++i) {
      line += "!" + std::string(record[i].text());
    }
    lines.push_back(std::move(line));
  }
};

TEST(OutputsTest, AnEventTimeTooFarAheadIsRefusedAndMovesNothing) {
  Arena arena;
  Notes notes;
  Outputs sunk("sink", 1, 0), outputs("source", 1, 0);
  outputs.set_arena(&arena);
  for (Port* port : {&outputs.port(0), &outputs.reject_port()}) {
    port->target = &notes;
    port->target_outputs = &sunk;
  }
  outputs.bound_event_time(1000, "ts");
  const auto emit = [&](std::int64_t time) {
    Value values[kRejectFieldCount];
    Record record;
    record.values = values;
    record.event_time = time;
    outputs.emit(record);
  };
  emit(10);
  emit(1'692'928'800'000'000);
  emit(1000);
  emit(1001);
  EXPECT_THAT(notes.lines, ElementsAre("10", "1692928800000000!E410_TIME_AHEAD!ts!1692928800000000",
                                       "1000", "1001!E410_TIME_AHEAD!ts!1001"));
  EXPECT_EQ(outputs.take_max_event_time(), 1000);
}

TEST(OutputsTest, ARejectSaysWhereItsRecordWasRead) {
  Arena arena;
  Notes notes;
  Outputs sunk("sink", 1, 0), outputs("check", 1, 0);
  outputs.set_arena(&arena);
  outputs.reject_port().target = &notes;
  outputs.reject_port().target_outputs = &sunk;
  const std::string file = "a.csv";
  Value values[kRejectFieldCount];
  Record record;
  record.values = values;
  record.origin = {&file, 7};
  outputs.reject(record, {.code = "E1"});
  EXPECT_EQ(values[kRejectFieldCount - 1].text(), "a.csv:7");
  EXPECT_EQ(kRejectFields[kRejectFieldCount - 1], "reject_origin");
}

/// Throws as an operator of a library might.
class Thrower final : public Operator {
 public:
  void process(std::size_t /*input*/, Record&, Outputs&) override {
    throw std::runtime_error("no band for 3");
  }
};

TEST(OutputsTest, WhatANodeThrowsNamesItAndTheRecord) {
  Thrower thrower;
  Outputs sunk("bands", 1, 0), outputs("in", 1, 0);
  outputs.port(0).target = &thrower;
  outputs.port(0).target_outputs = &sunk;
  const std::string file = "a.csv";
  Record record;
  record.origin = {&file, 7};
  try {
    outputs.emit(record);
    FAIL() << "nothing was thrown";
  } catch (const StatusError& error) {
    EXPECT_EQ(error.status().code(), StatusCode::kFailed);
    EXPECT_THAT(error.status().message(),
                testing::StartsWith("'bands' failed at a.csv:7: no band for 3; nothing of this"));
  }
}

}  // namespace
}  // namespace huiliu::runtime
