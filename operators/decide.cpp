#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "domain/dates.h"
#include "domain/money.h"
#include "operators/code_table.h"
#include "operators/field_names.h"
#include "operators/periods.h"
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

enum class How { kEquals, kContains, kAtLeast };
const std::vector<std::string>& how_names() {
  static const std::vector<std::string> names = {"equals", "contains", "at_least"};
  return names;
}

/// A column of the table that a field of the record is held against.
struct Match {
  std::string column;
  std::size_t field = 0;
  How how = How::kEquals;
  std::optional<std::size_t> text;  ///< may say that an amount was typed in 元 and not in 万元
};

/// What one cell asks for. An empty cell asks for nothing.
struct Cell {
  std::vector<std::string> words;
  std::optional<double> least;
};

/// A field that is set from a column, or a day some months behind another.
struct Made {
  std::size_t slot = 0;
  std::string column;
  std::optional<std::size_t> from;  ///< field with the day that the column's months are added to
};

struct Row {
  std::vector<Cell> cells;        ///< one per match
  std::vector<std::string> made;  ///< one per made field: the text, or the months
  Period period;
  runtime::Place place;
  std::string asked;  ///< the match cells as they stand, to tell rows apart
};

/// The config and the table, resolved against the input's schema.
struct Table {
  Schema output;
  std::vector<Match> matches;
  std::vector<Made> made;
  std::vector<Row> rows;
  std::optional<std::size_t> date;
};

std::vector<std::string> split(std::string_view text, char by) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t cut = std::min(text.find(by), text.size());
    parts.emplace_back(text.substr(0, cut));
    text.remove_prefix(std::min(cut + 1, text.size()));
  }
  return parts;
}

std::optional<double> number_of(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

/// Reads the options and the table; what is wrong is said at its place in either file.
class Loader {
 public:
  Loader(const Declaration& declaration)
      : config_(declaration.config),
        input_(declaration.input()),
        diagnostics_(declaration.diagnostics) {}

  Table load() {
    table_.output = input_;
    if (config_.has("date")) table_.date = find_text_field(config_["date"], input_, diagnostics_);
    parse_matches();
    parse_made();
    std::vector<std::string> columns = {"valid_from", "valid_to"};
    for (const Match& match : table_.matches) columns.push_back(match.column);
    for (const Made& made : table_.made) columns.push_back(made.column);
    const CsvTable csv = CsvTable::load(config_["table"], columns, diagnostics_);
    const PeriodReader periods(csv, diagnostics_);
    for (std::size_t row = 0; row < csv.rows(); ++row) take_row(csv, row, periods);
    check_rows(csv);
    check_codes();
    return std::move(table_);
  }

 private:
  void parse_matches() {
    for (const auto& [column, node] : config_["match"].entries()) {
      Match& match = table_.matches.emplace_back();
      match.column = column;
      if (!node.is_map()) {
        match.field = find_text_field(node, input_, diagnostics_);
        continue;
      }
      for (const auto& [how, field] : node.entries()) {
        if (how == "text" && node.has("at_least")) {
          match.text = find_text_field(field, input_, diagnostics_);
          continue;
        }
        const std::size_t index = find_word(Config::scalar(how, node.key_place(how)), "comparison",
                                            how_names(), diagnostics_);
        if (index < how_names().size()) match.how = static_cast<How>(index);
        match.field = find_text_field(field, input_, diagnostics_);
      }
    }
  }

  std::size_t add(const std::string& name, const Config& node) {
    const std::size_t slot = table_.output.add(name, Type::kString);
    if (!runtime::is_text(table_.output[slot].type)) {
      diagnostics_.error(node.place(), fmt::format("the field '{}' must be text", name));
    }
    return slot;
  }

  void parse_made() {
    for (const auto& [name, column] : config_["set"].entries()) {
      table_.made.push_back({add(name, column), column.text(), {}});
    }
    for (const auto& [name, node] : config_["add_months"].entries()) {
      if (!node.is_map() || !node.has("to") || !node.has("months")) {
        diagnostics_.error(node.place(), "expected {to: FIELD, months: COLUMN}");
        continue;
      }
      check_keys(node, {"to", "months"}, diagnostics_);
      table_.made.push_back({add(name, node), node["months"].text(),
                             find_text_field(node["to"], input_, diagnostics_)});
    }
  }

  void take_row(const CsvTable& csv, std::size_t index, const PeriodReader& periods) {
    Row& row = table_.rows.emplace_back();
    row.place = csv.place(index);
    row.period = periods.read(index);
    for (const Match& match : table_.matches) {
      const std::string_view text = csv.cell(index, match.column);
      row.asked.append(text).push_back('\n');
      Cell& cell = row.cells.emplace_back();
      if (match.how != How::kAtLeast) {
        cell.words = split(text, '|');
      } else if (!text.empty()) {
        cell.least = number_of(text);
        if (!cell.least) diagnostics_.error(row.place, fmt::format("'{}' is no number", text));
      }
    }
    for (const Made& made : table_.made) {
      const std::string_view text = csv.cell(index, made.column);
      row.made.emplace_back(text);
      if (!made.from || text.empty()) continue;
      const auto months = number_of(text);
      if (months && *months >= 0 && *months <= 1200) continue;
      diagnostics_.error(row.place, fmt::format("'{}' is no number of months", text));
    }
  }

  // Rows that ask for the same follow each other in time without a gap, and do not overlap.
  void check_rows(const CsvTable& csv) {
    TextMap<std::vector<PlacedPeriod>> groups;
    for (std::size_t i = 0; i < table_.rows.size(); ++i) {
      groups[table_.rows[i].asked].push_back({table_.rows[i].period, i});
    }
    for (auto& [asked, periods] : groups) {
      check_periods(std::move(periods), gaps_allowed(csv),
                    [&](const PeriodClash& clash) { report(csv, clash); });
    }
  }

  void report(const CsvTable& csv, const PeriodClash& clash) {
    const int line = csv.place(clash.before.row).line;
    const std::string& from = clash.after.period.from;
    if (clash.overlap) {
      diagnostics_.error(
          csv.place(clash.after.row),
          fmt::format("the row of line {} asks for the same and is still in force on {}", line,
                      from),
          "end it on the day before");
      return;
    }
    diagnostics_.error(csv.place(clash.after.row),
                       fmt::format("nothing is in force between {} (line {}) and {}",
                                   clash.before.period.to, line, from),
                       "close the gap, or write `# gaps: allowed` into the table");
  }

  // Words that no code of their table has would never match.
  void check_codes() {
    for (const auto& [column, node] : config_["codes"].entries()) {
      const auto match = std::find_if(table_.matches.begin(), table_.matches.end(),
                                      [&column](const Match& one) { return one.column == column; });
      if (match == table_.matches.end()) {
        diagnostics_.error(node.place(), fmt::format("'{}' is no column of `match`", column));
        continue;
      }
      const CodeTable codes = CodeTable::load(node, "code", diagnostics_);
      const std::vector<std::string> known = codes.codes();
      const auto index = static_cast<std::size_t>(match - table_.matches.begin());
      for (const Row& row : table_.rows) {
        for (const std::string& word : row.cells[index].words) {
          const bool found = std::any_of(known.begin(), known.end(), [&](const std::string& code) {
            return match->how == How::kContains ? code.find(word) != std::string::npos
                                                : code == word;
          });
          if (found) continue;
          diagnostics_.error(row.place,
                             fmt::format("'{}' is in no code of '{}'", word, node.text()),
                             runtime::nearest_hint(word, known));
        }
      }
    }
  }

  const Config& config_;
  const Schema& input_;
  Diagnostics& diagnostics_;
  Table table_;
};

/// The day some months later, the last of its month if it has no such day.
domain::Date months_later(domain::Date day, int months) {
  const int month = day.month - 1 + months;
  domain::Date later{day.year + month / 12, month % 12 + 1, day.day};
  while (!domain::is_calendar_day(later.year, later.month, later.day)) --later.day;
  return later;
}

class Decide final : public runtime::Operator {
 public:
  Decide(Table table, std::size_t input_width)
      : table_(std::move(table)), input_width_(input_width) {}

  void process(std::size_t /*input*/, Record& record, Outputs& out) override {
    const Row* row = find(record);
    for (std::size_t i = input_width_; i < table_.output.width(); ++i) record[i] = Value();
    record.width = static_cast<std::uint32_t>(table_.output.width());
    if (row != nullptr) {
      for (std::size_t i = 0; i < table_.made.size(); ++i) {
        record[table_.made[i].slot] = make(table_.made[i], row->made[i], record, out);
      }
    }
    out.emit(record);
  }

 private:
  const Row* find(const Record& record) const {
    const std::string_view day = table_.date ? record[*table_.date].text() : std::string_view{};
    for (const Row& row : table_.rows) {
      if (row.period.contains(day) && fits(row, record)) return &row;
    }
    return nullptr;
  }

  bool fits(const Row& row, const Record& record) const {
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      const Cell& cell = row.cells[i];
      const std::string_view text = record[table_.matches[i].field].text();
      if (cell.least && !is_least(table_.matches[i], *cell.least, record)) return false;
      if (cell.words.empty()) continue;
      const bool contains = table_.matches[i].how == How::kContains;
      const bool found =
          std::any_of(cell.words.begin(), cell.words.end(), [&](const std::string& word) {
            return contains ? text.find(word) != std::string_view::npos : text == word;
          });
      if (!found) return false;
    }
    return true;
  }

  // An amount whose unit is in doubt is not held to be large.
  static bool is_least(const Match& match, double least, const Record& record) {
    const std::string_view text = record[match.field].text();
    const auto number = number_of(text);
    if (!number || *number < least) return false;
    if (!match.text) return true;
    const domain::ParsedMoney money = domain::parse_wan(text);
    return !domain::is_unit_suspect(money) &&
           !domain::repeats_in_yuan(record[*match.text].text(), money.micro_wan);
  }

  static Value make(const Made& made, const std::string& cell, const Record& record, Outputs& out) {
    if (cell.empty()) return {};
    if (!made.from) return Value::of_text(cell);
    domain::Date day;
    if (!domain::parse_date_simple(record[*made.from].text(), day)) return {};
    char iso[domain::kIsoDateSize];
    domain::format_iso(months_later(day, static_cast<int>(*number_of(cell))), iso);
    return Value::of_text(out.arena().copy({iso, sizeof iso}));
  }

  Table table_;
  std::size_t input_width_;
};

const runtime::Registration registration(runtime::OperatorType{
    .descriptor =
        {.name = "decide",
         .summary = "Sets fields by a decision table: the first row that fits.",
         .description =
             "The table is a CSV file with columns that the record is held against (`match`), the "
             "columns `valid_from` and `valid_to` (the last day), and columns that are set. An "
             "empty cell asks for nothing; several words in a cell are separated by `|`, and one "
             "of them must fit. A record that no row fits gets nulls. Before the start the table "
             "is checked: days, numbers, words that are in no code table, and rows that ask for "
             "the same and overlap or leave a gap between them.",
         .options =
             {{.name = "table", .type = OptionType::kAny, .doc = "CSV file.", .required = true},
              {.name = "date",
               .type = OptionType::kField,
               .doc = "Field with the ISO day on which a row must be in force."},
              {.name = "match",
               .type = OptionType::kMap,
               .doc = "Column -> field that must equal it, or {contains: field} or {at_least: "
                      "field} (a number). {at_least: field, text: field} is for amounts in 万元: "
                      "one above 10,000, or one that the text gives in 元 (2000 beside "
                      "罚款2000元), was most likely typed in 元 and reaches nothing.",
               .required = true,
               .members = {{.name = "field", .type = OptionType::kAny}}},
              {.name = "set",
               .type = OptionType::kMap,
               .doc = "Field -> column that it gets its text from.",
               .members = {{.name = "column", .type = OptionType::kString}}},
              {.name = "add_months",
               .type = OptionType::kMap,
               .doc = "Field -> {to: field with a day, months: column}: the day so many months "
                      "later, or the last of that month.",
               .members = {{.name = "months", .type = OptionType::kAny}}},
              {.name = "codes",
               .type = OptionType::kMap,
               .doc = "Column of `match` -> code table that its words must be found in.",
               .members = {{.name = "table", .type = OptionType::kAny}}}},
         .changes = runtime::Changes::kPassedOn,
         .outputs = {},
         .example = "type: decide\ntable: terms.csv\ndate: decided_at\n"
                    "match: {kind: kind, words: {contains: content}}\nset: {class: class}\n"
                    "add_months: {ends: {to: decided_at, months: months}}\n"},
    .declare =
        [](Declaration& declaration) { declaration.output = Loader(declaration).load().output; },
    .create = [](const Declaration& declaration) -> std::unique_ptr<runtime::Operator> {
      return std::make_unique<Decide>(Loader(declaration).load(), declaration.input().width());
    }});

}  // namespace
}  // namespace huiliu::operators
