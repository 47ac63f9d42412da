#include "tools/credit_sample/spellings.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace huiliu::tools {
namespace {

using std::chrono::sys_days;

constexpr const char* kNumerals[] = {"〇", "一", "二", "三", "四", "五", "六", "七", "八", "九"};
constexpr const char* kCapitals[] = {"零", "壹", "贰", "叁", "肆", "伍", "陆", "柒", "捌", "玖"};

std::string chinese_up_to_31(unsigned number) {
  std::string text;
  if (number >= 20) text += kNumerals[number / 10];
  if (number >= 10) text += "十";
  if (number % 10 != 0) text += kNumerals[number % 10];
  return text;
}

std::string chinese_numeral_date(unsigned year, unsigned month, unsigned day) {
  std::string text;
  for (const char c : std::to_string(year)) text += kNumerals[c - '0'];
  return text + "年" + chinese_up_to_31(month) + "月" + chinese_up_to_31(day) + "日";
}

bool parse_canonical_date(const std::string& text, sys_days& day) {
  unsigned year = 0;
  unsigned month = 0;
  unsigned of_month = 0;
  if (text.size() != 10 ||
      std::sscanf(text.c_str(), "%4u/%2u/%2u", &year, &month, &of_month) != 3) {
    return false;
  }
  day = std::chrono::year(static_cast<int>(year)) / static_cast<int>(month) /
        static_cast<int>(of_month);
  return true;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

// The four digits below 10,000, without leading zeros.
std::string capital_section(unsigned number) {
  constexpr const char* kUnits[] = {"仟", "佰", "拾", ""};
  std::string text;
  bool zero = false;
  unsigned unit = 1000;
  for (const char* name : kUnits) {
    const unsigned digit = number / unit % 10;
    unit /= 10;
    if (digit == 0) {
      zero = !text.empty();
      continue;
    }
    if (zero) text += kCapitals[0];
    zero = false;
    text.append(kCapitals[digit]).append(name);
  }
  return text;
}

std::string lower_case(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

}  // namespace

std::string date_text(sys_days day, DateStyle style) {
  const std::chrono::year_month_day date(day);
  const int year = int(date.year());
  const unsigned month = unsigned(date.month());
  const unsigned of_month = unsigned(date.day());
  const long days = day.time_since_epoch().count();
  constexpr long kSerialOfEpoch = 25569;
  constexpr long kDayMs = 86'400'000;
  constexpr long kChinaOffsetMs = 28'800'000;
  const char* format = "%04d/%02u/%02u";
  switch (style) {
    case DateStyle::kSlashes:
      break;
    case DateStyle::kShort:
      format = "%d-%u-%u";
      break;
    case DateStyle::kDigits:
      format = "%04d%02u%02u";
      break;
    case DateStyle::kChinese:
      format = "%d年%u月%u日";
      break;
    case DateStyle::kTimestamp:
      format = "%04d-%02u-%02u 10:11:12";
      break;
    case DateStyle::kOffset:
      format = "%04d-%02u-%02uT00:00:00.000+0800";
      break;
    case DateStyle::kChineseNumerals:
      return chinese_numeral_date(static_cast<unsigned>(year), month, of_month);
    case DateStyle::kSerial:
      return std::to_string(days + kSerialOfEpoch);
    case DateStyle::kEpochMs:
      return std::to_string(days * kDayMs - kChinaOffsetMs);
    case DateStyle::kFullWidth:
      return full_width(std::to_string(year) + "." + std::to_string(month) + "." +
                        std::to_string(of_month));
  }
  char text[64];
  const int size = std::snprintf(text, sizeof text, format, year, month, of_month);
  return std::string(text, static_cast<std::size_t>(size));
}

std::string respelled_date(const std::string& canonical, DateStyle style) {
  sys_days day;
  return parse_canonical_date(canonical, day) ? date_text(day, style) : canonical;
}

std::string respelled_document_no(const std::string& canonical, DocumentStyle style) {
  const std::size_t open = canonical.find("〔");
  const std::size_t close = canonical.find("〕");
  if (open == std::string::npos || close == std::string::npos) return canonical;
  const std::string head = canonical.substr(0, open);
  const std::string year = canonical.substr(open + 3, close - open - 3);
  const std::string tail = canonical.substr(close + 3);
  switch (style) {
    case DocumentStyle::kSquare:
      return head + "[" + year + "]" + tail;
    case DocumentStyle::kRoundPadded:
      return head + "（" + year + "）第0" + tail;
    case DocumentStyle::kBlackBlanks:
      return head + "【" + year + "】 " + replaced(tail, "号", " 号");
    case DocumentStyle::kFullWidth:
      return head + "［" + full_width(year) + "］" + tail;
    case DocumentStyle::kRoundWithYear:
      return head + "(" + year + "年)" + tail;
  }
  return canonical;
}

std::string full_width(std::string_view ascii) {
  std::string wide;
  for (const char c : ascii) {
    const unsigned code = static_cast<unsigned char>(c) + 0xFEE0u;
    wide += static_cast<char>(0xE0 | (code >> 12));
    wide += static_cast<char>(0x80 | ((code >> 6) & 63));
    wide += static_cast<char>(0x80 | (code & 63));
  }
  return wide;
}

std::string fine_in_wan(unsigned yuan) {
  char text[32];
  std::snprintf(text, sizeof text, "%u.%04u", yuan / 10000, yuan % 10000);
  std::string wan = text;
  while (wan.back() == '0') wan.pop_back();
  if (wan.back() == '.') wan.pop_back();
  return wan;
}

std::string fine_in_capitals(unsigned yuan) {
  std::string text;
  if (yuan >= 10000) text = capital_section(yuan / 10000) + "万";
  const unsigned rest = yuan % 10000;
  if (!text.empty() && rest > 0 && rest < 1000) text += kCapitals[0];
  return text + capital_section(rest) + "元整";
}

std::string fine_with_commas(unsigned yuan) {
  std::string digits = std::to_string(yuan);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
  return digits + ".00元";
}

unsigned fine_in_yuan(const std::string& wan) {
  return static_cast<unsigned>(std::lround(std::strtod(wan.c_str(), nullptr) * 10000));
}

void respell_dates(Row& row, DateStyle style) {
  for (const Field field : kDateFields) {
    if (row[field].empty()) continue;
    row[field] = respelled_date(row[field], style);
    if (style == DateStyle::kSerial) row.mark_numeric(field);
  }
}

void respell_all(RandomNumbers& random, Row& row) {
  respell_dates(row, static_cast<DateStyle>(1 + random.below(kDateStyles - 1)));
  row[Field::kDocumentNo] = respelled_document_no(
      row[Field::kDocumentNo], static_cast<DocumentStyle>(random.below(kDocumentStyles)));
  const std::string brackets = replaced(replaced(row[Field::kName], "（", "("), "）", ")");
  row[Field::kName].assign("　").append(brackets).append(" ");
  for (const Field code : {Field::kUscc, Field::kPersonDocumentNo}) {
    row[code] = random.below(2) != 0 ? full_width(row[code]) : lower_case(row[code]);
  }
  if (!row[Field::kFine].empty()) {
    row[Field::kFine] = fine_with_commas(fine_in_yuan(row[Field::kFine]));
  }
}

void respell_some(RandomNumbers& random, Row& row) {
  if (random.percent(20)) {
    respell_dates(row, static_cast<DateStyle>(random.below(kDateStyles)));
  }
  if (random.percent(20)) {
    row[Field::kDocumentNo] = respelled_document_no(
        row[Field::kDocumentNo], static_cast<DocumentStyle>(random.below(kDocumentStyles)));
  }
  if (random.percent(5)) row[Field::kName] += " ";
  if (random.percent(5)) row[Field::kUscc] = lower_case(row[Field::kUscc]);
}

}  // namespace huiliu::tools
