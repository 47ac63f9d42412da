#include "formats/xlsx_reader.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "formats/xlsx_package.h"
#include "formats/xlsx_sheet_handler.h"
#include "formats/xlsx_strings.h"
#include "formats/xml_pull.h"
#include "formats/zip_part.h"

namespace huiliu::formats {

struct XlsxReader::Impl {
  explicit Impl(XlsxLimits bounds) : limits(bounds), strings(bounds.max_shared_strings_bytes) {}

  XlsxLimits limits;
  ZipSource source;
  XlsxWorkbook workbook;
  SharedStrings strings;
  bool strings_loaded = false;
  // The handler borrows all above, the parser borrows the handler.
  std::optional<XlsxSheetHandler> handler;
  std::optional<XmlPull> pull;
  std::string sheet_name;
  Outcome outcome;

  void close_sheet() {
    pull.reset();
    handler.reset();
  }

  Outcome open(ZipSource from) {
    close_sheet();
    source = std::move(from);
    workbook = {};
    strings = SharedStrings(limits.max_shared_strings_bytes);
    strings_loaded = false;
    outcome = load_workbook(source, limits, workbook);
    if (!outcome.ok()) workbook.sheets.clear();
    return outcome;
  }

  // A workbook may name a table and not have it: then no cell may use it.
  Outcome load_strings() {
    if (strings_loaded || workbook.shared_strings_part.empty()) return {};
    Outcome loaded = load_shared_strings(source, workbook.shared_strings_part,
                                         {limits.max_sheet_bytes, limits.max_zip_entries},
                                         limits.max_depth, strings);
    if (!loaded.ok() && loaded.code != OutcomeCode::kNotFound) {
      strings = SharedStrings(limits.max_shared_strings_bytes);
      return loaded;
    }
    strings_loaded = true;
    return {};
  }

  Outcome select(const XlsxSheet& sheet) {
    close_sheet();
    sheet_name = sheet.name;
    if (sheet.part.empty()) {
      return Outcome::failure(OutcomeCode::kUnsupported, sheet.name + ": no worksheet");
    }
    Outcome loaded = load_strings();
    if (!loaded.ok()) return loaded;
    ZipPart part;
    Outcome opened =
        part.open(source, sheet.part, {limits.max_sheet_bytes, limits.max_zip_entries});
    if (!opened.ok()) return opened;
    handler.emplace(limits, workbook, strings);
    pull.emplace(std::move(part), *handler, limits.max_depth);
    handler->bind(*pull);
    return {};
  }

  // True when the parser paused after a row.
  bool advance() {
    if (!pull.has_value()) {
      if (outcome.ok()) outcome = Outcome::failure(OutcomeCode::kInvalid, "no sheet selected");
      return false;
    }
    const XmlProgress progress = pull->run();
    if (progress == XmlProgress::kFailed) {
      outcome = pull->outcome();
      outcome.message = "sheet " + sheet_name + ", " + outcome.message;
    }
    return progress == XmlProgress::kPaused;
  }
};

XlsxReader::XlsxReader(XlsxLimits limits) : impl_(std::make_unique<Impl>(limits)) {}
XlsxReader::~XlsxReader() = default;

Outcome XlsxReader::open(const std::string& path) { return impl_->open(ZipSource{path, {}}); }

Outcome XlsxReader::open_bytes(std::string_view file) { return impl_->open(ZipSource{{}, file}); }

const std::vector<XlsxSheet>& XlsxReader::sheets() const { return impl_->workbook.sheets; }

Outcome XlsxReader::select_sheet(std::size_t index) {
  if (index >= sheets().size()) {
    impl_->close_sheet();
    return impl_->outcome =
               Outcome::failure(OutcomeCode::kNotFound, "no sheet " + std::to_string(index + 1));
  }
  return impl_->outcome = impl_->select(sheets()[index]);
}

Outcome XlsxReader::select_sheet(std::string_view name) {
  const auto same = [name](const XlsxSheet& sheet) { return sheet.name == name; };
  const auto found = std::find_if(sheets().begin(), sheets().end(), same);
  if (found != sheets().end()) return impl_->outcome = impl_->select(*found);
  impl_->close_sheet();
  return impl_->outcome =
             Outcome::failure(OutcomeCode::kNotFound, "no sheet named " + std::string(name));
}

bool XlsxReader::next_row(XlsxRow& row) {
  row.cells.clear();
  if (!impl_->advance()) return false;
  impl_->handler->take_row(row);
  return true;
}

Outcome XlsxReader::skip_rows(std::uint64_t count) {
  if (count == 0) return impl_->outcome;
  if (impl_->handler.has_value()) impl_->handler->skip(count);
  impl_->advance();
  return impl_->outcome;
}

const std::vector<XlsxMerge>& XlsxReader::merges() const {
  static const std::vector<XlsxMerge> kNone;
  return impl_->handler.has_value() ? impl_->handler->merges() : kNone;
}

const Outcome& XlsxReader::outcome() const { return impl_->outcome; }

}  // namespace huiliu::formats
