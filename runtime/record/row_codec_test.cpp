#include "runtime/record/row_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace huiliu::runtime {
namespace {

using ::testing::HasSubstr;

const Schema kSchema({{"s", Type::kString},
                      {"i", Type::kInt64},
                      {"f", Type::kFloat64},
                      {"b", Type::kBool},
                      {"d", Type::kDate},
                      {"t", Type::kTimestamp}});

std::vector<Value> sample() {
  return {Value::of_text("汇流"), Value::of_integer(0),  Value::of_real(-1.5),
          Value::of_bool(false),  Value::of_integer(-1), Value::of_integer(1710000000000)};
}

TEST(RowCodec, RowsComeBackAsWrittenOneAfterTheOther) {
  RowEncoder encoder(kSchema);
  std::string bytes;
  encoder.append(sample().data(), bytes);
  encoder.append(std::vector<Value>(6).data(), bytes);
  std::string_view rest = bytes;
  std::vector<Value> row;
  ASSERT_TRUE(take_row(kSchema, rest, row));
  EXPECT_EQ(row[0].text(), "汇流");
  EXPECT_FALSE(row[1].is_null());
  EXPECT_EQ(row[1].integer(), 0);
  EXPECT_EQ(row[2].real(), -1.5);
  EXPECT_FALSE(row[3].is_null());
  EXPECT_FALSE(row[3].boolean());
  EXPECT_EQ(row[4].integer(), -1);
  EXPECT_EQ(row[5].integer(), 1710000000000);
  ASSERT_TRUE(take_row(kSchema, rest, row));
  for (const Value& value : row) EXPECT_TRUE(value.is_null());
  EXPECT_FALSE(take_row(kSchema, rest, row));
  EXPECT_TRUE(rest.empty());
}

TEST(RowCodec, FieldsAppendedLaterAreNull) {
  std::string bytes;
  RowEncoder(kSchema).append(sample().data(), bytes);
  Schema later = kSchema;
  later.add("new", Type::kString);
  std::string_view rest = bytes;
  std::vector<Value> row;
  ASSERT_TRUE(take_row(later, rest, row));
  EXPECT_EQ(row[0].text(), "汇流");
  EXPECT_TRUE(row[6].is_null());
}

TEST(RowCodec, DamagedBytesAreNeverReadBeyondTheirEnd) {
  std::string bytes;
  RowEncoder(kSchema).append(sample().data(), bytes);
  std::vector<Value> row;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const int change : {1, 0x40, 0x80, 0xFF}) {
      // On the heap at its exact size, so that the sanitizer sees every step outside.
      const std::vector<char> copy = [&] {
        std::vector<char> made(bytes.begin(), bytes.end());
        made[at] = static_cast<char>(made[at] ^ change);
        return made;
      }();
      std::string_view rest(copy.data(), copy.size());
      if (take_row(kSchema, rest, row)) {
        EXPECT_LE(row[0].text().size(), copy.size());
      }
    }
    std::string_view cut(bytes.data(), at);
    EXPECT_FALSE(take_row(kSchema, cut, row));
  }
}

TEST(RowCodec, SchemaTextNamesTypesAndOddNames) {
  const std::string text =
      fbs_of(Schema({{"id", Type::kString}, {"名", Type::kInt64}}), "legal.out");
  EXPECT_THAT(text, HasSubstr("table legal_out {"));
  EXPECT_THAT(text, HasSubstr("id: string;"));
  EXPECT_THAT(text, HasSubstr("int64 = null;"));
  EXPECT_THAT(text, HasSubstr("root_type legal_out;"));
}

}  // namespace
}  // namespace huiliu::runtime
