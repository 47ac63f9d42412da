#include "formats/xlsx_package.h"

#include <gtest/gtest.h>

namespace huiliu::formats {
namespace {

TEST(XlsxPackage, ResolvesRelationshipTargets) {
  EXPECT_EQ(resolve_part("xl/workbook.xml", "worksheets/sheet1.xml"), "xl/worksheets/sheet1.xml");
  EXPECT_EQ(resolve_part("xl/workbook.xml", "/xl/styles.xml"), "xl/styles.xml");
  EXPECT_EQ(resolve_part("xl/workbook.xml", "../a/./b.xml"), "a/b.xml");
  EXPECT_EQ(resolve_part("", "xl/workbook.xml"), "xl/workbook.xml");
  EXPECT_EQ(resolve_part("x", "../../../a"), "a");
}

}  // namespace
}  // namespace huiliu::formats
