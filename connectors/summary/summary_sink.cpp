#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include <fmt/format.h>

#include "runtime/base/stored_number.h"
#include "runtime/component/registry.h"

namespace huiliu::connectors {
namespace {

using runtime::OptionType;
using runtime::SinkContext;
using runtime::SinkDeclaration;
using runtime::Status;

constexpr char kSeparator = '\x1f';

/// Field indexes of one input stream.
struct Cell {
  std::size_t row = 0, column = 0, value = 0;
};

/// `row US column US value` lines.
class CellEncoder final : public runtime::SinkEncoder {
 public:
  explicit CellEncoder(Cell cell) : cell_(cell) {}
  const runtime::Reject* encode(const runtime::Record& record, std::string& out) override {
    append(record[cell_.row], out);
    out += kSeparator;
    append(record[cell_.column], out);
    out += kSeparator;
    fmt::format_to(std::back_inserter(out), "{}\n",
                   record[cell_.value].is_null() ? 0 : record[cell_.value].integer());
    return nullptr;
  }

 private:
  static void append(const runtime::Value& value, std::string& out) {
    if (value.is_null()) {
      out += '-';
      return;
    }
    for (const char c : value.text()) out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
  }
  Cell cell_;
};

/// The table in memory is the fold of all rows; each epoch commits the cells it changed.
class SummarySink final : public runtime::EpochSink {
 public:
  explicit SummarySink(const SinkDeclaration& declaration)
      : title_(declaration.config.string_or("title", "")),
        most_(static_cast<std::size_t>(declaration.config.int_or("most", 40))) {
    if (declaration.config.has("total")) totals_ = declaration.config["total"].as_strings();
  }

  Status open(const SinkContext& context) override {
    cells_.clear();
    for (const auto& [key, value] : context.positions)
      cells_[key] = runtime::stored_number<std::int64_t>(value, key);
    return Status::ok();
  }

  Status append(std::string_view bytes, std::uint64_t) override {
    while (!bytes.empty()) {
      const std::string_view line = bytes.substr(0, bytes.find('\n'));
      bytes.remove_prefix(line.size() + 1);
      const auto split = line.rfind(kSeparator);
      std::string key(line.substr(0, split));
      cells_[key] = runtime::stored_number<std::int64_t>(line.substr(split + 1), key);
      changed_.insert(std::move(key));
    }
    return Status::ok();
  }

  Status prepare(std::vector<std::pair<std::string, std::string>>& positions) override {
    for (const std::string& key : changed_) {
      positions.emplace_back(key, std::to_string(cells_[key]));
    }
    changed_.clear();
    return Status::ok();
  }

  Status finish() override {
    const std::string text = render();
    std::fputs(text.c_str(), stdout);
    return Status::ok();
  }

 private:
  using Row = std::map<std::string, std::int64_t>;

  std::string render() const {
    std::map<std::string, Row> rows;
    Row sums;
    for (const auto& [key, value] : cells_) {
      const auto split = key.find(kSeparator);
      rows[key.substr(0, split)][key.substr(split + 1)] = value;
      sums[key.substr(split + 1)] += value;
    }
    std::vector<std::string> columns;
    for (const auto& [name, sum] : sums) columns.push_back(name);
    std::stable_partition(columns.begin(), columns.end(),
                          [this](const std::string& name) { return is_total(name); });
    std::string out = title_.empty() ? "\n" : "\n" + title_ + "\n";
    for (const std::string& name : columns) out += fmt::format("{:>12}", name);
    out += '\n';
    std::size_t shown = 0, unbalanced = 0;
    for (const auto& [name, row] : rows) {
      const bool balances = balanced(row);
      unbalanced += balances ? 0 : 1;
      if (shown < most_ || !balances) {
        ++shown;
        out += line_of(columns, row, name + (balances ? "" : "   DOES NOT BALANCE"));
      }
    }
    if (shown < rows.size()) out += fmt::format("{:>12} more rows\n", rows.size() - shown);
    if (rows.size() > 1) out += line_of(columns, sums, "all");
    if (!totals_.empty()) out += verdict(rows.size(), unbalanced, sums);
    return out;
  }

  bool is_total(const std::string& column) const {
    return std::find(totals_.begin(), totals_.end(), column) != totals_.end();
  }

  std::string verdict(std::size_t rows, std::size_t unbalanced, const Row& columns) const {
    if (unbalanced > 0) return fmt::format("{} of {} rows do not balance\n", unbalanced, rows);
    std::string names;
    for (const std::string& name : totals_) {
      if (&name != &totals_.front() && !columns.contains(name)) continue;
      names += (names.empty() ? "" : " + ") + name;
    }
    return fmt::format("{} = the sum of the others in each of {} rows\n", names, rows);
  }

  bool balanced(const Row& row) const {
    if (totals_.empty()) return true;
    std::int64_t rest = 0, total = 0;
    for (const auto& [name, value] : row) (is_total(name) ? total : rest) += value;
    return rest == total;
  }

  static std::string line_of(const std::vector<std::string>& columns, const Row& row,
                             const std::string& name) {
    std::string out;
    for (const std::string& column : columns) {
      const auto found = row.find(column);
      out += fmt::format("{:>12}", found == row.end() ? 0 : found->second);
    }
    // Last, since names in Chinese have no known width on a terminal.
    return out + "  " + name + "\n";
  }

  std::string title_;
  std::vector<std::string> totals_;
  std::size_t most_;
  std::map<std::string, std::int64_t> cells_;  // row US column → value
  std::set<std::string> changed_;
};

/// The option's field in every input; reports what is missing or of another type.
std::size_t field_of(const SinkDeclaration& declaration, std::string_view option,
                     const runtime::Schema& schema, runtime::Diagnostics* diagnostics) {
  const auto& config = declaration.config[option];
  const std::string name = config.as_string();
  const auto index = schema.index_of(name);
  const bool number = option == "value";
  if (diagnostics == nullptr) return index.value_or(0);
  if (!index) {
    diagnostics->error(config.place(), fmt::format("the input has no field '{}'", name));
  } else if (number != (schema[*index].type == runtime::Type::kInt64) ||
             (!number && !runtime::is_text(schema[*index].type))) {
    diagnostics->error(config.place(),
                       fmt::format("'{}' is not {}", name, number ? "an int64" : "a text"));
  }
  return index.value_or(0);
}

runtime::Descriptor descriptor() {
  runtime::Descriptor d;
  d.name = "summary";
  d.kind = runtime::ComponentKind::kSink;
  d.summary = "Prints a table of counts when a bounded run ends.";
  d.description =
      "Each record is a cell: a row's name, a column's name and the cell's value; a later record "
      "of the same cell replaces it. The cells are part of the epoch's commit, so the table counts "
      "everything since the state began, across restarts and crashes.";
  d.options = {
      {.name = "row", .type = OptionType::kField, .doc = "Text: the row.", .required = true},
      {.name = "column", .type = OptionType::kField, .doc = "Text: the column.", .required = true},
      {.name = "value", .type = OptionType::kField, .doc = "Int64: the cell.", .required = true},
      {.name = "title", .type = OptionType::kString, .doc = "Printed above."},
      {.name = "total",
       .type = OptionType::kList,
       .doc = "Columns whose sum must equal that of the others; a row where it does not is "
              "marked.",
       .members = {{.name = "column", .type = OptionType::kString}}},
      {.name = "most",
       .type = OptionType::kInt,
       .doc = "Rows printed; those that do not balance are always printed.",
       .default_text = "40"}};
  d.traits = {.transactional = true, .reason = "the cells are part of the commit"};
  d.example =
      "type: summary\ninput: counts\nrow: source_file\ncolumn: outcome\nvalue: count\ntotal: "
      "READ\n";
  return d;
}

runtime::SinkType type() {
  runtime::SinkType t;
  t.descriptor = descriptor();
  t.declare = [](SinkDeclaration& declaration) {
    for (const runtime::Schema* schema : declaration.inputs) {
      for (const std::string_view option : {"row", "column", "value"}) {
        field_of(declaration, option, *schema, &declaration.diagnostics);
      }
    }
  };
  t.create_encoder = [](const SinkDeclaration& declaration, std::size_t input) {
    const runtime::Schema& schema = *declaration.inputs[input];
    return std::make_unique<CellEncoder>(Cell{field_of(declaration, "row", schema, nullptr),
                                              field_of(declaration, "column", schema, nullptr),
                                              field_of(declaration, "value", schema, nullptr)});
  };
  t.create_epoch_sink = [](const SinkDeclaration& declaration) {
    return std::make_unique<SummarySink>(declaration);
  };
  return t;
}

const runtime::Registration registration(type());

}  // namespace
}  // namespace huiliu::connectors
