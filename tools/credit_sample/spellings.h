#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "tools/credit_sample/random_numbers.h"
#include "tools/credit_sample/row.h"

// The ways departments write one and the same value (domain page, §2.1).
namespace huiliu::tools {

enum class DateStyle {
  kSlashes,          // 2019/03/05, the form of the standard and of a canonical row
  kShort,            // 2019-3-5
  kDigits,           // 20190305
  kChinese,          // 2019年3月5日
  kChineseNumerals,  // 二〇一九年三月五日
  kSerial,           // 43529, days of a spreadsheet
  kEpochMs,          // 1551715200000, midnight at +08:00
  kTimestamp,        // 2019-03-05 10:11:12
  kOffset,           // 2019-03-05T00:00:00.000+0800
  kFullWidth,        // ２０１９．３．５
};
inline constexpr std::size_t kDateStyles = 10;

enum class DocumentStyle { kSquare, kRoundPadded, kBlackBlanks, kFullWidth, kRoundWithYear };
inline constexpr std::size_t kDocumentStyles = 5;

inline constexpr Field kDateFields[] = {Field::kDecidedOn, Field::kValidFrom, Field::kValidTo,
                                        Field::kPublishedUntil, Field::kRemovedOn};

std::string date_text(std::chrono::sys_days day, DateStyle style);

// Each takes canonical text and leaves anything else as it is.
std::string respelled_date(const std::string& canonical, DateStyle style);
std::string respelled_document_no(const std::string& canonical, DocumentStyle style);
std::string full_width(std::string_view ascii);

std::string fine_in_wan(unsigned yuan);       // 2000 -> 0.2
std::string fine_in_capitals(unsigned yuan);  // 2000 -> 贰仟元整
std::string fine_with_commas(unsigned yuan);  // 2000 -> 2,000.00元
unsigned fine_in_yuan(const std::string& wan);

// Sets all dates of a canonical row to `style`; kSerial makes number cells.
void respell_dates(Row& row, DateStyle style);

// Another spelling of the whole canonical row; its content stays the same.
void respell_all(RandomNumbers& random, Row& row);

// Now and then another spelling of some value, as real files have it.
void respell_some(RandomNumbers& random, Row& row);

}  // namespace huiliu::tools
