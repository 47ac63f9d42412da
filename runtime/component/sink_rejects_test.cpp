#include "runtime/component/sink_rejects.h"

#include <gtest/gtest.h>

#include "runtime/component/outputs.h"

namespace huiliu::runtime {
namespace {

const Schema kRaw({{"id", Type::kString}, {"day", Type::kString}, {"share", Type::kFloat64}});
const Schema kTyped({{"day", Type::kDate},
                     {"paid", Type::kBool},
                     {"reject_code", Type::kString},
                     {"id", Type::kString}});

TEST(SinkRejects, HaveTheFieldsOfAllInputsAndTextWhereTypesDiffer) {
  const Schema schema = sink_reject_schema({&kRaw, &kTyped});
  EXPECT_EQ(schema.to_string(),
            "id: string, day: string, share: float64, paid: bool, reject_code: string, "
            "reject_field: string, reject_value: string, reject_rule: string, "
            "reject_message_en: string, reject_message_zh: string, reject_by: string, "
            "reject_faults: string, reject_origin: string");
}

TEST(SinkRejects, LayOutEachInputWithoutTouchingTheRecord) {
  const Schema schema = sink_reject_schema({&kRaw, &kTyped});
  RejectLayout layout(kTyped, schema, schema.width());
  Value values[] = {Value::of_integer(19793), Value::of_bool(true), Value::of_text("EARLIER"),
                    Value::of_text("a")};
  Record record;
  record.values = values;
  record.width = 4;
  Arena arena;
  const Record made = layout.lay_out(record, arena);
  EXPECT_NE(made.values, record.values);
  EXPECT_EQ(made.width, schema.width() - kRejectFieldCount);
  EXPECT_EQ(made[0].text(), "a");
  EXPECT_EQ(made[1].text(), "2024-03-11");
  EXPECT_TRUE(made[2].is_null());
  EXPECT_TRUE(made[3].boolean());
  EXPECT_EQ(record[0].integer(), 19793);
}

}  // namespace
}  // namespace huiliu::runtime
