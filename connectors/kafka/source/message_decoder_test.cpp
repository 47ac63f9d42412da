#include "connectors/kafka/source/message_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/kafka/source/testing/decoding.h"

namespace huiliu::connectors::kafka {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(MessageDecoder, JsonAndTheOtherPartsOfAMessage) {
  Decoding decoding(
      "fields: [a, {name: n, type: int64}, {name: k, from: key}, {name: trace, from: header},\n"
      "  {name: at, from: timestamp}, {name: p, from: partition}, {name: o, from: offset},\n"
      "  {name: t, from: topic}]\nevent_time: at\n");
  std::string headers;
  append_header(headers, "trace", "x1", 2);
  append_header(headers, "trace", "x2", 2);
  append_header(headers, "other", nullptr, 0);
  decoding.add(7, R"({"a":"汇","n":5,"z":0})", "key", headers);
  decoding.add(9, "{\n  \"a\": \"b\"\n}");
  decoding.decode();
  EXPECT_THAT(decoding.rows, ElementsAre("7|汇|5|key|x2|1007|3|7|in", "9|b|-|-|-|1009|3|9|in"));
  EXPECT_THAT(decoding.times, ElementsAre(1007, 1009));
}

// A field of a header would be null as if the message had none.
TEST(MessageDecoder, HeadersThatCannotBeReadAreAReject) {
  Decoding decoding("fields: [a, {name: trace, from: header}]\n");
  decoding.add_without_headers(1, R"({"a":"x"})", "key");
  decoding.add(2, R"({"a":"y"})");
  decoding.decode();
  EXPECT_THAT(decoding.rows, ElementsAre("2|y|-"));
  EXPECT_THAT(decoding.rejects, ElementsAre("1!E816_BAD_HEADERS!!key"));
}

TEST(MessageDecoder, WhatIsNoJsonIsRefusedWithItsPosition) {
  Decoding decoding("fields: [a, {name: n, type: int64}]\nmax_depth: 3\n");
  decoding.add(1, "{\"a\":");
  decoding.add(2, "{} {}");
  decoding.add(3, "[1]");
  decoding.add(4, "");
  decoding.add(5, std::nullopt, "key");
  decoding.add(6, "{\"a\":\"\xFF\"}");
  decoding.add(7, R"({"n":"x"})");
  decoding.add(8, R"({"z":[[[[1]]]]})");
  decoding.add(9, std::string("{\"a\":\"\0\"}", 9));
  decoding.add(10, "{\"a\":\"line\nbreak\"}");
  decoding.add(11, R"({"a":"ok"})");
  decoding.decode();
  EXPECT_THAT(decoding.rows, ElementsAre("11|ok|-"));
  ASSERT_EQ(decoding.rejects.size(), 10u);
  EXPECT_EQ(decoding.rejects[0], "1!E801_BAD_JSON!!{\"a\":");
  EXPECT_THAT(decoding.rejects[4], HasSubstr("5!E807_NO_VALUE"));
  EXPECT_THAT(decoding.rejects[5], HasSubstr("6!E803_BAD_ENCODING"));
  EXPECT_EQ(decoding.rejects[6], "7!E201_FORMAT!n!\"x\"");
  for (const std::size_t i : {1u, 2u, 3u, 7u, 8u, 9u}) {
    EXPECT_THAT(decoding.rejects[i], HasSubstr("!E801_BAD_JSON!")) << i;
  }
}

TEST(MessageDecoder, Csv) {
  Decoding decoding(
      "format: csv\nfields: [a, {name: k, from: key, type: int64}, {name: n, type: int64}]\n");
  decoding.add(1, "\"x,\"\"y\",5", "12");
  decoding.add(2, "x");
  decoding.add(3, "x,y");
  decoding.add(4, ",", "no number");
  decoding.decode();
  EXPECT_THAT(decoding.rows, ElementsAre("1|x,\"y|12|5"));
  EXPECT_THAT(decoding.rejects,
              ElementsAre("2!E802_BAD_CSV!!x", "3!E201_FORMAT!n!y", "4!E201_FORMAT!k!no number"));
}

TEST(MessageDecoder, AJsonFieldIsOneValueWhereverItComesFrom) {
  const std::vector<std::string> good = {"{\"a\":[1,null]}", " 1.5 ", "\"x\"", "null", "[\n1]"};
  const std::vector<std::string> bad = {"x",        "1,\"v\":2", "{\"a\":}", "1 2",
                                        "\"a\nb\"", "}",         "\xff"};
  Decoding keys("format: raw\nfields: [text, {name: j, type: json, from: key}]\n");
  Decoding values("format: raw\nfields: [{name: j, type: json}]\n");
  for (const std::string& text : good) {
    keys.add(1, "a", text);
    values.add(1, text);
  }
  for (const std::string& text : bad) {
    keys.add(2, "a", text);
    values.add(2, text);
  }
  keys.decode();
  values.decode();
  EXPECT_EQ(keys.rows.size(), good.size());
  EXPECT_EQ(keys.rejects.size(), bad.size());
  EXPECT_EQ(values.rows.size(), good.size());
  EXPECT_EQ(values.rejects.size(), bad.size());
}

TEST(MessageDecoder, RawAndNoValueAtAll) {
  Decoding raw("format: raw\nfields: [{name: body, type: bytes}]\n");
  raw.add(1, "\xFF\x01");
  raw.decode();
  EXPECT_THAT(raw.rows, ElementsAre("1|\xFF\x01"));
  Decoding keys("fields: [{name: k, from: key}]\n");
  keys.add(1, std::nullopt, "gone");
  keys.decode();
  EXPECT_THAT(keys.rows, ElementsAre("1|gone"));
}

}  // namespace
}  // namespace huiliu::connectors::kafka
