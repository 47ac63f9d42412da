#include "runtime/topology/stream_checks.h"

#include <gmock/gmock.h>

#include "runtime/testing/null_sink.h"
#include "runtime/topology/topology.h"

namespace huiliu::runtime {
namespace {

using ::testing::HasSubstr;

OperatorType operator_of(const std::string& name, Changes changes,
                         std::vector<InputDescriptor> inputs = {}) {
  OperatorType type;
  type.descriptor = {.name = name, .inputs = std::move(inputs), .changes = changes};
  type.declare = [](Declaration& declaration) { declaration.output = declaration.input(); };
  return type;
}

/// What is wrong with a topology whose source gives changes.
class ChangesTest : public ::testing::Test {
 protected:
  ChangesTest() {
    SourceType source;
    source.descriptor = {.name = "changes", .kind = ComponentKind::kSource};
    source.declare = [this](SourceDeclaration& declaration) {
      declaration.output.add("n", Type::kInt64);
      if (says_so_) declaration.output.add("change", Type::kString);
      declaration.changing_outputs = {""};
    };
    registry_.add(std::move(source));
    registry_.add(operator_of("keeps", Changes::kRefused));
    registry_.add(operator_of("passes", Changes::kPassedOn));
    registry_.add(operator_of("takes", Changes::kTaken));
    registry_.add(
        operator_of("looks_up", Changes::kRefused,
                    {{.name = "records"}, {.name = "table", .changes = Changes::kTaken}}));
    registry_.add(testing::null_sink());
  }

  std::string problems(const std::string& operators, const std::string& last = "last") {
    Diagnostics diagnostics;
    const Config config =
        parse_config("topology: t\nsources: {s: {type: changes}}\noperators:\n" + operators +
                         "sinks: {out: {type: \"null\", input: " + last + "}}\n",
                     "t.yaml", diagnostics);
    build_topology(config, "t.yaml", registry_, diagnostics);
    return diagnostics.to_string();
  }

  Registry registry_;
  bool says_so_ = true;
};

TEST_F(ChangesTest, WhoeverWouldKeepWhatIsTakenBackIsRefused) {
  EXPECT_EQ(problems("  last: {type: takes, input: s}\n"), "");
  EXPECT_THAT(problems("  last: {type: keeps, input: s}\n"),
              HasSubstr("t.yaml:4:3: error: records of 's' may take back earlier ones, which "
                        "'last' of type keeps would take for new ones"));
}

TEST_F(ChangesTest, ChangesArePassedOn) {
  EXPECT_THAT(problems("  a: {type: passes, input: s}\n  last: {type: keeps, input: a}\n"),
              HasSubstr("records of 'a' may take back"));
  EXPECT_EQ(problems("  a: {type: takes, input: s}\n  last: {type: keeps, input: a}\n"), "");
}

TEST_F(ChangesTest, ASinkGetsThemOnlyWithTheFieldThatSaysSo) {
  EXPECT_EQ(problems("  last: {type: passes, input: s}\n"), "");
  says_so_ = false;
  EXPECT_THAT(problems("  last: {type: passes, input: s}\n"),
              HasSubstr("without the field 'change' no row in 'out' would say so"));
}

TEST_F(ChangesTest, InputsThatDifferAreToldApart) {
  const std::string fixed = "  fixed: {type: takes, input: s}\n";
  EXPECT_EQ(problems(fixed + "  last: {type: looks_up, input: [fixed, s]}\n"), "");
  EXPECT_THAT(problems(fixed + "  last: {type: looks_up, input: [s, fixed]}\n"),
              HasSubstr("'last' of type looks_up would take for new ones"));
  EXPECT_THAT(problems("  last: {type: looks_up, input: s}\n"),
              HasSubstr("'last' has 1 inputs, and looks_up takes 2: records, table"));
}

}  // namespace
}  // namespace huiliu::runtime
