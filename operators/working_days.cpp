#include <fmt/format.h>

#include "operators/field_names.h"
#include "operators/workday_table.h"
#include "runtime/component/registry.h"

namespace huiliu::operators {
namespace {

using runtime::Config;
using runtime::Declaration;
using runtime::Diagnostics;
using runtime::OptionType;
using runtime::Outputs;
using runtime::Record;
using runtime::Schema;
using runtime::Type;
using runtime::Value;

struct Plan {
  std::size_t field = 0;
  std::size_t after = 0;
  std::int64_t days = 0;
  WorkdayTable table;
  std::string in_time, late;
};

class WorkingDays final : public runtime::Operator {
 public:
  WorkingDays(Plan plan, std::size_t width) : plan_(std::move(plan)), width_(width) {}

  void process(std::size_t /*input*/, Record& record, Outputs& out) override {
    record[width_] = Value();
    record[width_ + 1] = Value();
    record.width = static_cast<std::uint32_t>(width_ + 2);
    judge(record);
    out.emit(record);
  }

 private:
  void judge(Record& record) const {
    const std::string_view end = record[plan_.field].text();
    const std::string_view start = record[plan_.after].text();
    if (end.empty() || start.empty()) return;
    const auto from = WorkdayTable::day_of(start);
    const auto to = WorkdayTable::day_of(end);
    if (!from || !to || !plan_.table.covers(*to)) return;
    const std::int64_t taken = plan_.table.between(*from, *to);
    record[width_] = Value::of_integer(taken);
    // The words live as long as the operator does, like a table's.
    record[width_ + 1] = Value::of_text(taken <= plan_.days ? plan_.in_time : plan_.late);
  }

  Plan plan_;
  std::size_t width_;
};

Plan parse(const Declaration& declaration, Diagnostics& diagnostics) {
  const Config& config = declaration.config;
  const Schema& input = declaration.input();
  Plan plan;
  plan.field = find_text_field(config["field"], input, diagnostics);
  plan.after = find_text_field(config["after"], input, diagnostics);
  plan.days = config["days"].as_int();
  if (plan.days <= 0) {
    diagnostics.error(config["days"].place(), "expected a number of working days above 0");
  }
  plan.table =
      WorkdayTable::load(config["table"], diagnostics, out_of_date_of(config, diagnostics));
  plan.in_time = config["in_time"].text();
  plan.late = config["late"].text();
  return plan;
}

void declare(Declaration& declaration) {
  const Config& config = declaration.config;
  parse(declaration, declaration.diagnostics);
  declaration.output = declaration.input();
  for (const char* option : {"into", "verdict"}) {
    const std::string& name = config[option].text();
    if (declaration.output.index_of(name)) {
      declaration.diagnostics.error(config[option].place(),
                                    fmt::format("there is a field '{}' already", name));
    }
    declaration.output.add(name, option[0] == 'i' ? Type::kInt64 : Type::kString);
  }
}

const runtime::Registration registration(runtime::OperatorType{
    .descriptor =
        {.name = "working_days",
         .summary = "Appends the working days between two dates, and whether they kept a limit.",
         .description =
             "Counts the working days after the day in `after` up to and with the day in `field` "
             "(0 "
             "if that is not later), by a table of legal holidays and make-up working days. Both "
             "fields hold an ISO day, with or without a time, or any spelling that the step `date` "
             "of `normalise` reads. The two appended fields are null when a day is missing or no "
             "day, or when the table ends before the day in `field`.",
         .options = {{.name = "field",
                      .type = OptionType::kField,
                      .doc = "Field of the later day, such as the day of the report.",
                      .required = true},
                     {.name = "after",
                      .type = OptionType::kField,
                      .doc = "Field of the earlier day, such as the day of the decision.",
                      .required = true},
                     {.name = "days",
                      .type = OptionType::kInt,
                      .doc = "Working days that are in time.",
                      .required = true},
                     {.name = "table",
                      .doc = "CSV file (date, kind: holiday or workday; other days work from "
                             "Monday to Friday). It must cover today: `# valid until: YYYY-MM-DD`, "
                             "or else its last day, is checked before start.",
                      .required = true},
                     {.name = "out_of_date",
                      .type = OptionType::kEnum,
                      .doc = "What a table that ends before today is: an error before start, or a "
                             "warning.",
                      .default_text = "error",
                      .choices = {"error", "warn"}},
                     {.name = "into",
                      .doc = "Name of the field for the number of working days.",
                      .default_text = "working_days"},
                     {.name = "verdict",
                      .doc = "Name of the field for the verdict.",
                      .default_text = "timeliness"},
                     {.name = "in_time",
                      .doc = "Verdict when the limit was kept.",
                      .default_text = "及时"},
                     {.name = "late", .doc = "Verdict when it was not.", .default_text = "迟报"}},
         .changes = runtime::Changes::kPassedOn,
         .example = "type: working_days\nfield: updated_at\nafter: decided_at\ndays: 7\n"
                    "table: workdays.csv\n"},
    .declare = declare,
    .create = [](const Declaration& declaration) -> std::unique_ptr<runtime::Operator> {
      return std::make_unique<WorkingDays>(parse(declaration, declaration.diagnostics),
                                           declaration.input().width());
    }});

}  // namespace
}  // namespace huiliu::operators
