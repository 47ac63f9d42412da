#include "connectors/kafka/client/position.h"

#include <gtest/gtest.h>

namespace huiliu::connectors::kafka {
namespace {

TEST(Position, KeysAreReadBack) {
  const auto own = parse_position_key(position_key("a/b.c", 12));
  ASSERT_TRUE(own);
  EXPECT_EQ(own->topic, "a/b.c");
  EXPECT_EQ(own->partition, 12);
  EXPECT_EQ(parse_position_key("source/in/" + position_key("t", 3))->partition, 3);
  EXPECT_FALSE(parse_position_key("source/in/file/x/1"));
  EXPECT_FALSE(parse_position_key("kafka/t/x"));
  EXPECT_EQ(position_text({7, -1}), "7");
  EXPECT_EQ(position_text({7, 1700000000000}), "7@1700000000000");
  EXPECT_EQ(parse_position("7")->time, -1);
  EXPECT_EQ(parse_position("7@1700000000000")->next, 7);
  EXPECT_EQ(parse_position("7@1700000000000")->time, 1700000000000);
  EXPECT_EQ(position_text({7, -1, 7}), "7");
  EXPECT_EQ(position_text({7, -1, 9}), "7+9");
  EXPECT_EQ(position_text({7, 1700000000000, 9}), "7@1700000000000+9");
  EXPECT_EQ(parse_position("7@1700000000000")->reached(), 7);
  EXPECT_EQ(parse_position("7@1700000000000+9")->reached(), 9);
  EXPECT_EQ(parse_position("7+9")->time, -1);
  for (const char* junk :
       {"", "x", "-1", "7@", "7@x", "7+", "7 9", "7@1+9x", "99999999999999999999"}) {
    EXPECT_FALSE(parse_position(junk)) << junk;
  }
  EXPECT_FALSE(parse_position_key("ledger/kafka/t/1"));
}

}  // namespace
}  // namespace huiliu::connectors::kafka
