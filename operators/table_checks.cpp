#include "operators/table_checks.h"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "operators/code_parts.h"
#include "operators/code_table.h"
#include "operators/field_names.h"
#include "operators/workday_table.h"

namespace huiliu::operators {

using runtime::Clock;
using runtime::Config;
using runtime::Diagnostics;
using runtime::Record;
using runtime::Schema;

namespace {

std::size_t text_field(const Config& rule, std::string_view key, const Schema& schema,
                       Diagnostics& diagnostics) {
  if (rule.has(key)) return find_text_field(rule[key], schema, diagnostics);
  diagnostics.error(rule.place(), fmt::format("the check needs `{}: FIELD`", key));
  return 0;
}

std::optional<std::size_t> optional_text_field(const Config& rule, std::string_view key,
                                               const Schema& schema, Diagnostics& diagnostics) {
  if (!rule.has(key)) return {};
  return find_text_field(rule[key], schema, diagnostics);
}

/// The ISO day that a record is judged by; empty if no field was named or it holds no day.
std::string_view day_of(const Record& record, const std::optional<std::size_t>& field) {
  return field ? iso_day_of(record[*field].text()) : std::string_view{};
}

class TableCheck final : public Check {
 public:
  TableCheck(std::vector<std::size_t> fields, std::optional<std::size_t> day, CodeParts parts)
      : fields_(std::move(fields)), day_(day), parts_(std::move(parts)) {}

  const Finding* run(const Record& record, Clock*) override {
    const std::string_view day = day_of(record, day_);
    for (std::size_t field : fields_) {
      const std::string_view text = record[field].text();
      if (text.empty()) continue;
      const CodeParts::Answer answer = parts_.judge(text, day);
      if (answer == CodeParts::Answer::kInForce) continue;
      finding_ = finding_of(answer);
      finding_.field = field;
      return &finding_;
    }
    return nullptr;
  }

 private:
  static Finding finding_of(CodeParts::Answer answer) {
    switch (answer) {
      case CodeParts::Answer::kNotInForce:
        return {"E301_NOT_IN_TABLE", "the value was not in force on the record's date",
                "取值在记录日期不在有效期内"};
      case CodeParts::Answer::kNoFreeText:
        return {"E301_NOT_IN_TABLE", "say behind the hyphen what the other kind is",
                "选择其他时，请在“-”后注明具体内容"};
      default:
        return {"E301_NOT_IN_TABLE", "the value is not in the code table: use one of its values",
                "取值不在代码表中，请改用代码表中的取值"};
    }
  }

  std::vector<std::size_t> fields_;
  std::optional<std::size_t> day_;
  CodeParts parts_;
  Finding finding_;
};

class PermittedSource final : public Check {
 public:
  PermittedSource(std::size_t source, std::size_t authority, std::optional<std::size_t> day,
                  PermissionTable table)
      : source_(source), authority_(authority), day_(day), table_(std::move(table)) {}

  const Finding* run(const Record& record, Clock*) override {
    if (table_.permits(record[source_].text(), record[authority_].text(), day_of(record, day_))) {
      return nullptr;
    }
    finding_.field = authority_;
    return &finding_;
  }

 private:
  std::size_t source_, authority_;
  std::optional<std::size_t> day_;
  PermissionTable table_;
  Finding finding_{"E701_NOT_PERMITTED", "the source may not upload for this authority",
                   "数据来源单位无权为该机关报送"};
};

class NameOfCode final : public Check {
 public:
  NameOfCode(std::size_t name, std::size_t code, std::optional<std::size_t> day, NameTable table)
      : name_(name), code_(code), day_(day), table_(std::move(table)) {}

  const Finding* run(const Record& record, Clock*) override {
    const std::string_view name = record[name_].text();
    const std::string_view code = record[code_].text();
    if (name.empty() || code.empty()) return nullptr;
    const NameTable::Body* body = table_.find(code);
    if (body == nullptr || body->has(name, day_of(record, day_))) return nullptr;
    finding_ = {"E406_AUTHORITY_NAME", body->message_en, body->message_zh, name_};
    return &finding_;
  }

 private:
  std::size_t name_, code_;
  std::optional<std::size_t> day_;
  NameTable table_;
  Finding finding_;
};

class WorkingDays final : public Check {
 public:
  WorkingDays(std::size_t field, std::size_t after, std::int64_t most, WorkdayTable table)
      : field_(field), after_(after), most_(most), table_(std::move(table)) {
    late_en_ = fmt::format(
        "reported more than {} working days after the decision: report the next one in time", most);
    late_zh_ = fmt::format("迟报：超过决定之日起{}个工作日，请今后按时报送", most);
  }

  const Finding* run(const Record& record, Clock*) override {
    const std::string_view text = record[field_].text(), start = record[after_].text();
    if (text.empty() || start.empty()) return nullptr;
    const auto from = WorkdayTable::day_of(start);
    const auto to = WorkdayTable::day_of(text);
    // Whether a date is one at all is another check's question.
    if (!from || !to) return nullptr;
    if (!table_.covers(*to)) {
      finding_ = {"E502_NO_WORKDAYS",
                  "the table of working days ends before this date: replace the table",
                  "工作日历未覆盖该日期，请更新工作日表", field_};
      return &finding_;
    }
    if (table_.between(*from, *to) <= most_) return nullptr;
    finding_ = {"E501_OVERDUE", late_en_, late_zh_, field_};
    return &finding_;
  }

 private:
  std::size_t field_, after_;
  std::int64_t most_;
  WorkdayTable table_;
  std::string late_en_, late_zh_;
  Finding finding_;
};

// Separators may be several; one alone may stand without a list.
std::vector<std::string> separators_of(const Config& rule, Diagnostics& diagnostics) {
  std::vector<std::string> separators;
  for (const Config* item : items_of(rule["separator"])) {
    if (!item->is_scalar() || item->text().empty()) {
      diagnostics.error(item->place(), "expected what stands between two values, such as ;");
      continue;
    }
    separators.push_back(item->text());
  }
  return separators;
}

}  // namespace

std::unique_ptr<Check> make_table_check(const Config& rule, const Schema& schema,
                                        Diagnostics& diagnostics) {
  const bool several = rule.has("fields");
  std::vector<std::size_t> fields =
      find_fields(rule[several ? "fields" : "field"], schema, diagnostics);
  if (fields.empty()) diagnostics.error(rule.place(), "the check needs a `field`");
  const auto day = optional_text_field(rule, "date", schema, diagnostics);
  CodeTable table = CodeTable::load(rule["table"], rule.string_or("column", "code"), diagnostics,
                                    out_of_date_of(rule, diagnostics));
  return std::make_unique<TableCheck>(std::move(fields), day,
                                      CodeParts(std::move(table), separators_of(rule, diagnostics),
                                                rule["other_prefix"].as_strings()));
}

std::unique_ptr<Check> make_permitted_source_check(const Config& rule, const Schema& schema,
                                                   Diagnostics& diagnostics) {
  const std::size_t source = text_field(rule, "source", schema, diagnostics);
  const std::size_t authority = text_field(rule, "field", schema, diagnostics);
  const auto day = optional_text_field(rule, "date", schema, diagnostics);
  return std::make_unique<PermittedSource>(
      source, authority, day,
      PermissionTable::load(rule["table"], diagnostics, out_of_date_of(rule, diagnostics)));
}

std::unique_ptr<Check> make_name_of_code_check(const Config& rule, const Schema& schema,
                                               Diagnostics& diagnostics) {
  const std::size_t name = text_field(rule, "field", schema, diagnostics);
  const std::size_t code = text_field(rule, "code_field", schema, diagnostics);
  const auto day = optional_text_field(rule, "date", schema, diagnostics);
  return std::make_unique<NameOfCode>(
      name, code, day,
      NameTable::load(rule["table"], diagnostics, out_of_date_of(rule, diagnostics)));
}

std::unique_ptr<Check> make_working_days_check(const Config& rule, const Schema& schema,
                                               Diagnostics& diagnostics) {
  const std::size_t field = text_field(rule, "field", schema, diagnostics);
  const std::size_t after = text_field(rule, "after", schema, diagnostics);
  const std::int64_t most = rule.int_or("days", 0);
  if (most <= 0) diagnostics.error(rule.place(), "the check needs `days: WORKING_DAYS`");
  return std::make_unique<WorkingDays>(
      field, after, most,
      WorkdayTable::load(rule["table"], diagnostics, out_of_date_of(rule, diagnostics)));
}

}  // namespace huiliu::operators
