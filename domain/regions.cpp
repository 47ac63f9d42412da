#include "domain/regions.h"

#include <algorithm>
#include <array>
#include <limits>
#include <tuple>
#include <utility>

#include "domain/dates.h"
#include "domain/table_lines.h"

namespace huiliu::domain {
namespace {

constexpr int kLongestChain = 16;

bool is_code(std::string_view text) {
  return text.size() == 6 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_pseudo_name(std::string_view text) {
  return text == "市辖区" || text == "县" || text == "市" ||
         text.find("直辖") != std::string_view::npos;
}

bool read_bound(std::string_view text, int unbounded, int& bound) {
  bound = unbounded;
  if (text.empty()) return true;
  Date date;
  if (!parse_date_simple(text, date)) return false;
  bound = yyyymmdd(date);
  return true;
}

}  // namespace

std::string_view name(RegionState state) {
  switch (state) {
    case RegionState::kCurrent:
      return "CURRENT";
    case RegionState::kRetired:
      return "RETIRED";
    case RegionState::kNotYet:
      return "NOT_YET";
    case RegionState::kPseudo:
      return "PSEUDO";
    case RegionState::kUnknown:
      break;
  }
  return "UNKNOWN";
}

RegionLevel region_level(std::string_view code) {
  if (!code.ends_with("00")) return RegionLevel::kCounty;
  return code.ends_with("0000") ? RegionLevel::kProvince : RegionLevel::kCity;
}

bool RegionTable::load(std::string_view csv, std::string& error) {
  std::vector<Row> rows;
  TableLines lines(csv);
  while (lines.next()) {
    std::array<std::string_view, 5> cells;
    Row row;
    if (!lines.cells(cells) || !is_code(cells[0]) || cells[1].empty() ||
        !read_bound(cells[2], 0, row.valid_from) ||
        !read_bound(cells[3], std::numeric_limits<int>::max(), row.valid_to) ||
        (!cells[4].empty() && !is_code(cells[4]))) {
      error = "line " + std::to_string(lines.line_number()) + ": not a region";
      return false;
    }
    row.code = cells[0];
    row.name = cells[1];
    row.successor = cells[4];
    row.pseudo = is_pseudo_name(cells[1]);
    rows.push_back(std::move(row));
  }
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return std::tie(a.code, a.valid_from) < std::tie(b.code, b.valid_from);
  });
  rows_ = std::move(rows);
  return true;
}

const RegionTable::Row* RegionTable::best_row(std::string_view code, int date) const {
  auto row = std::lower_bound(rows_.begin(), rows_.end(), code,
                              [](const Row& a, std::string_view b) { return a.code < b; });
  const Row* best = nullptr;
  for (; row != rows_.end() && row->code == code; ++row) {
    const bool valid = row->valid_from <= date && date < row->valid_to;
    if (valid && !row->pseudo) return &*row;
    const bool better = best == nullptr || best->pseudo || row->valid_from <= date;
    if (better && !(row->pseudo && best != nullptr)) best = &*row;
  }
  return best;
}

RegionMatch RegionTable::find(std::string_view code, int date) const {
  const Row* row = best_row(code, date);
  if (row == nullptr) return {};
  RegionState state = RegionState::kCurrent;
  if (row->pseudo) {
    state = RegionState::kPseudo;
  } else if (date < row->valid_from) {
    state = RegionState::kNotYet;
  } else if (date >= row->valid_to) {
    state = RegionState::kRetired;
  }
  return {state, row->name, row->successor};
}

std::string_view RegionTable::resolve(std::string_view code, int date) const {
  for (int i = 0; i < kLongestChain; ++i) {
    const Row* row = best_row(code, date);
    if (row == nullptr || row->pseudo) return {};
    if (row->valid_from <= date && date < row->valid_to) return row->code;
    if (row->successor.empty()) return {};
    code = row->successor;
  }
  return {};
}

}  // namespace huiliu::domain
