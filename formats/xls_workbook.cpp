#include "formats/xls_workbook.h"

#include <algorithm>
#include <string>
#include <utility>

#include "formats/little_endian.h"

namespace huiliu::formats {
namespace {

constexpr std::uint16_t kExcel97 = 0x0600;
constexpr std::uint16_t kWorkbookPart = 5;
constexpr std::size_t kSharedStringsHead = 8;  // two counts, which are not needed

Outcome add_sheet(const XlsRecord& record, const XlsLimits& limits, XlsWorkbook& workbook) {
  if (workbook.sheets.size() == limits.max_sheets) {
    return Outcome::failure(OutcomeCode::kLimit, "the workbook has too many sheets",
                            "工作簿的工作表过多");
  }
  XlsxSheet sheet;
  XlsTextReader name({record.data.substr(std::min<std::size_t>(record.data.size(), 6))});
  if (!name.append(1, sheet.name)) return xls_damaged("a sheet has no name");
  const std::size_t offset = get_u32(record.data, 0);
  sheet.visible = (get_u8(record.data, 4) & 3) == 0;
  if (get_u8(record.data, 5) == 0) sheet.part = std::to_string(offset);
  workbook.sheets.push_back(std::move(sheet));
  workbook.offsets.push_back(offset);
  return {};
}

Outcome load_strings(const XlsRecord& record, XlsRecords& records, SharedStrings& strings) {
  std::vector<std::string_view> pieces = records.continuations();
  pieces.insert(pieces.begin(), record.data);
  XlsTextReader reader(std::move(pieces));
  if (!reader.skip(kSharedStringsHead)) return xls_damaged("its texts are missing");
  std::string text;
  while (!reader.at_end()) {
    text.clear();
    // Cells that name a text behind a broken one will find that it is not there.
    if (!reader.append(2, text)) return {};
    if (!strings.add(text)) {
      return Outcome::failure(OutcomeCode::kLimit, "the workbook has too much text",
                              "工作簿的文本过多，请拆分后重新报送");
    }
  }
  return {};
}

void add_format(const XlsRecord& record, XlsxStyles& styles) {
  std::string code;
  XlsTextReader reader({record.data.substr(std::min<std::size_t>(record.data.size(), 2))});
  if (reader.append(2, code)) styles.add_format(get_u16(record.data, 0), code);
}

Outcome read_record(const XlsRecord& record, XlsRecords& records, const XlsLimits& limits,
                    XlsWorkbook& workbook) {
  switch (record.id) {
    case XlsRecordId::kPassword:
      return Outcome::failure(
          OutcomeCode::kUnsupported,
          "the workbook is protected by a password; remove it and send the file again",
          "工作簿设有打开密码，请去除密码后重新报送");
    case XlsRecordId::kDateMode:
      if (get_u16(record.data, 0) == 1) workbook.dates = DateSystem::k1904;
      return {};
    case XlsRecordId::kFormat:
      add_format(record, workbook.styles);
      return {};
    case XlsRecordId::kStyle:
      workbook.styles.add_style(get_u16(record.data, 2));
      return {};
    case XlsRecordId::kSheet:
      return add_sheet(record, limits, workbook);
    case XlsRecordId::kSharedStrings:
      return load_strings(record, records, workbook.strings);
    default:
      return {};
  }
}

}  // namespace

Outcome xls_damaged(std::string_view what) {
  return Outcome::failure(OutcomeCode::kCorrupt,
                          "the workbook is damaged or cut short: " + std::string(what),
                          "工作簿已损坏或不完整，请用Excel或WPS修复后另存为.xlsx再报送");
}

bool is_xls_begin(const XlsRecord& record, std::uint16_t type) {
  return record.id == XlsRecordId::kBegin && get_u16(record.data, 0) == kExcel97 &&
         get_u16(record.data, 2) == type;
}

Outcome load_xls_workbook(std::string_view stream, const XlsLimits& limits, XlsWorkbook& workbook) {
  XlsRecords records(stream, 0);
  XlsRecord record;
  if (!records.next(record) || record.id != XlsRecordId::kBegin) {
    return xls_damaged("it does not begin as one");
  }
  if (!is_xls_begin(record, kWorkbookPart)) {
    return Outcome::failure(OutcomeCode::kUnsupported,
                            "a workbook of Excel 95 or before; save it as .xlsx and send it again",
                            "工作簿为Excel 95或更早的格式，请另存为.xlsx后重新报送");
  }
  while (records.next(record)) {
    if (record.id == XlsRecordId::kEnd) return {};
    Outcome read = read_record(record, records, limits, workbook);
    if (!read.ok()) return read;
  }
  return xls_damaged("its list of sheets has no end");
}

}  // namespace huiliu::formats
