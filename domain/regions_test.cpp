#include "domain/regions.h"

#include <gtest/gtest.h>

#include "domain/test_vectors.h"

namespace huiliu::domain {
namespace {

constexpr int kToday = 20190501;

const RegionTable& table() {
  static const RegionTable regions = [] {
    RegionTable loaded;
    std::string error;
    const std::string csv = testing::read_source_file("topologies/credit/tables/regions.csv");
    EXPECT_TRUE(loaded.load(csv, error)) << error;
    EXPECT_FALSE(loaded.empty());
    return loaded;
  }();
  return regions;
}

RegionState state(std::string_view code, int date = kToday) {
  return table().find(code, date).state;
}

TEST(Regions, CodesOfTheCityFollowTheHistory) {
  for (const char* code : {"350800", "350802", "350803", "350821", "350823", "350824", "350825",
                           "350881", "350000", "810000"}) {
    EXPECT_EQ(state(code), RegionState::kCurrent) << code;
  }
  for (const char* code : {"350822", "352600", "352601", "352621"}) {
    EXPECT_EQ(state(code), RegionState::kRetired) << code;
  }
  EXPECT_EQ(state("350801"), RegionState::kPseudo);
  for (const char* code : {"350804", "350826", "350882", "350899", "359999", "", "35080", "龙岩"}) {
    EXPECT_EQ(state(code), RegionState::kUnknown) << code;
  }
}

TEST(Regions, DateDecides) {
  EXPECT_EQ(state("350822", 20141130), RegionState::kCurrent);
  EXPECT_EQ(state("350822", 20141201), RegionState::kRetired);
  EXPECT_EQ(state("350803", 20141130), RegionState::kNotYet);
  EXPECT_EQ(state("350803", 20141201), RegionState::kCurrent);
  EXPECT_EQ(state("352600", 19700101), RegionState::kCurrent);
  EXPECT_EQ(table().find("352600", kToday).name, "龙岩地区");
}

TEST(Regions, ChangesAfter2019AreThere) {
  constexpr int kNow = 20261130;
  for (const char* code : {"350404", "350405", "350604", "350605", "330114", "653228", "810001"}) {
    EXPECT_EQ(state(code, kNow), RegionState::kCurrent) << code;
  }
  for (const char* code : {"350402", "350403", "350427", "350625", "350681", "500112"}) {
    EXPECT_EQ(state(code, kNow), RegionState::kRetired) << code;
    EXPECT_FALSE(table().resolve(code, kNow).empty()) << code;
  }
  EXPECT_EQ(table().resolve("350681", kNow), "350604");
  EXPECT_EQ(table().find("130502", kNow).name, "襄都区");
  EXPECT_EQ(table().find("130502", kToday).name, "桥东区");
}

TEST(Regions, SuccessorsChainToTheCodeOfTheDate) {
  EXPECT_EQ(table().resolve("352623", kToday), "350803");
  EXPECT_EQ(table().resolve("352623", 20000101), "350822");
  EXPECT_EQ(table().resolve("352621", kToday), "350802");
  EXPECT_EQ(table().resolve("350802", kToday), "350802");
  EXPECT_EQ(table().resolve("350801", kToday), "");
  EXPECT_EQ(table().resolve("999999", kToday), "");
}

TEST(Regions, LevelComesFromTheZeros) {
  EXPECT_EQ(region_level("350000"), RegionLevel::kProvince);
  EXPECT_EQ(region_level("350800"), RegionLevel::kCity);
  EXPECT_EQ(region_level("350803"), RegionLevel::kCounty);
}

TEST(Regions, WrongLineIsNamedAndTheTableStays) {
  RegionTable regions;
  std::string error;
  ASSERT_TRUE(regions.load("# c\nh\n# d\n350802,a,,,350802\n", error)) << error;
  EXPECT_FALSE(regions.load("h\n\n35080,b,,,\n", error));
  EXPECT_EQ(error, "line 3: not a region");
  EXPECT_FALSE(regions.load("h\n350802,b,x,,\n", error));
  EXPECT_FALSE(regions.load("h\n350802,b,,\n", error));
  EXPECT_EQ(regions.find("350802", kToday).name, "a");
}

TEST(Regions, RingOfSuccessorsEnds) {
  RegionTable regions;
  std::string error;
  ASSERT_TRUE(
      regions.load("h\r\n100001,a,,2000-01-01,100002\r\n100002,b,,2000-01-01,100001\r\n", error));
  EXPECT_EQ(regions.resolve("100001", kToday), "");
}

}  // namespace
}  // namespace huiliu::domain
