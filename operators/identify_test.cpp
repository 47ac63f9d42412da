#include <gmock/gmock.h>

#include "operators/harness.h"

namespace huiliu::operators {
namespace {

using ::testing::ElementsAre;
using testing::Harness;

TEST(IdentifyTest, NamesBodiesAndPersonsByEachOfTheirCodes) {
  Harness harness(
      "type: identify\nuscc: u\norg_code: o\ntax_no: t\nreg_no: r\nsociety_no: s\n"
      "document_type: dt\ndocument_no: dn\n",
      "u, o, t, r, s, dt, dn");
  harness.push({{"u", "91350803MAGBQ59331"}, {"r", "350802100007779"}});
  harness.push({{"o", "MAGBQ5933"}, {"s", "S1"}});
  harness.push({{"t", "350803MAGBQ5933"}});
  harness.push({{"t", "35080219000101001301"}});
  harness.push({{"dt", "身份证"}, {"dn", "350802000101001"}});
  harness.push({});
  EXPECT_THAT(harness.take("", {"org_id", "reg_id", "tax_id", "other_id", "person_id"}),
              ElementsAre("org:MAGBQ5933|reg:350802100007779|~|~|~", "org:MAGBQ5933|~|~|soc:S1|~",
                          "org:MAGBQ5933|~|~|~|~", "~|~|tax:35080219000101001301|~|~",
                          "~|~|~|~|身份证:350802190001010013", "~|~|~|~|~"));
}

}  // namespace
}  // namespace huiliu::operators
