#include "formats/xlsx_styles.h"

#include <string>

#include <gtest/gtest.h>

namespace huiliu::formats {
namespace {

TEST(XlsxStyles, KnowsDateFormatsByIdAndByCode) {
  for (const std::uint32_t id : {14U, 22U, 27U, 36U, 45U, 47U, 50U, 58U}) {
    EXPECT_TRUE(is_builtin_date_format(id)) << id;
  }
  for (const std::uint32_t id : {0U, 13U, 23U, 26U, 37U, 44U, 48U, 49U, 59U}) {
    EXPECT_FALSE(is_builtin_date_format(id)) << id;
  }
  for (const char* code :
       {"yyyy-mm-dd", "m/d/yy", "[$-804]yyyy\"年\"m\"月\"d\"日\";@", "mmm", "\\ad"}) {
    EXPECT_TRUE(is_date_format_code(code)) << code;
  }
  for (const char* code : {"General", "0.00E+00", "#,##0\"d\"", "[Red]0", "0\\m", "0_d", "*y0",
                           "0;yyyy", "", "\"", "[", "\\", "@"}) {
    EXPECT_FALSE(is_date_format_code(code)) << code;
  }
}

TEST(XlsxStyles, RefusesSerialsThatAreNoDay) {
  std::string out;
  for (const double serial : {-1.0, 0.0, 60.0, 2958466.0, 1e300}) {
    EXPECT_FALSE(append_iso_date(serial, DateSystem::k1900, out)) << serial;
  }
  EXPECT_TRUE(out.empty());
  EXPECT_TRUE(append_iso_date(59, DateSystem::k1900, out));
  EXPECT_TRUE(append_iso_date(2958465.9, DateSystem::k1900, out));
  EXPECT_EQ(out, "1900-02-289999-12-31");
  EXPECT_FALSE(append_iso_date(2958465, DateSystem::k1904, out));
}

}  // namespace
}  // namespace huiliu::formats
