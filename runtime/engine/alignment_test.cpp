#include "runtime/engine/alignment.h"

#include <gmock/gmock.h>

#include "runtime/component/registry.h"
#include "runtime/testing/null_sink.h"
#include "runtime/testing/topology_text.h"

namespace huiliu::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Kind = SplitEvent::Kind;

/// Sources a and b of one group, at most 100 ms apart; c is of none.
class AlignmentTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Registry& registry = registry_;
    for (const std::string name : {"aligned", "free"}) {
      SourceType source;
      source.descriptor = {.name = name, .kind = ComponentKind::kSource};
      source.declare = [name](SourceDeclaration& declaration) {
        declaration.output.add("n", Type::kInt64);
        declaration.event_time.field = 0;
        if (name == "free") return;
        declaration.event_time.align_group = "g";
        declaration.event_time.align_most_ms = 100;
      };
      registry.add(std::move(source));
    }
    registry.add(testing::null_sink());
    topology_ = testing::topology_of(
        registry_,
        "topology: test\nsources: {a: {type: aligned}, b: {type: aligned}, c: {type: free}}\n"
        "sinks: {none: {type: \"null\", input: [a, b, c]}}\n");
    alignment_.emplace(topology_);
    for (std::uint32_t source = 0; source < 3; ++source) {
      event({Kind::kAnnounced, source, 0});
      event({Kind::kAnnounced, source, 1});
    }
  }

  void event(SplitEvent event) {
    SliceInfo slice;
    slice.events = {std::move(event)};
    alignment_->saw(slice);
  }
  void records(std::uint32_t source, SplitId split, std::int64_t time) {
    SliceInfo slice;
    slice.source = source;
    slice.split = split;
    slice.max_event_time = time;
    alignment_->reached(slice);
  }
  /// "SOURCE.SPLIT held" or "… free".
  std::vector<std::string> changes() {
    std::vector<std::string> texts;
    for (const Alignment::Change& change : alignment_->changes()) {
      texts.push_back(std::to_string(change.source) + "." + std::to_string(change.split) +
                      (change.held ? " held" : " free"));
    }
    return texts;
  }

  Registry registry_;
  Topology topology_;
  std::optional<Alignment> alignment_;
};

TEST_F(AlignmentTest, HoldsWhatIsFurtherAheadThanTheGroupAllows) {
  records(0, 0, 1000);
  records(0, 1, 1100);
  EXPECT_THAT(changes(), IsEmpty()) << "as far as it may be";
  records(0, 1, 1101);
  records(1, 0, 5000);
  records(2, 0, 9000);
  EXPECT_THAT(changes(), ElementsAre("0.1 held", "1.0 held"));
  records(0, 0, 1050);
  EXPECT_THAT(changes(), ElementsAre("0.1 free"));
  records(0, 0, 4950);
  EXPECT_THAT(changes(), ElementsAre("0.0 held")) << "0.1 is the slowest now";
  records(0, 1, 4900);
  EXPECT_THAT(changes(), ElementsAre("0.0 free", "1.0 free"));
}

TEST_F(AlignmentTest, NobodyWaitsForWhatIsIdleOrHasEnded) {
  records(0, 0, 1000);
  records(0, 1, 2000);
  records(1, 0, 3000);
  EXPECT_THAT(changes(), ElementsAre("0.1 held", "1.0 held"));
  event({Kind::kIdle, 0, 0});
  EXPECT_THAT(changes(), ElementsAre("0.1 free"));
  event({Kind::kEnded, 0, 1});
  EXPECT_THAT(changes(), ElementsAre("1.0 free"));
  records(0, 0, 1001);
  EXPECT_THAT(changes(), ElementsAre("1.0 held"));
  event({Kind::kSourceEnded, 0});
  EXPECT_THAT(changes(), ElementsAre("1.0 free"));
}

}  // namespace
}  // namespace huiliu::runtime
