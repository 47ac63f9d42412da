#include "connectors/kafka/sink/message_encoder.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codecs/row_encoder.h"
#include "connectors/kafka/client/message_frame.h"
#include "connectors/kafka/source/testing/decoding.h"
#include "connectors/testing.h"
#include "runtime/component/registry.h"
#include "runtime/record/row_codec.h"
#include "runtime/topology/topology.h"

namespace huiliu::connectors::kafka {
namespace {

using runtime::Config;
using runtime::Record;
using runtime::Schema;
using runtime::Type;
using runtime::Value;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

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

}  // namespace
}  // namespace huiliu::connectors::kafka
