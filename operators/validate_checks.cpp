#include "operators/validate_checks.h"

#include <charconv>
#include <functional>
#include <optional>

#include <fmt/format.h>

#include "domain/dates.h"
#include "domain/documents.h"
#include "domain/identifiers.h"
#include "domain/money.h"
#include "domain/subjects.h"
#include "domain/timestamps.h"
#include "domain/utf8.h"
#include "operators/condition.h"
#include "operators/field_names.h"
#include "operators/table_checks.h"

namespace huiliu::operators {
namespace {

namespace dom = huiliu::domain;
using runtime::Clock;
using runtime::Config;
using runtime::Diagnostics;
using runtime::Record;
using runtime::Schema;
using runtime::Type;
using runtime::Value;

/// Today in China, by the context's clock; computed once a day.
class Today {
 public:
  dom::Date date(Clock* clock) {
    const std::int32_t day = dom::china_day(clock->now_ms());
    if (day != day_) {
      day_ = day;
      date_ = dom::date_of_days(day);
    }
    return date_;
  }
  std::string_view iso(Clock* clock) {
    dom::format_iso(date(clock), text_);
    return {text_, sizeof text_};
  }

 private:
  std::int32_t day_ = -1;
  dom::Date date_;
  char text_[dom::kIsoDateSize] = {};
};

struct Messages {
  std::string_view code, en, zh;
};

Messages messages_of(dom::CodeError error) {
  using dom::CodeError;
  switch (error) {
    case CodeError::kLength:
      return {"E203_LENGTH", "the code has a wrong number of characters", "代码长度不符合要求"};
    case CodeError::kCharset:
      return {"E204_CHARSET", "the code has characters that are not allowed", "代码含有非法字符"};
    case CodeError::kCheck:
    case CodeError::kInnerCheck:
      return {"E202_CHECK_DIGIT", "the check digit is wrong", "校验码错误"};
    case CodeError::kBirthdate:
    case CodeError::kBirthdateRange:
      return {"E209_BIRTHDATE", "the date of birth in the number is impossible",
              "号码中的出生日期有误"};
    case CodeError::kHead:
    case CodeError::kProvince:
    case CodeError::kPrefix:
    case CodeError::kRegionNotNumeric:
      return {"E201_FORMAT", "the code begins with a combination that does not exist",
              "代码前缀不符合编码规则"};
    case CodeError::kDocumentType:
      return {"E301_NOT_IN_TABLE", "the type of document is not in the list",
              "证件类型不在规定范围内"};
    case CodeError::kNull:
      return {"E101_MISSING", "the code consists of zeros and stands for none", "代码为空值占位"};
    case CodeError::kPattern:
    case CodeError::kOk:
      break;
  }
  return {"E201_FORMAT", "the number has not the form of its kind", "号码格式不符合要求"};
}

Finding found(const Messages& messages, std::size_t field) {
  return {messages.code, messages.en, messages.zh, field};
}

/// Judges fields one by one.
class FieldsCheck : public Check {
 public:
  using Judge = std::function<std::optional<Messages>(const Value&, Clock*)>;
  FieldsCheck(std::vector<std::size_t> fields, bool blank_too, std::vector<Type> types, Judge judge)
      : fields_(std::move(fields)),
        types_(std::move(types)),
        blank_too_(blank_too),
        judge_(std::move(judge)) {}

  const Finding* run(const Record& record, Clock* clock) override {
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      const Value& value = record[fields_[i]];
      if (!blank_too_ && is_blank(value, types_[i])) continue;
      if (const auto messages = judge_(value, clock)) {
        finding_ = found(*messages, fields_[i]);
        return &finding_;
      }
    }
    return nullptr;
  }

 private:
  std::vector<std::size_t> fields_;
  std::vector<Type> types_;
  bool blank_too_;
  Judge judge_;
  Finding finding_;
};

/// Judges the record as a whole.
class RecordCheck final : public Check {
 public:
  using Judge = std::function<std::optional<Finding>(const Record&, Clock*)>;
  explicit RecordCheck(Judge judge) : judge_(std::move(judge)) {}
  const Finding* run(const Record& record, Clock* clock) override {
    const auto finding = judge_(record, clock);
    if (!finding) return nullptr;
    finding_ = *finding;
    return &finding_;
  }

 private:
  Judge judge_;
  Finding finding_;
};

/// The pieces of a rule that makers of checks take.
struct Maker {
  const Config& rule;
  const Schema& schema;
  Diagnostics& diagnostics;

  std::vector<std::size_t> fields() const {
    const bool several = rule.has("fields");
    std::vector<std::size_t> result =
        find_fields(rule[several ? "fields" : "field"], schema, diagnostics);
    if (result.empty()) diagnostics.error(rule.place(), "the check needs a `field`");
    return result;
  }
  std::size_t text_field(std::string_view key) const {
    if (!rule.has(key)) {
      diagnostics.error(rule.place(), fmt::format("the check needs `{}: FIELD`", key));
      return 0;
    }
    return find_text_field(rule[key], schema, diagnostics);
  }
  std::optional<std::size_t> optional_text_field(std::string_view key) const {
    if (!rule.has(key)) return {};
    return text_field(key);
  }
  std::size_t field(std::string_view key) const {
    if (rule.has(key)) return find_field(rule[key], schema, diagnostics);
    diagnostics.error(rule.place(), fmt::format("the check needs `{}: FIELD`", key));
    return 0;
  }
  Type type(std::size_t field) const {
    return field < schema.width() ? schema[field].type : Type::kString;
  }
  std::vector<std::string> words(std::string_view key) const {
    std::vector<std::string> result;
    for (const Config* item : items_of(rule[key])) {
      if (item->is_scalar()) result.push_back(item->text());
    }
    if (result.empty()) diagnostics.error(rule.place(), fmt::format("the check needs `{}`", key));
    return result;
  }
  std::unique_ptr<Check> on_text(FieldsCheck::Judge judge, bool blank_too = false) const {
    std::vector<std::size_t> indexes = fields();
    std::vector<Type> types;
    for (std::size_t index : indexes) {
      types.push_back(type(index));
      if (runtime::is_text(types.back())) continue;
      diagnostics.error(rule.place(),
                        fmt::format("the check needs a field of text, '{}' is {}",
                                    schema[index].name, runtime::type_name(types.back())));
    }
    return std::make_unique<FieldsCheck>(std::move(indexes), blank_too, std::move(types),
                                         std::move(judge));
  }
};

std::unique_ptr<Check> make_required(const Maker& maker) {
  return std::make_unique<RecordCheck>([fields = maker.fields(), schema = maker.schema](
                                           const Record& record, Clock*) -> std::optional<Finding> {
    for (std::size_t field : fields) {
      if (is_blank(record[field], schema[field].type)) {
        return Finding{"E101_MISSING", "a mandatory field is missing", "必填项缺失", field};
      }
    }
    return {};
  });
}

std::unique_ptr<Check> make_absent(const Maker& maker) {
  return std::make_unique<RecordCheck>([fields = maker.fields(), schema = maker.schema](
                                           const Record& record, Clock*) -> std::optional<Finding> {
    for (std::size_t field : fields) {
      if (!is_blank(record[field], schema[field].type)) {
        return Finding{"E403_PARTY_FIELDS", "the field must be empty for this kind of record",
                       "该类记录不应填写此项", field};
      }
    }
    return {};
  });
}

std::unique_ptr<Check> make_one_of(const Maker& maker) {
  std::vector<std::string> words = maker.words("values");
  return maker.on_text(
      [words = std::move(words)](const Value& value, Clock*) -> std::optional<Messages> {
        for (const std::string& word : words) {
          if (value.text() == word) return {};
        }
        return Messages{"E301_NOT_IN_TABLE", "the value is not one of those allowed",
                        "取值不在规定范围内"};
      },
      true);
}

template <dom::CodeError (*kCheck)(std::string_view)>
std::unique_ptr<Check> make_code(const Maker& maker) {
  const bool blank_too = maker.rule.bool_or("blank", false);
  return maker.on_text(
      [](const Value& value, Clock*) -> std::optional<Messages> {
        const dom::CodeError error = kCheck(value.text());
        if (error == dom::CodeError::kOk) return {};
        return messages_of(error);
      },
      blank_too);
}

// `check_digit_only` leaves out what needs no arithmetic: regions, heads, birth dates.
std::unique_ptr<Check> make_uscc(const Maker& maker) {
  if (!maker.rule.bool_or("check_digit_only", false)) return make_code<dom::check_uscc>(maker);
  return maker.on_text(
      [](const Value& value, Clock*) -> std::optional<Messages> {
        if (dom::uscc_check_digit_ok(value.text())) return {};
        const dom::CodeError error = dom::check_uscc(value.text());
        return messages_of(error == dom::CodeError::kOk ? dom::CodeError::kCheck : error);
      },
      maker.rule.bool_or("blank", false));
}

std::unique_ptr<Check> make_id_card(const Maker& maker) {
  const bool blank_too = maker.rule.bool_or("blank", false);
  if (maker.rule.bool_or("check_digit_only", false)) {
    return maker.on_text(
        [](const Value& value, Clock*) -> std::optional<Messages> {
          if (dom::id_card_check_digit_ok(value.text())) return {};
          return messages_of(dom::CodeError::kCheck);
        },
        blank_too);
  }
  return maker.on_text(
      [today = Today()](const Value& value, Clock* clock) mutable -> std::optional<Messages> {
        const dom::CodeError error =
            dom::check_id_card(value.text(), dom::yyyymmdd(today.date(clock)));
        if (error == dom::CodeError::kOk) return {};
        return messages_of(error);
      },
      blank_too);
}

std::unique_ptr<Check> make_document(const Maker& maker) {
  const std::size_t type = maker.text_field("type_field");
  const std::size_t number = maker.text_field("field");
  return std::make_unique<RecordCheck>(
      [=, today = Today()](const Record& record, Clock* clock) mutable -> std::optional<Finding> {
        if (record[number].text().empty()) return {};
        const dom::CodeError error = dom::check_document(record[type].text(), record[number].text(),
                                                         dom::yyyymmdd(today.date(clock)));
        if (error == dom::CodeError::kOk) return {};
        return found(messages_of(error), error == dom::CodeError::kDocumentType ? type : number);
      });
}

std::unique_ptr<Check> make_max_length(const Maker& maker) {
  if (!maker.rule.has("length")) {
    maker.diagnostics.error(maker.rule.place(), "the check needs `length: CHARACTERS`");
    return nullptr;
  }
  const auto length = static_cast<std::size_t>(maker.rule.int_or("length", 0));
  return maker.on_text([length](const Value& value, Clock*) -> std::optional<Messages> {
    const std::string_view text = value.text();
    if (text.size() <= length || dom::count_characters(text) <= length) return {};
    return Messages{"E203_LENGTH", "the text is longer than allowed", "内容超过规定长度"};
  });
}

std::unique_ptr<Check> make_date_order(const Maker& maker) {
  const std::size_t first = maker.text_field("field");
  const std::size_t second = maker.text_field("not_after");
  return std::make_unique<RecordCheck>([=](const Record& record, Clock*) -> std::optional<Finding> {
    const std::string_view from = record[first].text(), to = record[second].text();
    if (from.empty() || to.empty() || from <= to) return {};
    return Finding{"E401_DATE_ORDER", "the dates are in the wrong order", "日期先后顺序有误", first,
                   second};
  });
}

std::unique_ptr<Check> make_not_future(const Maker& maker) {
  return maker.on_text(
      [today = Today()](const Value& value, Clock* clock) mutable -> std::optional<Messages> {
        if (value.text() <= today.iso(clock)) return {};
        return Messages{"E402_DATE_IN_FUTURE", "the date lies in the future", "日期晚于当前日期"};
      });
}

std::optional<double> number_of(const Value& value, Type type) {
  if (value.is_null()) return {};
  if (type == Type::kFloat64) return value.real();
  if (!runtime::is_text(type)) return static_cast<double>(value.integer());
  double number = 0;
  const std::string_view text = value.text();
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

std::unique_ptr<Check> make_positive(const Maker& maker) {
  return std::make_unique<RecordCheck>([fields = maker.fields(), schema = maker.schema](
                                           const Record& record, Clock*) -> std::optional<Finding> {
    for (std::size_t field : fields) {
      if (is_blank(record[field], schema[field].type)) continue;
      const auto number = number_of(record[field], schema[field].type);
      if (number && *number > 0) continue;
      return Finding{"E208_AMOUNT_FORMAT", "the amount must be a number greater than zero",
                     "金额应为大于零的数", field};
    }
    return {};
  });
}

// A bare number above 10,000 in a field of 万元 was most likely meant in 元.
std::unique_ptr<Check> make_unit_suspect(const Maker& maker) {
  const std::size_t field = maker.field("field");
  const Type type = maker.type(field);
  const double limit = maker.rule.has("more_than") ? maker.rule["more_than"].as_float() : 10'000.0;
  return std::make_unique<RecordCheck>([=](const Record& record, Clock*) -> std::optional<Finding> {
    const auto number = number_of(record[field], type);
    if (!number || *number <= limit) return {};
    return Finding{"W208_UNIT_SUSPECT", "the amount may be in yuan instead of 10,000 yuan",
                   "金额单位可疑，可能误填为元", field};
  });
}

// The first characters of a credit code that a category of party may have, e.g. 92 for households.
std::unique_ptr<Check> make_uscc_head(const Maker& maker) {
  std::vector<std::string> heads = maker.words("heads");
  return maker.on_text(
      [heads = std::move(heads)](const Value& value, Clock*) -> std::optional<Messages> {
        for (const std::string& head : heads) {
          if (value.text().starts_with(head)) return {};
        }
        return Messages{"E405_USCC_CATEGORY", "the credit code belongs to another kind of party",
                        "统一社会信用代码与主体类别不符"};
      });
}

std::unique_ptr<Check> make_uscc_known_head(const Maker& maker) {
  return maker.on_text([](const Value& value, Clock*) -> std::optional<Messages> {
    if (dom::uscc_warning(value.text()) == dom::CodeError::kOk) return {};
    return Messages{"W201_USCC_HEAD", "the credit code's head or inner code is not known",
                    "统一社会信用代码的登记机关、类别或主体标识码存疑"};
  });
}

std::unique_ptr<Check> make_contains_requires(const Maker& maker) {
  const std::size_t category = maker.text_field("field");
  const std::vector<std::string> words = maker.words("contains");
  const std::size_t required = maker.field("requires");
  const Type type = maker.type(required);
  return std::make_unique<RecordCheck>([=](const Record& record, Clock*) -> std::optional<Finding> {
    if (!is_blank(record[required], type)) return {};
    for (const std::string& word : words) {
      if (record[category].text().find(word) == std::string_view::npos) continue;
      return Finding{"E404_AMOUNT_REQUIRED", "the category makes this field mandatory",
                     "按该类别此项为必填", required};
    }
    return {};
  });
}

// A body has one organisation code, whichever of its codes it stands in.
std::unique_ptr<Check> make_one_body(const Maker& maker) {
  const std::vector<std::size_t> fields = maker.fields();
  return std::make_unique<RecordCheck>([fields](const Record& record,
                                                Clock*) -> std::optional<Finding> {
    std::string_view known;
    for (std::size_t field : fields) {
      const std::string_view code = record[field].text();
      std::string_view org_code = code.size() == 9 ? code : dom::org_code_of_uscc(code);
      if (org_code.empty()) org_code = dom::org_code_of_tax_no(code);
      if (org_code.empty()) continue;
      if (known.empty()) known = org_code;
      if (org_code == known) continue;
      return Finding{"E407_TWO_BODIES", "the codes of the row are those of two different bodies",
                     "同一行中的代码属于两个不同主体", field};
    }
    return {};
  });
}

// An amount in the column of 万元 that the text gives in 元.
std::unique_ptr<Check> make_unit_of_text(const Maker& maker) {
  const std::size_t amount = maker.text_field("field");
  const std::size_t text = maker.text_field("text");
  return std::make_unique<RecordCheck>([=](const Record& record, Clock*) -> std::optional<Finding> {
    if (record[amount].text().empty()) return {};
    const dom::ParsedMoney money = dom::parse_wan(record[amount].text());
    if (money.error != dom::MoneyError::kOk || money.micro_wan == 0) return {};
    if (!dom::repeats_in_yuan(record[text].text(), money.micro_wan)) return {};
    return Finding{"W208_UNIT", "the text gives this number in yuan, the column is in 10,000 yuan",
                   "正文以元为单位写了同一数字，而本栏单位为万元", amount};
  });
}

// The rule's condition says everything: a record it holds for is at fault.
std::unique_ptr<Check> make_never(const Maker& maker) {
  const std::size_t field = maker.rule.has("field") ? maker.field("field") : 0;
  return std::make_unique<RecordCheck>([field](const Record&, Clock*) {
    return std::optional(Finding{"E403_PARTY_FIELDS",
                                 "the fields of the record contradict each other",
                                 "记录各项内容相互矛盾", field});
  });
}

template <std::unique_ptr<Check> (*kMake)(const Config&, const Schema&, Diagnostics&)>
std::unique_ptr<Check> make_by_table(const Maker& maker) {
  return kMake(maker.rule, maker.schema, maker.diagnostics);
}

struct Entry {
  std::string_view name;
  std::unique_ptr<Check> (*make)(const Maker&);
  std::string_view doc;
};

constexpr Entry kEntries[] = {
    {"required", make_required, "`field(s)` are filled in"},
    {"absent", make_absent, "`field(s)` are empty"},
    {"one_of", make_one_of, "`field(s)` are one of `values`; an empty field is not"},
    {"uscc", make_uscc,
     "unified social credit code, GB 32100 (`check_digit_only: true` for the sum alone)"},
    {"org_code", make_code<dom::check_org_code>, "organisation code, GB 11714"},
    {"registration_number", make_code<dom::check_registration_number>,
     "business registration number, 15 or 13 digits"},
    {"id_card", make_id_card,
     "citizen identification number, GB 11643 (`check_digit_only: true` for the sum alone)"},
    {"document", make_document, "number in `field` fits the 证件类型 in `type_field`"},
    {"max_length", make_max_length, "at most `length` characters"},
    {"date_order", make_date_order, "ISO date in `field` is not after that in `not_after`"},
    {"not_future", make_not_future, "ISO date is not after today (China time, topology's clock)"},
    {"positive", make_positive, "a number greater than zero"},
    {"uscc_head", make_uscc_head, "credit code begins with one of `heads`"},
    {"uscc_known_head", make_uscc_known_head,
     "credit code's department, body type and inner code are known; meant as a warning"},
    {"table", make_by_table<make_table_check>,
     "value stands in the CSV `table` (`column`, default code; valid_from, valid_to judged by the "
     "ISO date in `date`); `separator` (one or a list) for several values, an entry that contains "
     "a separator goes before its parts; `other_prefix` for free text (a hyphen at its end may be "
     "typed as －, —, – or a colon, and something must follow)"},
    {"name_of_code", make_by_table<make_name_of_code_check>,
     "name in `field` is, or was on the ISO date in `date`, that of the body with the code in "
     "`code_field`, by the CSV `table` (code, name, valid_from, valid_to); a code that is not "
     "there passes"},
    {"working_days", make_by_table<make_working_days_check>,
     "date or time in `field` is at most `days` working days after that in `after`, by the CSV "
     "`table` (date, kind: holiday or workday); a date beyond the table is E502_NO_WORKDAYS; meant "
     "as a warning"},
    {"contains_requires", make_contains_requires,
     "if `field` contains one of `contains`, the field `requires` is filled in"},
    {"permitted_source", make_by_table<make_permitted_source_check>,
     "the unit in `source` may upload for the authority in `field`, by the CSV `table` (source, "
     "authority; * = all; valid_from, valid_to judged by the ISO date in `date`); always for "
     "itself"},
    {"unit_suspect", make_unit_suspect,
     "amount in 万元 is at most `more_than` (10000); meant as a warning"},
    {"one_body", make_one_body,
     "the credit code, organisation code and old tax number in `fields` are of one body"},
    {"unit_of_text", make_unit_of_text,
     "the amount in 万元 in `field` is not the number that `text` gives in 元 (2000 beside "
     "罚款2000元); meant as a warning"},
    {"never", make_never, "fails whenever the rule's `when` holds"},
};

}  // namespace

const std::vector<std::string>& check_keys_of_rules() {
  static const std::vector<std::string> keys = {
      "field",     "fields", "values",   "type_field", "length",           "not_after",
      "heads",     "table",  "column",   "date",       "separator",        "other_prefix",
      "source",    "blank",  "contains", "requires",   "check_digit_only", "text",
      "more_than", "after",  "days",     "code_field", "out_of_date"};
  return keys;
}

const std::vector<std::string>& check_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> result;
    for (const Entry& entry : kEntries) result.emplace_back(entry.name);
    return result;
  }();
  return names;
}

std::string checks_doc() {
  std::string doc;
  for (const Entry& entry : kEntries) doc += fmt::format("- `{}`: {}\n", entry.name, entry.doc);
  doc +=
      "\nA table is a CSV file; lines that begin with # are comments. What is wrong in it (cells, "
      "days, periods of one code that overlap or leave a gap, columns that nothing reads) is an "
      "error before start with file and line. Comments that are read: `# valid until: YYYY-MM-DD` "
      "(past it the start is refused; `out_of_date: warn` in the rule goes on with a warning), "
      "`# renew: TEXT` (the remedy it is refused with), `# gaps: allowed`, `# overlaps: allowed` "
      "(several names of one code), `# valid_to: first day "
      "no longer in force` (else valid_to is the last day in force).\n";
  return doc;
}

std::unique_ptr<Check> make_check(const Config& rule, const Schema& schema,
                                  Diagnostics& diagnostics) {
  const std::size_t index =
      find_word(rule.has("check") ? rule["check"] : rule, "check", check_names(), diagnostics);
  if (index == check_names().size()) return nullptr;
  const std::size_t errors = diagnostics.errors();
  auto check = kEntries[index].make({rule, schema, diagnostics});
  return diagnostics.errors() == errors ? std::move(check) : nullptr;
}

}  // namespace huiliu::operators
