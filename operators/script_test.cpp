#include <gmock/gmock.h>

#include "operators/harness.h"

namespace huiliu::operators {
namespace {

using ::testing::ElementsAre;
using testing::Harness;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string yaml(std::string_view code, std::string_view more = "") {
  std::string text =
      "type: script\nsets: {out: string, n: int64}\n" + std::string(more) + "code: |\n";
  for (std::size_t at = 0; at < code.size();) {
    const std::size_t end = std::min(code.find('\n', at), code.size());
    text += "  " + std::string(code.substr(at, end - at)) + "\n";
    at = end + 1;
  }
  return text;
}

/// Output of a script for a = "ab", n = 7, or the message of the reject.
std::string run(std::string_view code, std::string_view more = "") {
  Harness harness(yaml(code, more), "a, n: int64");
  harness.push({{"a", "ab"}, {"n", "7"}});
  const auto done = harness.take();
  if (!done.empty()) return done.front();
  const auto rejects = harness.take("rejects", {"reject_code", "reject_message_en"});
  return rejects.empty() ? "dropped" : rejects.front();
}

TEST(ScriptTest, SetsFieldsFromFields) {
  EXPECT_EQ(run("local x = n * 2\nout = a .. x\nn = n + 1"), "a=ab n=8 out=ab14");
  EXPECT_EQ(run("n = nil"), "a=ab n=~ out=~");
  EXPECT_EQ(run("local t = {b = 1, a = 2}\nlocal s = ''\n"
                "for k, v in pairs(t) do s = s .. k .. v end\nout = s"),
            "a=ab n=7 out=a2b1");
}

TEST(ScriptTest, KeepsWholeNumbersExactOrRefusesThem) {
  const auto with = [](std::string_view code, std::string_view n) {
    Harness harness(yaml(code), "a, n: int64");
    harness.push({{"a", "ab"}, {"n", std::string(n)}});
    const auto done = harness.take("", {"n", "out"});
    return done.empty() ? "refused" : done.front();
  };
  EXPECT_EQ(with("out = n", "350823189619410"), "350823189619410|350823189619410");
  EXPECT_EQ(with("out = tostring(n)", "9007199254740991"), "9007199254740991|9007199254740991");
  EXPECT_EQ(with("n = n - 1", "9007199254740991"), "9007199254740990|~");
  EXPECT_EQ(with("out = 'no ' .. n", "35082318961941"), "35082318961941|no 35082318961941");
  EXPECT_EQ(with("out = 'no ' .. n", "350823189619410"), "refused");
  EXPECT_EQ(with("out = n", "9007199254740993"), "refused");
  EXPECT_EQ(with("out = n", "-9223372036854775808"), "refused");
}

TEST(ScriptTest, DropsAndRejectsRecords) {
  EXPECT_EQ(run("return false"), "dropped");
  EXPECT_EQ(run("return true"), "a=ab n=7 out=~");
  EXPECT_EQ(run("reject('MINE', 'not ' .. a)"), "MINE|not ab");
  Harness harness(yaml("reject('MINE', 'no', '不行', 'a')"), "a, n: int64");
  harness.push({});
  EXPECT_THAT(harness.take("rejects", {"reject_field", "reject_message_zh"}),
              ElementsAre("a|不行"));
}

TEST(ScriptTest, KeepsNothingBetweenRecords) {
  EXPECT_THAT(run("x = 1"), HasSubstr("'x' is not among the fields to set"));
  EXPECT_THAT(run("string.y = 1"), HasSubstr("libraries cannot be changed"));
  EXPECT_THAT(run("a = 'c'"), HasSubstr("'a' is not among the fields to set"));
  Harness harness(yaml("if a then out = a end"), "a, n: int64");
  harness.push({{"a", "x"}});
  harness.push({});
  EXPECT_THAT(harness.take("", {"out"}), ElementsAre("x", "~"));
}

TEST(ScriptTest, HasNoWayOutOfTheSandbox) {
  for (const char* name : {"io",       "os",      "ffi",          "jit",          "debug",
                           "require",  "load",    "loadstring",   "dofile",       "loadfile",
                           "setfenv",  "getfenv", "coroutine",    "pcall",        "xpcall",
                           "rawset",   "rawget",  "setmetatable", "getmetatable", "collectgarbage",
                           "newproxy", "module",  "package",      "_G",           "print"}) {
    EXPECT_THAT(run(std::string("local x = ") + name),
                HasSubstr(std::string("there is no field or function '") + name + "'"));
  }
  EXPECT_THAT(run("out = string.dump(type)"), HasSubstr("E901_SCRIPT"));
  EXPECT_THAT(run("n = math.random(5)"), HasSubstr("E901_SCRIPT"));
}

TEST(ScriptTest, StopsScriptsThatRunTooLong) {
  EXPECT_THAT(run("while true do end", "instructions: 10000\n"),
              HasSubstr("stopped after 10000 instructions"));
  EXPECT_THAT(run("local s = a:rep(1000000)"), HasSubstr("the result is too long"));
  EXPECT_THAT(run("local s = a:rep(1000)\nout = tostring(s:find('.-.-.-c'))"),
              HasSubstr("pattern too costly"));
  EXPECT_THAT(run("local function f() return f() + 1 end\nf()"), HasSubstr("stack overflow"));
}

TEST(ScriptTest, StopsScriptsThatTakeTooMuchMemoryAndGoesOn) {
  Harness harness(yaml("if a == 'x' then\n  local t = {}\n  for i = 1, 1e5 do t[i] = a .. i end\n"
                       "end\nout = a",
                       "memory: 1MiB\n"),
                  "a, n: int64");
  harness.push({{"a", "y"}});
  harness.push({{"a", "x"}});
  harness.push({{"a", "z"}});
  EXPECT_THAT(harness.take("", {"out"}), ElementsAre("y", "z"));
  EXPECT_THAT(harness.take("rejects", {"reject_message_en"}),
              ElementsAre(HasSubstr("not enough memory")));
}

TEST(ScriptTest, RejectsValuesThatDoNotFitTheirField) {
  EXPECT_THAT(run("n = 1.5"), HasSubstr("n: a number does not fit into a field of type int64"));
  EXPECT_THAT(run("out = {}"), HasSubstr("out: a table does not fit"));
}

TEST(ScriptTest, ReportsSyntaxErrorsAtTheirLine) {
  // The block starts in line 3, so its second line is line 5 of the file.
  EXPECT_THAT(Harness(yaml("out = a\nout = = a"), "a, n: int64").problems(),
              HasSubstr("topology.yaml:5:"));
  EXPECT_THAT(
      Harness("type: script\nsets: {n: string, q: strnig}\ncode: 'n = 1'\n", "n: int64").problems(),
      HasSubstr("string"));
}

}  // namespace
}  // namespace huiliu::operators
