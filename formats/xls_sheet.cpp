#include "formats/xls_sheet.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <tuple>

#include "formats/little_endian.h"

namespace huiliu::formats {
namespace {

constexpr std::uint16_t kSheetPart = 16;
constexpr double kFifteenDigits = 1e15;  // what Excel keeps and shows of a number
constexpr std::size_t kNumbersHead = 4;  // row and first column
constexpr std::size_t kNumberBytes = 6;  // a style and a short number

// A number in four bytes: a whole one or the front half of a double, and whether it is hundredths.
double short_number(std::uint32_t bits) {
  double number = 0;
  if ((bits & 2) != 0) {
    number = static_cast<double>(static_cast<std::int32_t>(bits) >> 2);
  } else {
    number = std::bit_cast<double>(std::uint64_t{bits & ~3U} << 32);
  }
  return (bits & 1) != 0 ? number / 100 : number;
}

std::string shortest(double number) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  return {text.data(), end};
}

std::string_view error_name(std::uint8_t code) {
  switch (code) {
    case 0x00:
      return "#NULL!";
    case 0x07:
      return "#DIV/0!";
    case 0x0F:
      return "#VALUE!";
    case 0x17:
      return "#REF!";
    case 0x1D:
      return "#NAME?";
    case 0x24:
      return "#NUM!";
    default:
      return "#N/A";
  }
}

std::string cell_name(std::uint16_t row, std::uint16_t column) {
  std::string letters;
  for (std::uint32_t left = column + 1U; left > 0; left = (left - 1) / 26) {
    letters.insert(letters.begin(), static_cast<char>('A' + (left - 1) % 26));
  }
  return letters + std::to_string(row + 1);
}

}  // namespace

Outcome XlsSheet::open(std::size_t offset) {
  XlsRecords records(stream_, offset);
  XlsRecord record;
  if (!records.next(record) || !is_xls_begin(record, kSheetPart)) {
    return xls_damaged("a sheet is not where it should be");
  }
  // Charts within the sheet have a beginning and an end of their own.
  for (int depth = 1; records.next(record);) {
    if (record.id == XlsRecordId::kBegin) ++depth;
    if (record.id == XlsRecordId::kEnd && --depth == 0) {
      sort();
      return {};
    }
    if (depth == 1 && !note(record)) return xls_damaged("a cell is cut short");
  }
  return xls_damaged("a sheet has no end");
}

// False when the record is too short for what it is.
bool XlsSheet::note(const XlsRecord& record) {
  std::size_t least = 0;
  switch (record.id) {
    case XlsRecordId::kNumbers:
      note_numbers(record);
      return true;
    case XlsRecordId::kMerges:
      note_merges(record.data);
      return true;
    case XlsRecordId::kFormula:
      least = 20;
      break;
    case XlsRecordId::kNumber:
      least = 14;
      break;
    case XlsRecordId::kShortNumber:
    case XlsRecordId::kSharedText:
      least = 10;
      break;
    case XlsRecordId::kText:
    case XlsRecordId::kRichText:
    case XlsRecordId::kBoolOrError:
      least = 8;
      break;
    default:
      return true;
  }
  if (record.data.size() < least) return false;
  places_.push_back(
      {get_u16(record.data, 0), get_u16(record.data, 2), static_cast<std::uint32_t>(record.at)});
  return true;
}

void XlsSheet::note_numbers(const XlsRecord& record) {
  const std::uint16_t first = get_u16(record.data, 2);
  const std::size_t size = record.data.size();
  const std::size_t count = size < kNumbersHead + 2 ? 0 : (size - kNumbersHead - 2) / kNumberBytes;
  for (std::size_t i = 0; i < count && first + i <= 0xFFFF; ++i) {
    places_.push_back({get_u16(record.data, 0), static_cast<std::uint16_t>(first + i),
                       static_cast<std::uint32_t>(record.at)});
  }
}

void XlsSheet::note_merges(std::string_view data) {
  constexpr std::size_t kEnough = 100;
  for (std::size_t at = 2; at + 8 <= data.size() && merges_.size() < kEnough; at += 8) {
    const std::uint16_t first = get_u16(data, at), last = get_u16(data, at + 2);
    const std::uint16_t column = get_u16(data, at + 4);
    if (last <= first) continue;
    merges_.push_back({cell_name(first, column) + ":" + cell_name(last, get_u16(data, at + 6)),
                       column, first + std::uint64_t{1}, last + std::uint64_t{1}});
  }
}

// Of records for one cell the last holds.
void XlsSheet::sort() {
  const auto before = [](const Place& a, const Place& b) {
    return std::tie(a.row, a.column) < std::tie(b.row, b.column);
  };
  if (!std::is_sorted(places_.begin(), places_.end(), before)) {
    std::stable_sort(places_.begin(), places_.end(), before);
  }
  const auto same = [](const Place& a, const Place& b) {
    return a.row == b.row && a.column == b.column;
  };
  const auto end = std::unique(places_.rbegin(), places_.rend(), same);
  places_.erase(places_.begin(), end.base());
}

void XlsSheet::skip_rows(std::uint64_t count) {
  for (; count > 0 && next_ < places_.size(); --count) {
    const std::uint16_t row = places_[next_].row;
    while (next_ < places_.size() && places_[next_].row == row) ++next_;
  }
}

bool XlsSheet::next_row(XlsxRow& row, Outcome& outcome) {
  row.cells.clear();
  if (next_ == places_.size()) return false;
  text_.clear();
  const std::uint16_t number = places_[next_].row;
  row.number = number + std::uint64_t{1};
  std::vector<std::size_t> ends;
  for (; next_ < places_.size() && places_[next_].row == number; ++next_) {
    XlsxCell cell;
    cell.column = places_[next_].column;
    outcome = read_cell(places_[next_], cell);
    if (!outcome.ok()) {
      row.cells.clear();
      return false;
    }
    ends.push_back(text_.size());
    row.cells.push_back(cell);
  }
  std::size_t from = 0;
  for (std::size_t i = 0; i < ends.size(); from = ends[i++]) {
    row.cells[i].text = std::string_view(text_).substr(from, ends[i] - from);
  }
  return true;
}

Outcome XlsSheet::read_cell(const Place& place, XlsxCell& cell) {
  XlsRecords records(stream_, place.at);
  XlsRecord record;
  records.next(record);
  const std::string_view data = record.data;
  const std::uint16_t style = get_u16(data, 4);
  switch (record.id) {
    case XlsRecordId::kNumbers: {
      const std::size_t at =
          kNumbersHead + kNumberBytes * static_cast<std::size_t>(place.column - get_u16(data, 2));
      read_number(short_number(get_u32(data, at + 2)), get_u16(data, at), cell);
      return {};
    }
    case XlsRecordId::kShortNumber:
      read_number(short_number(get_u32(data, 6)), style, cell);
      return {};
    case XlsRecordId::kNumber:
      read_number(get_double(data, 6), style, cell);
      return {};
    case XlsRecordId::kBoolOrError:
      get_u8(data, 7) == 0 ? read_bool(get_u8(data, 6) != 0, cell)
                           : read_error(get_u8(data, 6), cell);
      return {};
    case XlsRecordId::kFormula:
      read_formula(record, records, cell);
      return {};
    case XlsRecordId::kSharedText: {
      const std::uint32_t index = get_u32(data, 6);
      if (index >= workbook_.strings.size()) {
        return xls_damaged("cell " + cell_name(place.row, place.column) + " has no text");
      }
      cell.kind = CellKind::kString;
      text_.append(workbook_.strings.at(index));
      return {};
    }
    default:
      return read_text(data, cell);
  }
}

void XlsSheet::read_number(double number, std::uint16_t style, XlsxCell& cell) {
  cell.kind = CellKind::kError;
  if (!std::isfinite(number)) return text_.append(error_name(0x24)), void();
  cell.number = number;
  const NumberFormat& format = workbook_.styles.format(style);
  if (format.is_time()) {
    // A serial that is no day shows as ##### (or as 1900-01-00): nobody can mean that.
    if (append_serial(number, workbook_.dates, format.kind, text_)) {
      cell.kind = CellKind::kDate;
    } else {
      text_.append(shortest(number));
    }
    return;
  }
  cell.kind = CellKind::kNumber;
  const bool whole = std::fabs(number) < kFifteenDigits && number == std::floor(number);
  const std::string plain =
      whole ? std::to_string(static_cast<long long>(number)) : shortest(number);
  const bool zeros = whole && format.kind == NumberFormat::Kind::kZeros;
  text_.append(zeros ? fill_zeros(format.pattern, plain) : plain);
}

void XlsSheet::read_bool(bool value, XlsxCell& cell) {
  cell.kind = CellKind::kBool;
  cell.number = value ? 1 : 0;
  text_.append(value ? "TRUE" : "FALSE");
}

void XlsSheet::read_error(std::uint8_t code, XlsxCell& cell) {
  cell.kind = CellKind::kError;
  text_.append(error_name(code));
}

Outcome XlsSheet::read_text(std::string_view data, XlsxCell& cell) {
  XlsTextReader reader({data.substr(std::min<std::size_t>(data.size(), 6))});
  cell.kind = CellKind::kString;
  if (reader.append(2, text_)) return {};
  return xls_damaged("cell " + cell_name(get_u16(data, 0), get_u16(data, 2)) + " has no text");
}

// The last two bytes of a result say whether it is a number.
void XlsSheet::read_formula(const XlsRecord& record, XlsRecords& behind, XlsxCell& cell) {
  const std::string_view data = record.data;
  const bool is_number = get_u16(data, 12) != 0xFFFF;
  // Programs that write formulas leave results to Excel, and a nought or nothing in their place.
  const bool on_opening = (get_u16(data, 14) & 2) != 0;
  const bool nothing = is_number ? get_double(data, 6) == 0 : get_u8(data, 6) == 3;
  if (on_opening && nothing) return read_no_value(cell);
  if (is_number) return read_number(get_double(data, 6), get_u16(data, 4), cell);
  switch (get_u8(data, 6)) {
    case 1:
      return read_bool(get_u8(data, 8) != 0, cell);
    case 2:
      return read_error(get_u8(data, 8), cell);
    case 3:
      return;  // an empty text
    default:
      return read_formula_text(behind, cell);
  }
}

void XlsSheet::read_formula_text(XlsRecords& behind, XlsxCell& cell) {
  XlsRecord record;
  while (behind.next(record)) {
    if (record.id == XlsRecordId::kFormulaText) {
      std::vector<std::string_view> pieces = behind.continuations();
      pieces.insert(pieces.begin(), record.data);
      cell.kind = CellKind::kString;
      XlsTextReader(std::move(pieces)).append(2, text_);
      return;
    }
    const bool of_formula =
        record.id == XlsRecordId::kSharedFormula || record.id == XlsRecordId::kArrayFormula ||
        record.id == XlsRecordId::kTableFormula || record.id == XlsRecordId::kContinue;
    if (!of_formula) break;
  }
  read_no_value(cell);
}

void XlsSheet::read_no_value(XlsxCell& cell) {
  cell.kind = CellKind::kNoValue;
  text_.append("=…");
}

}  // namespace huiliu::formats
