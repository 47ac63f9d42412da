#include "operators/cleansing_steps.h"

#include <fmt/format.h>

#include "domain/dates.h"
#include "domain/money.h"
#include "domain/names.h"
#include "domain/subjects.h"
#include "domain/text.h"
#include "domain/timestamps.h"

namespace huiliu::operators {
namespace {

namespace dom = huiliu::domain;

constexpr CleansingFailure kDateFormat = {"E201_FORMAT", "not a date in a known form",
                                          "日期格式不符合要求"};
constexpr CleansingFailure kDateImpossible = {
    "E205_DATE_IMPOSSIBLE", "there is no such day, or it lies before 1900 or after 2100",
    "日期不存在或超出1900至2100年的范围"};
constexpr CleansingFailure kDateAmbiguous = {
    "E206_DATE_AMBIGUOUS_YEAR", "the year has two digits only", "年份只有两位，无法判断世纪"};
constexpr CleansingFailure kDateOpenEnd = {"E207_DATE_OPEN_END",
                                           "an open end such as 长期 is allowed in end dates only",
                                           "“长期”只能用于截止日期"};

constexpr CleansingFailure kAmountFormat = {
    "E208_AMOUNT_FORMAT", "not an amount of money in a known form", "金额格式不符合要求"};
constexpr CleansingFailure kAmountRange = {"E208_AMOUNT_FORMAT", "the amount is too large",
                                           "金额超出范围"};

Cleansed half_width(std::string_view text, std::string& buffer) {
  if (dom::is_half_width(text, false)) return {text};
  dom::half_width_all(text, buffer);
  return {buffer};
}

Cleansed half_width_trim(std::string_view text, std::string& buffer) {
  return {dom::half_width_trim(text, buffer, false)};
}

Cleansed half_width_collapse(std::string_view text, std::string& buffer) {
  return {dom::half_width_trim(text, buffer, true)};
}

/// ASCII blanks only: what the ends of free text may lose without a change of its typography.
Cleansed trim(std::string_view text, std::string&) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return {text};
}

Cleansed collapse_blanks(std::string_view text, std::string& buffer) {
  dom::collapse_blanks(text, buffer);
  return {buffer};
}

Cleansed upper(std::string_view text, std::string& buffer) {
  std::size_t at = 0;
  while (at < text.size() && (text[at] < 'a' || text[at] > 'z')) ++at;
  if (at == text.size()) return {text};
  buffer.assign(text);
  for (; at < buffer.size(); ++at) {
    if (buffer[at] >= 'a' && buffer[at] <= 'z') buffer[at] = static_cast<char>(buffer[at] - 32);
  }
  return {buffer};
}

Cleansed code(std::string_view text, std::string& buffer) {
  return {dom::normalised_code(text, buffer)};
}

Cleansed null_words(std::string_view text, std::string&) {
  return {.text = text, .is_null = dom::is_null_word(text)};
}

// Zeros are codes and amounts here, and stay.
Cleansed no_value_words(std::string_view text, std::string&) {
  const bool digits = text.find_first_not_of("0 ") == std::string_view::npos;
  return {.text = text, .is_null = !(digits && !text.empty()) && dom::is_null_word(text)};
}

Cleansed failed(dom::DateError error) {
  switch (error) {
    case dom::DateError::kAmbiguousYear:
      return {.failure = &kDateAmbiguous};
    case dom::DateError::kImpossible:
    case dom::DateError::kRange:
      return {.failure = &kDateImpossible};
    case dom::DateError::kLongNotAllowed:
      return {.failure = &kDateOpenEnd};
    case dom::DateError::kOk:
    case dom::DateError::kFormat:
      break;
  }
  return {.failure = &kDateFormat};
}

Cleansed iso(dom::Date day, std::string_view text, std::string& buffer) {
  char written[dom::kIsoDateSize];
  dom::format_iso(day, written);
  const std::string_view view(written, dom::kIsoDateSize);
  if (text == view) return {text};
  buffer.assign(view);
  return {buffer};
}

template <dom::LongTerm kLongTerm>
Cleansed date(std::string_view text, std::string& buffer) {
  const dom::ParsedDate parsed = dom::parse_date(text, kLongTerm);
  if (parsed.error != dom::DateError::kOk) return failed(parsed.error);
  return iso(parsed.date, text, buffer);
}

Cleansed timestamp(std::string_view text, std::string& buffer) {
  const dom::ParsedTimestamp parsed = dom::parse_timestamp(text);
  if (parsed.error != dom::DateError::kOk) return failed(parsed.error);
  char written[dom::kTimestampSize];
  const std::string_view view(written, dom::format_timestamp(parsed.utc_ms, written));
  if (text == view) return {text};
  buffer.assign(view);
  return {buffer};
}

Cleansed date_simple(std::string_view text, std::string& buffer) {
  dom::Date day;
  if (dom::parse_date_simple(text, day)) return iso(day, text, buffer);
  // Only for the reason: a day that does not exist, or a form that is not accepted here.
  const dom::DateError error = dom::parse_date(text).error;
  return failed(error == dom::DateError::kImpossible ? error : dom::DateError::kFormat);
}

template <void (*kNormalise)(std::string_view, std::string&)>
Cleansed by(std::string_view text, std::string& buffer) {
  kNormalise(text, buffer);
  return {buffer};
}

Cleansed money_wan(std::string_view text, std::string& buffer) {
  // An empty cell is no amount; "0" is one, and "-" a mistake.
  if (trim(text, buffer).text.empty()) return {.text = text, .is_null = true};
  const dom::ParsedMoney money = dom::parse_wan(text);
  if (money.error != dom::MoneyError::kOk) {
    return {.failure = money.error == dom::MoneyError::kRange ? &kAmountRange : &kAmountFormat};
  }
  dom::MoneyBuffer digits;
  const std::string_view written = dom::format_wan(money.micro_wan, digits);
  if (text == written) return {text};
  buffer.assign(written);
  return {buffer};
}

struct Entry {
  std::string_view name;
  CleansingStep step;
  CleansingStep end_step;  ///< for the ends of periods; null: the same
  std::string_view doc;
};

constexpr Entry kEntries[] = {
    {"half_width", half_width, nullptr,
     "full-width ASCII (U+FF01..U+FF5E) and the ideographic blank become half-width"},
    {"trim", trim, nullptr, "no blanks, tabs and line ends at both ends"},
    {"collapse_blanks", collapse_blanks, nullptr,
     "runs of blanks become one space, none at the ends"},
    {"upper", upper, nullptr, "ASCII letters become capitals"},
    {"null_words", null_words, nullptr,
     "words for \"no value\" (无, 不详, N/A, -, 00000, ...) become null"},
    {"no_value_words", no_value_words, nullptr,
     "the same, but zeros stay: for codes and amounts of which 0 is one"},
    {"text", by<dom::normalise_text>, nullptr,
     "free text: full-width letters and digits become half-width, zero-width characters go, blanks "
     "collapse; Chinese punctuation stays"},
    {"code", code, nullptr, "identifiers: half-width, capitals, no blanks, hyphens and dots"},
    {"name", by<dom::normalise_name>, nullptr,
     "names: brackets become （）, middle dots ·, no blanks in Chinese names"},
    {"name_key", by<dom::name_key>, nullptr,
     "match key of a name: its letters (capitals), digits and Han characters; use `into`"},
    {"doc_no", by<dom::normalise_docno>, nullptr,
     "document numbers: 岩市监罚字（2019）第012号 becomes 岩市监罚字〔2019〕12号"},
    {"money_wan", money_wan, nullptr,
     "amounts (2000元, 贰仟元整, 0.2) become 万元 with six decimals: 0.200000"},
    {"date", date<dom::LongTerm::kRefuse>, date<dom::LongTerm::kAccept>,
     "every form that departments send becomes 2019-03-05; with `end: true` 长期 becomes "
     "2099-12-31"},
    {"timestamp", timestamp, nullptr,
     "points in time as Excel, Java, JavaScript and databases spell them, with or without a zone, "
     "become China's time: 2024-05-30 10:00:00"},
    {"subject_identity", by<dom::identity_of_subject_key>, nullptr,
     "what was the key of a subject until 2026.1 (a credit code, org:CODE, TYPE:NUMBER) becomes "
     "what `identify` makes"},
    {"date_simple", date_simple, nullptr,
     "2019-3-5, 2019/3/5, 20190305 or 2019年3月5日 become 2019-03-05; nothing else"},
};

}  // namespace

CleansingStep find_cleansing_step(std::string_view name, bool end) {
  for (const Entry& entry : kEntries) {
    if (entry.name != name) continue;
    return end && entry.end_step != nullptr ? entry.end_step : entry.step;
  }
  return nullptr;
}

// One pass instead of two or three over the text, mostly without a copy.
void fuse_cleansing_steps(std::vector<CleansingStep>& steps) {
  for (std::size_t i = 0; i + 1 < steps.size(); ++i) {
    if (steps[i] == half_width && steps[i + 1] == trim) {
      steps[i] = half_width_trim;
    } else if ((steps[i] == half_width || steps[i] == half_width_trim) &&
               steps[i + 1] == collapse_blanks) {
      steps[i] = half_width_collapse;
    } else {
      continue;
    }
    steps.erase(steps.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    --i;
  }
}

const std::vector<std::string>& cleansing_step_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> result;
    for (const Entry& entry : kEntries) result.emplace_back(entry.name);
    return result;
  }();
  return names;
}

std::string cleansing_steps_doc() {
  std::string doc;
  for (const Entry& entry : kEntries) doc += fmt::format("- `{}`: {}\n", entry.name, entry.doc);
  return doc;
}

}  // namespace huiliu::operators
