#include "operators/code_table.h"

#include <algorithm>

#include <fmt/format.h>

namespace huiliu::operators {

using runtime::Config;
using runtime::Diagnostics;

namespace {

void report(std::string_view what, const PeriodClash& clash, const CsvTable& csv,
            Diagnostics& diagnostics) {
  const int line = csv.place(clash.before.row).line;
  if (clash.overlap) {
    diagnostics.error(csv.place(clash.after.row),
                      fmt::format("the period of '{}' overlaps that of line {}", what, line),
                      "end the earlier one the day before the later begins");
    return;
  }
  diagnostics.error(csv.place(clash.after.row),
                    fmt::format("'{}' is not in force from {} to {}, between line {} and this",
                                what, day_after(clash.before.period.to, 1),
                                day_after(clash.after.period.from, -1), line),
                    "close the gap, or say that it is meant with the comment `# gaps: allowed`");
}

void check_all(std::string_view what, std::vector<PlacedPeriod> placed, bool gaps,
               const CsvTable& csv, Diagnostics& diagnostics) {
  check_periods(std::move(placed), gaps,
                [&](const PeriodClash& clash) { report(what, clash, csv, diagnostics); });
}

}  // namespace

CodeTable CodeTable::load(const Config& path, const std::string& column, Diagnostics& diagnostics,
                          OutOfDate out_of_date) {
  CodeTable table;
  const CsvTable csv = CsvTable::load(path, {column}, diagnostics, out_of_date);
  const PeriodReader periods(csv, diagnostics);
  TextMap<std::vector<PlacedPeriod>> placed;
  for (std::size_t row = 0; row < csv.rows(); ++row) {
    const std::string_view code = csv.cell(row, column);
    if (code.empty()) {
      diagnostics.error(csv.place(row), fmt::format("the column '{}' is empty", column));
      continue;
    }
    const Period period = periods.read(row);
    table.codes_[std::string(code)].push_back(period);
    table.longest_ = std::max(table.longest_, code.size());
    placed[std::string(code)].push_back({period, row});
  }
  // Codes may repeat under a column that is not the table's key, such as a name.
  const bool once = column == "code" && csv.comment("overlaps") != "allowed";
  for (auto& [code, list] : placed) {
    if (once) check_all(code, std::move(list), gaps_allowed(csv), csv, diagnostics);
  }
  return table;
}

CodeTable::Answer CodeTable::look_up(std::string_view code, std::string_view day) const {
  const auto found = codes_.find(code);
  if (found == codes_.end()) return Answer::kUnknown;
  for (const Period& period : found->second) {
    if (period.contains(day)) return Answer::kInForce;
  }
  return Answer::kNotInForce;
}

std::vector<std::string> CodeTable::codes() const {
  std::vector<std::string> result;
  for (const auto& [code, periods] : codes_) result.push_back(code);
  return result;
}

SynonymTable SynonymTable::load(const Config& path, Diagnostics& diagnostics) {
  SynonymTable table;
  const CsvTable csv = CsvTable::load(path, {"from", "to"}, diagnostics);
  const PeriodReader periods(csv, diagnostics);
  for (std::size_t row = 0; row < csv.rows(); ++row) {
    Entry entry{std::string(csv.cell(row, "department")), std::string(csv.cell(row, "to")),
                periods.read(row), csv.place(row)};
    std::vector<Entry>& entries = table.words_[std::string(csv.cell(row, "from"))];
    for (const Entry& other : entries) {
      const bool same_time = touch(other.period, entry.period) && touch(entry.period, other.period);
      if (other.department != entry.department || other.to == entry.to || !same_time) continue;
      diagnostics.error(entry.place,
                        fmt::format("'{}' becomes '{}' here and '{}' in line {}",
                                    csv.cell(row, "from"), entry.to, other.to, other.place.line),
                        "keep one of the two, or part them by department or by days");
    }
    entries.push_back(std::move(entry));
  }
  return table;
}

const std::string* SynonymTable::find(std::string_view word, std::string_view department,
                                      std::string_view day) const {
  const auto found = words_.find(word);
  if (found == words_.end()) return nullptr;
  const std::string* for_all = nullptr;
  for (const Entry& entry : found->second) {
    if (!entry.period.contains(day)) continue;
    if (entry.department.empty()) {
      for_all = &entry.to;
    } else if (entry.department == department) {
      return &entry.to;
    }
  }
  return for_all;
}

void SynonymTable::check_leads_to(const std::vector<CodeTable>& tables, const std::string& files,
                                  Diagnostics& diagnostics) const {
  std::vector<std::string> codes;
  for (const CodeTable& table : tables) {
    const std::vector<std::string> more = table.codes();
    codes.insert(codes.end(), more.begin(), more.end());
  }
  for (const auto& [word, entries] : words_) {
    for (const Entry& entry : entries) {
      if (std::find(codes.begin(), codes.end(), entry.to) != codes.end()) continue;
      diagnostics.error(entry.place,
                        fmt::format("'{}' becomes '{}', which is not in {}", word, entry.to, files),
                        runtime::nearest_hint(entry.to, codes));
    }
  }
}

NameTable NameTable::load(const Config& path, Diagnostics& diagnostics, OutOfDate out_of_date) {
  NameTable table;
  const CsvTable csv = CsvTable::load(path, {"code", "name"}, diagnostics, out_of_date);
  const PeriodReader periods(csv, diagnostics);
  TextMap<std::vector<PlacedPeriod>> placed;
  for (std::size_t row = 0; row < csv.rows(); ++row) {
    const std::string code(csv.cell(row, "code")), name(csv.cell(row, "name"));
    const Period period = periods.read(row);
    table.bodies_[code].names.push_back({name, period});
    placed[code + " " + name].push_back({period, row});
  }
  for (auto& [name, list] : placed) check_all(name, std::move(list), true, csv, diagnostics);
  for (auto& [code, body] : table.bodies_) {
    std::string names;
    for (const Body::Name& known : body.names) {
      names += fmt::format("{}{}", names.empty() ? "" : ", ", known.name);
      if (known.period.to.empty()) continue;
      names += fmt::format(" (-{})", known.period.to);
    }
    body.message_en = fmt::format(
        "name and code are of different bodies, or the name was not in use on that day: the code "
        "is that of {}; correct the name or the code",
        names);
    body.message_zh = fmt::format(
        "名称与代码不是同一单位，或该名称当时未使用：该代码对应{}，请更正名称或代码", names);
  }
  return table;
}

const NameTable::Body* NameTable::find(std::string_view code) const {
  const auto found = bodies_.find(code);
  return found == bodies_.end() ? nullptr : &found->second;
}

bool NameTable::Body::has(std::string_view name, std::string_view day) const {
  return std::any_of(names.begin(), names.end(), [&](const Name& known) {
    return known.name == name && known.period.contains(day);
  });
}

PermissionTable PermissionTable::load(const Config& path, Diagnostics& diagnostics,
                                      OutOfDate out_of_date) {
  PermissionTable table;
  const CsvTable csv = CsvTable::load(path, {"source", "authority"}, diagnostics, out_of_date);
  const PeriodReader periods(csv, diagnostics);
  for (std::size_t row = 0; row < csv.rows(); ++row) {
    table.sources_[std::string(csv.cell(row, "source"))][std::string(csv.cell(row, "authority"))]
        .push_back(periods.read(row));
  }
  return table;
}

bool PermissionTable::permits(std::string_view source, std::string_view authority,
                              std::string_view day) const {
  if (source == authority) return true;
  const auto found = sources_.find(source);
  if (found == sources_.end()) return false;
  for (const std::string_view to : {authority, std::string_view("*")}) {
    const auto periods = found->second.find(to);
    if (periods == found->second.end()) continue;
    for (const Period& period : periods->second) {
      if (period.contains(day)) return true;
    }
  }
  return false;
}

}  // namespace huiliu::operators
