#include "connectors/metrics/expected_table.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include <fmt/format.h>

#include "connectors/metrics/label_text.h"
#include "formats/csv.h"
#include "runtime/base/paths.h"

namespace huiliu::connectors::metrics {
namespace {

using runtime::Diagnostics;
using runtime::Place;

constexpr const char* kEvery = "every";
constexpr const char* kRemark = "remark";

class Reader {
 public:
  Reader(std::string path, const std::vector<std::string>& labels, Diagnostics& diagnostics)
      : path_(std::move(path)), labels_(labels), diagnostics_(diagnostics) {}

  Expected run(std::string_view text) {
    formats::CsvRowParser parser;
    for (std::size_t at = 0; at < text.size();) {
      ++line_;
      const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
      const std::string_view row = text.substr(at, end - at);
      at = end;
      if (row.starts_with('#')) continue;
      if (const auto error = parser.parse(row); error != formats::CsvError::kNone) {
        report(std::string(formats::csv_error_text(error)));
      } else if (!parser.is_blank() && !take(parser.cells())) {
        break;
      }
    }
    return std::move(expected_);
  }

 private:
  using Cells = std::vector<std::string_view>;

  void report(std::string message, std::string hint = "") {
    diagnostics_.error({path_, line_, 0}, std::move(message), std::move(hint));
  }

  /// False if the table is of no use.
  bool take(const Cells& cells) {
    if (columns_.empty()) return take_header(cells);
    if (cells.size() == columns_.size()) {
      take_row(cells);
    } else {
      report(fmt::format("the row has {} cells, expected {}", cells.size(), columns_.size()));
    }
    return true;
  }

  bool take_header(const Cells& cells) {
    columns_.assign(cells.begin(), cells.end());
    std::vector<std::string> known = labels_;
    known.emplace_back(kEvery);
    bool good = true;
    for (const std::string& name : known) {
      if (std::count(columns_.begin(), columns_.end(), name) == 1) continue;
      report(fmt::format("expected one column '{}'", name),
             "there is a column for each label, and `every`");
      good = false;
    }
    known.emplace_back(kRemark);
    for (const std::string& column : columns_) {
      if (std::find(known.begin(), known.end(), column) != known.end()) continue;
      report(fmt::format("nothing reads the column '{}'", column),
             "a column for people is named remark");
    }
    return good;
  }

  std::string_view cell(const Cells& cells, std::string_view column) const {
    const auto found = std::find(columns_.begin(), columns_.end(), column);
    return cells[static_cast<std::size_t>(found - columns_.begin())];
  }

  void take_row(const Cells& cells) {
    std::string joined;
    for (const std::string& label : labels_) {
      if (!joined.empty()) joined += kSeparator;
      const std::string_view value = cell(cells, label);
      if (append_label(value, joined)) continue;
      report(fmt::format("the value of '{}' cannot be a label", label),
             fmt::format("labels have at most {} bytes and are no number of a person",
                         kMostLabelBytes));
    }
    const auto every = runtime::parse_duration(cell(cells, kEvery));
    if (!every || every->count() <= 0) {
      report(fmt::format("'{}' is no duration", cell(cells, kEvery)), "write 8h, 1d or 30d");
      return;
    }
    const double seconds = std::chrono::duration<double>(*every).count();
    if (!expected_.emplace(joined, seconds).second) report("these labels are there twice");
  }

  std::string path_;
  const std::vector<std::string>& labels_;
  Diagnostics& diagnostics_;
  int line_ = 0;
  std::vector<std::string> columns_;
  Expected expected_;
};

std::optional<std::string> text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

}  // namespace

Expected load_expected(const runtime::Config& path, const std::vector<std::string>& labels,
                       std::size_t most, Diagnostics& diagnostics) {
  const std::string folder = std::filesystem::path(path.place().file).parent_path().string();
  const std::string resolved = runtime::resolve_path(folder, path.text());
  const auto text = text_of(resolved);
  if (!text) {
    diagnostics.error(path.place(), fmt::format("cannot read the table '{}'", resolved),
                      "paths are relative to the file they are written in");
    return {};
  }
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  std::string_view rest = *text;
  if (rest.starts_with(kByteOrderMark)) rest.remove_prefix(kByteOrderMark.size());
  Expected expected = Reader(resolved, labels, diagnostics).run(rest);
  if (expected.size() > most) {
    diagnostics.error(path.place(), fmt::format("the table has {} rows, and `most_series` is {}",
                                                expected.size(), most));
  }
  return expected;
}

}  // namespace huiliu::connectors::metrics
