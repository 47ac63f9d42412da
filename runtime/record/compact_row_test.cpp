#include "runtime/record/compact_row.h"

#include <gtest/gtest.h>

#include "runtime/record/row_codec.h"

namespace huiliu::runtime {
namespace {

const Schema kSchema(
    {{"a", Type::kString}, {"n", Type::kInt64}, {"r", Type::kFloat64}, {"z", Type::kString}});

TEST(CompactRow, GoesThereAndBack) {
  const CompactRowCodec codec(kSchema);
  const std::string text(300, 'x');
  const Value row[] = {Value::of_text(text), Value::of_integer(-7), Value::of_real(2.5), Value()};
  std::string bytes;
  codec.append(row, bytes);
  codec.append(row, bytes);
  Value back[4] = {Value(), Value(), Value(), Value::of_integer(1)};
  std::string_view rest = bytes;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(codec.take(rest, back));
    EXPECT_EQ(back[0].text(), text);
    EXPECT_EQ(back[1].integer(), -7);
    EXPECT_EQ(back[2].real(), 2.5);
    EXPECT_TRUE(back[3].is_null());
  }
  EXPECT_TRUE(rest.empty());
}

TEST(CompactRow, TakesAnyBytes) {
  const CompactRowCodec codec(kSchema);
  const Value row[] = {Value::of_text("text"), Value::of_integer(-7), Value(), Value()};
  std::string bytes;
  codec.append(row, bytes);
  Value back[4];
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    std::string_view cut = std::string_view(bytes).substr(0, size);
    EXPECT_FALSE(codec.take(cut, back)) << size;
  }
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x55);
    std::string_view view = flipped;
    codec.take(view, back);
  }
}

TEST(CompactRow, IsToldFromAFlatBufferAndFollowsOne) {
  const Value row[] = {Value::of_text("a"), Value::of_integer(1), Value(), Value()};
  std::string bytes;
  RowEncoder(kSchema).append(row, bytes);
  EXPECT_FALSE(CompactRowCodec::begins(bytes));
  const CompactRowCodec codec(kSchema);
  codec.append(row, bytes);
  std::string_view rest = bytes;
  std::vector<Value> taken;
  ASSERT_TRUE(take_row(kSchema, rest, taken));
  ASSERT_TRUE(CompactRowCodec::begins(rest));
  EXPECT_TRUE(codec.take(rest, taken.data()));
}

TEST(CompactRow, FieldsThatCameLaterAreNull) {
  const Schema shorter({{"a", Type::kString}});
  const Value row[] = {Value::of_text("a")};
  std::string bytes;
  CompactRowCodec(shorter).append(row, bytes);
  Value back[4] = {Value(), Value::of_integer(1), Value(), Value()};
  std::string_view rest = bytes;
  ASSERT_TRUE(CompactRowCodec(kSchema).take(rest, back));
  EXPECT_TRUE(back[1].is_null());
}

}  // namespace
}  // namespace huiliu::runtime
