#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codecs/row_encoder.h"
#include "connectors/kafka/client/client.h"
#include "connectors/kafka/client/message_frame.h"
#include "connectors/kafka/client/position.h"
#include "connectors/kafka/sink/message_encoder.h"
#include "connectors/kafka/source/message_decoder.h"
#include "connectors/kafka/source/message_options.h"
#include "connectors/testing.h"
#include "runtime/component/registry.h"
#include "runtime/record/row_codec.h"
#include "runtime/record/value_text.h"
#include "runtime/topology/topology.h"

namespace huiliu::connectors::kafka {
namespace {

using connectors::testing::Collector;
using connectors::testing::config_of;
using runtime::Config;
using runtime::Record;
using runtime::Schema;
using runtime::StatusCode;
using runtime::Type;
using runtime::Value;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Decodes messages; rows come out as "offset|a|b", rejects as "offset!code!field!value".
class Decoding {
 public:
  explicit Decoding(const std::string& config) {
    runtime::Diagnostics diagnostics;
    options_ = parse_message_options(config_of(config), diagnostics);
    EXPECT_FALSE(diagnostics.has_errors()) << diagnostics.to_string();
    schema_ = options_.schema();
    decoder_ = make_message_decoder(options_, {schema_.width() + 7, {}, options_.event_time});
    runtime::Outputs& out =
        outputs_.emplace("source", 1, static_cast<std::uint32_t>(schema_.width()));
    out.set_arena(&arena_);
    out.port(0).target = &rows_;
    out.port(0).target_outputs = &sunk_;
    out.reject_port().target = &rejects_;
    out.reject_port().target_outputs = &sunk_;
    rows_.on_record = [this](const Record& record) {
      std::string text = std::to_string(record.origin.offset), scratch;
      for (std::size_t i = 0; i < schema_.width(); ++i) {
        text += "|";
        text += record[i].is_null() ? "-" : value_text(schema_[i].type, record[i], scratch);
      }
      rows.push_back(text);
      times.push_back(record.event_time);
    };
    rejects_.on_record = [this](const Record& record) {
      std::string text = std::to_string(record.origin.offset);
      for (std::size_t i = 0; i < 3; ++i) {
        text += "!" + std::string(record[schema_.width() + i].text());
      }
      rejects.push_back(text);
    };
  }

  void add(std::int64_t offset, std::optional<std::string> value,
           std::optional<std::string> key = {}, const std::string& headers = "") {
    MessageHead head;
    head.offset = offset;
    head.timestamp = 1000 + offset;
    append_frame(slice_.bytes, head, value ? value->data() : nullptr, value ? value->size() : 0,
                 key ? key->data() : nullptr, key ? key->size() : 0, headers);
  }
  void add_without_headers(std::int64_t offset, const std::string& value, const std::string& key) {
    MessageHead head;
    head.offset = offset;
    head.headers_size = -1;
    append_frame(slice_.bytes, head, value.data(), value.size(), key.data(), key.size(), "");
  }
  void decode() {
    slice_.bytes.reserve(slice_.bytes.size() + 64);
    slice_.partition = &name_;
    slice_.format = 3;
    decoder_->decode(slice_, *outputs_);
  }

  std::vector<std::string> rows, rejects;
  std::vector<std::int64_t> times;

 private:
  MessageOptions options_;
  Schema schema_;
  std::unique_ptr<runtime::Decoder> decoder_;
  std::optional<runtime::Outputs> outputs_;
  runtime::Outputs sunk_{"sunk", 0, 0};
  runtime::Arena arena_;
  Collector rows_, rejects_;
  runtime::Slice slice_;
  std::string name_ = "in[3]";
};

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

struct Encoded {
  explicit Encoded(const MessageLayout& layout, const Schema& schema)
      : encoder(make_message_encoder(layout, schema)) {}
  FramedMessage encode(std::vector<Value> values, std::int64_t event_time = runtime::kNoEventTime) {
    Record record;
    record.values = values.data();
    record.width = static_cast<std::uint32_t>(values.size());
    record.origin = {&partition, 41};
    record.event_time = event_time;
    bytes.clear();
    encoder->encode(record, bytes);
    return read_frame(bytes.data());
  }
  std::unique_ptr<runtime::SinkEncoder> encoder;
  std::string bytes, partition = "in[0]";
};

const Schema kSchema({{"id", Type::kString}, {"n", Type::kInt64}});

TEST(MessageEncoder, KeyHeadersAndTime) {
  MessageLayout layout;
  layout.columns = {{"id", "id", {}}, {"n", "n", {}}};
  layout.key = {"n"};
  layout.headers = {{"who", "id"}};
  Encoded encoded(layout, kSchema);
  const FramedMessage message = encoded.encode({Value::of_text("a"), Value::of_integer(5)}, 77);
  EXPECT_EQ(message.value, R"({"id":"a","n":5})");
  EXPECT_EQ(message.key, "5");
  EXPECT_EQ(message.head.timestamp, 77);
  EXPECT_EQ(find_header(message.headers, kOriginHeader), "in[0]@41");
  EXPECT_EQ(find_header(message.headers, "who"), "a");
}

TEST(MessageEncoder, ANullKeyIsNoneAndSeveralFieldsAreAnObject) {
  MessageLayout layout;
  layout.columns = {{"n", "n", {}}};
  layout.key = {"id"};
  layout.provenance = false;
  EXPECT_EQ(Encoded(layout, kSchema).encode({Value(), Value()}).head.key_size, -1);
  EXPECT_EQ(Encoded(layout, kSchema).encode({Value::of_text(""), Value()}).head.key_size, 0);
  layout.key = {"id", "n"};
  Encoded encoded(layout, kSchema);
  const FramedMessage message = encoded.encode({Value(), Value::of_integer(1)});
  EXPECT_EQ(message.key, R"({"id":null,"n":1})");
  EXPECT_TRUE(message.headers.empty());
}

TEST(MessageEncoder, RefusesWhatIsLargerThanTheSinkTakes) {
  MessageLayout layout;
  layout.columns = {{"id", "id", {}}, {"n", "n", {}}};
  layout.key = {"n"};
  layout.headers = {{"who", "id"}};
  layout.max_bytes = 5000;
  Encoded encoded(layout, kSchema);
  const std::string large(3000, 'x');  // twice
  Value values[] = {Value::of_text(large), Value::of_integer(5)};
  Record record;
  record.values = values;
  record.width = 2;
  record.origin = {&encoded.partition, 41};
  std::string out = "before";
  const runtime::Reject* reject = encoded.encoder->encode(record, out);
  ASSERT_NE(reject, nullptr);
  EXPECT_EQ(out, "before");
  EXPECT_EQ(reject->code, "E811_MESSAGE_TOO_LARGE");
  EXPECT_EQ(reject->field, "id");
  EXPECT_EQ(reject->value, std::string(200, 'x'));
  EXPECT_EQ(reject->rule, "kafka");
  EXPECT_THAT(std::string(reject->message_en), HasSubstr("the sink takes 5000"));
  EXPECT_THAT(std::string(reject->message_zh), HasSubstr("最多接受5000字节"));
  // The next one is as if nothing had been.
  EXPECT_EQ(encoded.encode({Value::of_text("a"), Value::of_integer(5)}).value,
            R"({"id":"a","n":5})");
}

TEST(MessageEncoder, RefusesWhatTheTopicDoesNotTake) {
  MessageLayout layout;
  layout.columns = {{"id", "id", {}}};
  layout.key = {"id"};
  layout.timestamp = "n";
  layout.topics = {"t"};
  layout.limits = {std::make_shared<TopicLimits>()};
  Encoded encoded(layout, kSchema);
  const std::int64_t now = runtime::system_clock().now_ms(), hour = 3'600'000;
  const auto code = [&](Value id, std::int64_t time) {
    Value values[] = {id, Value::of_integer(time)};
    Record record;
    record.values = values;
    record.width = 2;
    std::string out;
    const runtime::Reject* reject = encoded.encoder->encode(record, out);
    return reject == nullptr ? std::string() : std::string(reject->code);
  };
  const std::int64_t far = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(code(Value(), far), "");  // nobody has asked the brokers
  layout.limits[0]->after_ms = hour;
  layout.limits[0]->before_ms = 10 * hour;
  layout.limits[0]->needs_key = true;
  EXPECT_EQ(code(Value::of_text("a"), now + hour / 2), "");
  EXPECT_EQ(code(Value::of_text("a"), now + 2 * hour), "E814_MESSAGE_TIME");
  EXPECT_EQ(code(Value::of_text("a"), far), "E814_MESSAGE_TIME");
  EXPECT_EQ(code(Value::of_text("a"), now - 9 * hour), "");
  EXPECT_EQ(code(Value::of_text("a"), now - 11 * hour), "E814_MESSAGE_TIME");
  EXPECT_EQ(code(Value::of_text("a"), -1), "");
  EXPECT_EQ(code(Value::of_text(""), now), "");
  EXPECT_EQ(code(Value(), now), "E815_NO_KEY");
}

TEST(MessageEncoder, TheLimitIsThatOfTheBound) {
  MessageLayout layout;
  layout.columns = {{"id", "id", {}}};
  layout.provenance = false;
  layout.max_bytes = 1000;
  Encoded encoded(layout, kSchema);
  const std::size_t rest = std::string(R"({"id":""})").size();
  const std::size_t most = 1000 - batch_bytes(rest, 0, 0);
  for (const std::size_t size : {most, most + 1}) {
    const std::string text(size, 'x');
    Value values[] = {Value::of_text(text), Value()};
    Record record;
    record.values = values;
    record.width = 2;
    std::string out;
    EXPECT_EQ(encoded.encoder->encode(record, out) == nullptr, size == most) << size;
  }
}

TEST(MessageEncoder, ARecordChoosesItsTopic) {
  MessageLayout layout;
  layout.columns = {{"id", "id", {}}};
  layout.topics = {"credit.a", "credit.甲.7"};
  runtime::Diagnostics diagnostics;
  layout.topic =
      runtime::TextTemplate::parse(Config::scalar("credit.{id}{n}"), kSchema, diagnostics);
  ASSERT_FALSE(diagnostics.has_errors());
  Encoded encoded(layout, kSchema);
  EXPECT_EQ(encoded.encode({Value::of_text("a"), Value()}).head.offset, 0);
  EXPECT_EQ(encoded.encode({Value::of_text("甲."), Value::of_integer(7)}).head.offset, 1);
  Value values[] = {Value::of_text("b"), Value()};
  Record record;
  record.values = values;
  record.width = 2;
  std::string out;
  const runtime::Reject* reject = encoded.encoder->encode(record, out);
  ASSERT_NE(reject, nullptr);
  EXPECT_TRUE(out.empty());
  EXPECT_EQ(reject->code, "E812_TOPIC_UNKNOWN");
  EXPECT_EQ(reject->value, "credit.b");
}

/// What is wrong with a sink `out` behind a source with the fields kind and id.
std::string problems(const std::string& options) {
  runtime::Diagnostics diagnostics;
  const Config config = runtime::parse_config(
      "topology: t\nrejects: bad\nbackend: {type: kafka, bootstrap: 'b:1'}\n"
      "sources:\n  in: {type: kafka, topic: in, fields: [kind, id]}\n"
      "sinks:\n  bad: {type: kafka, topic: bad}\n"
      "  out: {type: kafka, input: in, " +
          options + "}\n",
      "t.yaml", diagnostics);
  runtime::build_topology(config, "t.yaml", runtime::Registry::linked(), diagnostics);
  return diagnostics.to_string();
}

TEST(KafkaSink, SaysWhatIsWrongWithTopicsByExpression) {
  EXPECT_EQ(problems("topic: 'c.{kind}', topics: [c.a, c.b]"), "");
  EXPECT_THAT(problems("topic: 'c.{kind}'"),
              HasSubstr("t.yaml:8:40: error: `topic` names fields, so `topics` must list"));
  EXPECT_THAT(problems("topic: 'c.{kint}', topics: [c.a]"),
              AllOf(HasSubstr("t.yaml:8:40: error: there is no field 'kint'"),
                    HasSubstr("did you mean 'kind'?")));
  EXPECT_THAT(problems("topic: 'c.{kind', topics: [c.a]"), HasSubstr("a brace is not closed"));
  EXPECT_THAT(problems("topic: 'c.{kind}', topics: [c.a, c.b, c.a]"),
              HasSubstr("t.yaml:8:71: error: the topic 'c.a' is listed twice"));
  EXPECT_THAT(problems("topic: c.a, topics: [c.a]"),
              HasSubstr("t.yaml:8:53: error: `topics` goes with a `topic` that names fields"));
  EXPECT_THAT(problems("topic: c.a, max_message_bytes: 17MiB"),
              HasSubstr("t.yaml:8:64: error: `max_message_bytes` must be from 1000 to 16MiB"));
}

TEST(MessageEncoder, FlatbuffersAreReadBack) {
  MessageLayout layout;
  layout.format = "flatbuffers";
  layout.columns = {{"id", "id", {}}, {"n", "n", {}}};
  layout.provenance = false;
  Encoded encoded(layout, kSchema);
  const FramedMessage message = encoded.encode({Value::of_text("法人"), Value::of_integer(-3)});
  Decoding decoding("format: flatbuffers\nfields: [id, {name: n, type: int64}]\n");
  decoding.add(1, std::string(message.value));
  decoding.add(2, "not one");
  decoding.add(3, "");
  decoding.decode();
  EXPECT_THAT(decoding.rows, ElementsAre("1|法人|-3"));
  EXPECT_EQ(decoding.rejects.size(), 2u);
}

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

TEST(Connection, WrongSettingsAreFoundWithTheirPlace) {
  runtime::Diagnostics diagnostics;
  parse_connection(
      config_of("bootstrap: x:1\nsettings: {acks: 1, linger.msec: 5, ssl.key.pem: k}\n"), nullptr,
      diagnostics);
  ASSERT_EQ(diagnostics.errors(), 2u) << diagnostics.to_string();
  EXPECT_THAT(diagnostics.to_string(), HasSubstr("'acks' is set by Huiliu"));
  EXPECT_THAT(diagnostics.to_string(), HasSubstr("no setting 'linger.msec'"));
}

TEST(Connection, ComesFromTheBackendUnlessTheNodeHasItsOwn) {
  const runtime::Config backend =
      config_of("type: kafka\nbootstrap: b:1\nsettings: {security.protocol: ssl}\n");
  runtime::Diagnostics diagnostics;
  const Connection shared = parse_connection(config_of("topic: t\n"), &backend, diagnostics);
  EXPECT_EQ(shared.bootstrap, "b:1");
  EXPECT_EQ(shared.settings.size(), 1u);
  const Connection own = parse_connection(config_of("bootstrap: c:1\n"), &backend, diagnostics);
  EXPECT_EQ(own.bootstrap, "c:1");
  EXPECT_TRUE(own.settings.empty());
  parse_connection(config_of("topic: t\n"), nullptr, diagnostics);
  EXPECT_THAT(diagnostics.to_string(), HasSubstr("`bootstrap` is missing"));
}

TEST(Errors, WhatAPersonMustMendStopsAndTheRestStartsAnew) {
  const auto code = [](rd_kafka_resp_err_t error) {
    return as_status(error_of(error), "x").code();
  };
  EXPECT_EQ(code(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED), StatusCode::kInvalid);
  EXPECT_EQ(code(RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT), StatusCode::kInvalid);
  EXPECT_EQ(code(RD_KAFKA_RESP_ERR__FENCED), StatusCode::kRestart);
  EXPECT_EQ(code(RD_KAFKA_RESP_ERR__TIMED_OUT), StatusCode::kRestart);
  EXPECT_EQ(code(RD_KAFKA_RESP_ERR_NO_ERROR), StatusCode::kOk);
}

}  // namespace
}  // namespace huiliu::connectors::kafka
