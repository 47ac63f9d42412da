#include "domain/work_calendar.h"

#include <gtest/gtest.h>

#include "domain/dates.h"
#include "domain/test_vectors.h"

namespace huiliu::domain {
namespace {

std::int32_t day(std::string_view text) {
  Date date;
  EXPECT_TRUE(parse_date_simple(text, date));
  return days_since_epoch(date);
}

WorkCalendar calendar() {
  WorkCalendar loaded;
  std::string error;
  const std::string csv = testing::read_source_file("topologies/credit/tables/workdays.csv");
  EXPECT_TRUE(loaded.load(csv, error)) << error;
  return loaded;
}

TEST(WorkCalendar, SevenWorkingDaysSkipTheSpringFestival) {
  const WorkCalendar days = calendar();
  EXPECT_EQ(days.add_working_days(day("2019-01-28"), 7), day("2019-02-11"));
  EXPECT_EQ(days.add_working_days(day("2019-02-11"), -7), day("2019-01-28"));
  EXPECT_EQ(days.add_working_days(day("2019-02-05"), 0), day("2019-02-05"));
  EXPECT_EQ(days.working_days_between(day("2019-01-28"), day("2019-02-11")), 7);
}

TEST(WorkCalendar, MakeUpDaysWorkAndHolidaysDoNot) {
  const WorkCalendar days = calendar();
  EXPECT_TRUE(days.is_working_day(day("2019-02-02")));   // Saturday
  EXPECT_FALSE(days.is_working_day(day("2019-02-04")));  // Monday
  EXPECT_FALSE(days.is_working_day(day("2019-03-09")));  // Saturday
  EXPECT_TRUE(days.is_working_day(day("2019-03-08")));
}

TEST(WorkCalendar, WeekdaysDecideBeyondTheTable) {
  const WorkCalendar none;
  EXPECT_TRUE(none.empty());
  EXPECT_TRUE(none.is_working_day(0));        // Thursday
  EXPECT_FALSE(none.is_working_day(-5));      // Saturday
  EXPECT_EQ(none.add_working_days(0, 2), 4);  // Monday
  const WorkCalendar days = calendar();
  EXPECT_EQ(days.first_day(), day("2004-01-01"));
  EXPECT_EQ(days.last_day(), day("2026-12-31"));  // of the comment, not the last day listed
  EXPECT_TRUE(days.is_working_day(day("2030-01-01")));
}

TEST(WorkCalendar, CountsAsOneByOne) {
  const WorkCalendar days = calendar();
  const std::int32_t starts[] = {day("1969-12-29"), day("2003-12-20"), day("2019-01-28"),
                                 day("2026-12-20"), day("2031-05-06")};
  for (const std::int32_t start : starts) {
    int count = 0;
    for (std::int32_t to = start; to < start + 40; ++to) {
      if (to > start && days.is_working_day(to)) ++count;
      EXPECT_EQ(days.working_days_between(start, to), count) << start << " " << to;
    }
  }
  EXPECT_EQ(days.working_days_between(day("2003-12-01"), day("2027-02-01")),
            days.working_days_between(day("2003-12-01"), day("2015-06-01")) +
                days.working_days_between(day("2015-06-01"), day("2027-02-01")));
}

TEST(WorkCalendar, WrongTableIsRefusedAndTheCalendarStays) {
  WorkCalendar days = calendar();
  std::string error;
  EXPECT_FALSE(days.load("date,kind\n2019-01-01,holiday\n2019-01-02,feast\n", error));
  EXPECT_EQ(error, "line 3: not a date,holiday|workday");
  EXPECT_FALSE(days.load("date,kind\n2019-02-30,holiday\n", error));
  EXPECT_FALSE(days.load("date,kind\n1000-01-01,holiday\n2019-01-02,holiday\n", error));
  EXPECT_FALSE(days.load("", error));
  EXPECT_FALSE(days.load("# valid until: soon\ndate,kind\n2019-01-01,holiday\n", error));
  EXPECT_FALSE(days.load("# valid until: 2018-12-31\ndate,kind\n2019-01-01,holiday\n", error));
  EXPECT_EQ(days.first_day(), day("2004-01-01"));
}

}  // namespace
}  // namespace huiliu::domain
