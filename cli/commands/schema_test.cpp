#include <filesystem>
#include <fstream>

#include <CLI/CLI.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include "cli/command.h"

namespace huiliu::cli {
namespace {

struct Ran {
  int code = -1;
  std::string out, error;
};

Ran messages(const std::string& sink) {
  const auto path = std::filesystem::path(testing::TempDir()) / "messages.yaml";
  std::ofstream(path)
      << "topology: t\nrejects: bad\nsources:\n  lines: {type: file, path: in, "
         "pattern: [\"*.ndjson\"], fields: [{name: number}, {name: rows, type: "
         "int64}, {name: done, type: bool}]}\n"
         "sinks:\n  out: {type: file, input: lines, path: out.ndjson, format: "
         "ndjson, nulls: \"null\", fields: [number, {name: n, field: rows}, done]}\n"
         "  bad: {type: file, input: lines.rejects, path: bad.csv, format: csv}\n";
  Ran ran;
  CLI::App app("", "huiliu");
  add_commands(app, ran.code);
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  app.parse(std::vector<std::string>{sink, "--messages", path.string(), "schema"});  // reversed
  ran.out = testing::internal::GetCapturedStdout();
  ran.error = testing::internal::GetCapturedStderr();
  std::filesystem::remove(path);
  return ran;
}

TEST(Schema, OfMessagesHasTheFieldsOfTheSinkByTheirNamesThere) {
  const Ran ran = messages("out");
  EXPECT_EQ(ran.code, kSuccess) << ran.error;
  rapidjson::Document schema;
  schema.Parse(ran.out.c_str());
  ASSERT_FALSE(schema.HasParseError());
  const auto& properties = schema["properties"];
  ASSERT_EQ(properties.MemberCount(), 3u);
  EXPECT_STREQ(properties["number"]["type"][0].GetString(), "string");
  EXPECT_STREQ(properties["number"]["type"][1].GetString(), "null");
  EXPECT_STREQ(properties["n"]["type"][0].GetString(), "integer");
  EXPECT_STREQ(properties["done"]["type"][0].GetString(), "boolean");
}

TEST(Schema, OfMessagesIsOfSinksThatWriteJson) {
  const Ran ran = messages("bad");
  EXPECT_EQ(ran.code, kUsage);
  EXPECT_THAT(ran.error, testing::HasSubstr("there is no sink 'bad' with messages in JSON"));
}

}  // namespace
}  // namespace huiliu::cli
