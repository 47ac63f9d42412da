#include "formats/xlsx_styles.h"

#include <string>

#include <gtest/gtest.h>

namespace huiliu::formats {
namespace {

using Kind = NumberFormat::Kind;

Kind kind_of(std::string_view code) { return parse_format_code(code).kind; }

TEST(XlsxStyles, KnowsFormatsOfMomentsByIdAndByCode) {
  for (const std::uint32_t id : {14U, 27U, 36U, 50U, 58U}) {
    EXPECT_EQ(builtin_format(id), Kind::kDate) << id;
  }
  for (const std::uint32_t id : {18U, 21U, 32U, 45U, 47U}) {
    EXPECT_EQ(builtin_format(id), Kind::kTime) << id;
  }
  EXPECT_EQ(builtin_format(22), Kind::kDateTime);
  EXPECT_EQ(builtin_format(46), Kind::kElapsed);
  for (const std::uint32_t id : {0U, 13U, 23U, 26U, 37U, 44U, 48U, 49U, 59U}) {
    EXPECT_EQ(builtin_format(id), Kind::kGeneral) << id;
  }
  for (const char* code : {"yyyy-mm-dd", "m/d/yy", "[$-804]yyyy\"年\"m\"月\"d\"日\";@", "mmm",
                           "\\ad", "e\"年\"m\"月\"", "dd-mmm"}) {
    EXPECT_EQ(kind_of(code), Kind::kDate) << code;
  }
  for (const char* code : {"yyyy\\-mm\\-dd\\ hh:mm:ss", "m/d/yy h:mm", "[$-409]m/d/yy h:mm AM/PM;@",
                           "yyyy\"年\"m\"月\"d\"日\" h\"时\"mm\"分\"", "h:mm d/m"}) {
    EXPECT_EQ(kind_of(code), Kind::kDateTime) << code;
  }
  for (const char* code : {"h:mm", "mm:ss", "hh:mm:ss.000", "上午/下午h:mm", "h:mm AM/PM"}) {
    EXPECT_EQ(kind_of(code), Kind::kTime) << code;
  }
  for (const char* code : {"[h]:mm:ss", "[mm]:ss", "[ss]"}) {
    EXPECT_EQ(kind_of(code), Kind::kElapsed) << code;
  }
  for (const char* code : {"General", "0.00E+00", "#,##0\"d\"", "[Red]0", "0\\m", "0_d", "*y0",
                           "0;yyyy", "", "\"", "[", "\\", "@", "G/通用格式", "0\"元\""}) {
    EXPECT_EQ(kind_of(code), Kind::kGeneral) << code;
  }
}

TEST(XlsxStyles, CarriesTheZerosOfAFormat) {
  EXPECT_EQ(fill_zeros(parse_format_code("00000").pattern, "123"), "00123");
  EXPECT_EQ(fill_zeros(parse_format_code("00000").pattern, "1234567"), "1234567");
  EXPECT_EQ(fill_zeros(parse_format_code("000\\-0000;@").pattern, "12345"), "001-2345");
  EXPECT_EQ(fill_zeros(parse_format_code("\"A\"000").pattern, "-7"), "-A007");
  EXPECT_EQ(kind_of("0.00"), Kind::kGeneral);
  EXPECT_EQ(kind_of("#,##0"), Kind::kGeneral);
}

std::string moment(double serial, Kind kind, DateSystem system = DateSystem::k1900) {
  std::string out;
  return append_serial(serial, system, kind, out) ? out : "no";
}

TEST(XlsxStyles, ShowsSerialsAsTheirFormatDoes) {
  EXPECT_EQ(moment(45163.604166666664, Kind::kDateTime), "2023-08-25 14:30:00");
  EXPECT_EQ(moment(45163.604166666664, Kind::kDate), "2023-08-25");
  EXPECT_EQ(moment(45163, Kind::kDateTime), "2023-08-25 00:00:00");
  EXPECT_EQ(moment(43701.604166666664, Kind::kDateTime, DateSystem::k1904), "2023-08-25 14:30:00");
  EXPECT_EQ(moment(45163.99999999999, Kind::kDateTime), "2023-08-26 00:00:00");
  EXPECT_EQ(moment(45163.5 + 0.25 / 86400, Kind::kDateTime), "2023-08-25 12:00:00.250");
  EXPECT_EQ(moment(0.604166666666667, Kind::kTime), "14:30:00");
  EXPECT_EQ(moment(1.5, Kind::kElapsed), "36:00:00");
}

TEST(XlsxStyles, RefusesSerialsThatAreNoDay) {
  for (const double serial : {-1.0, 0.0, 60.0, 2958466.0, 1e300, 20230825.0}) {
    EXPECT_EQ(moment(serial, Kind::kDate), "no") << serial;
  }
  EXPECT_EQ(moment(59, Kind::kDate), "1900-02-28");
  EXPECT_EQ(moment(2958465.9, Kind::kDate), "9999-12-31");
  EXPECT_EQ(moment(2958465, Kind::kDate, DateSystem::k1904), "no");
}

}  // namespace
}  // namespace huiliu::formats
