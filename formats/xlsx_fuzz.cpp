#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <archive.h>
#include <archive_entry.h>

#include "formats/encoding.h"
#include "formats/xlsx_reader.h"

namespace {

using namespace huiliu::formats;

XlsxLimits small_limits() {
  XlsxLimits limits;
  limits.max_sheet_bytes = std::uint64_t{4} << 20;
  limits.max_metadata_bytes = std::uint64_t{1} << 20;
  limits.max_shared_strings_bytes = std::uint64_t{1} << 20;
  return limits;
}

void read_all(std::string_view file) {
  XlsxReader reader(small_limits());
  if (!reader.open_bytes(file).ok()) return;
  for (std::size_t i = 0; i < reader.sheets().size() && i < 4; ++i) {
    if (!reader.select_sheet(i).ok()) continue;
    XlsxRow row;
    std::uint64_t last_row = 0;
    while (reader.next_row(row)) {
      if (row.number <= last_row) std::abort();
      last_row = row.number;
      for (const XlsxCell& cell : row.cells) {
        if (&row.at(cell.column) != &cell || !is_valid_utf8(cell.text)) std::abort();
      }
    }
  }
}

// A package of the parts the input holds, cut at '\xFF', so that the mutations reach the XML.
std::string package_of(std::string_view input) {
  constexpr std::array kNames = {"xl/worksheets/sheet1.xml", "xl/sharedStrings.xml",
                                 "xl/styles.xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels"};
  constexpr std::array<std::string_view, 5> kDefaults = {
      "", "<sst><si><t>a</t></si></sst>",
      "<styleSheet><cellXfs><xf numFmtId='0'/><xf numFmtId='14'/></cellXfs></styleSheet>",
      "<workbook><sheets><sheet name='a' id='1'/></sheets></workbook>",
      "<R><Relationship Id='1' Type='/worksheet' Target='worksheets/sheet1.xml'/>"
      "<Relationship Id='2' Type='/styles' Target='styles.xml'/>"
      "<Relationship Id='3' Type='/sharedStrings' Target='sharedStrings.xml'/></R>"};
  std::string bytes(input.size() + 16384, '\0');
  std::size_t used = 0;
  archive* const zip = archive_write_new();
  archive_write_set_format_zip(zip);
  archive_write_set_format_option(zip, "zip", "compression", "store");
  archive_write_open_memory(zip, bytes.data(), bytes.size(), &used);
  const auto add = [zip](const char* name, std::string_view content) {
    archive_entry* const entry = archive_entry_new();
    archive_entry_set_pathname(entry, name);
    archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_write_header(zip, entry);
    archive_write_data(zip, content.data(), content.size());
    archive_entry_free(entry);
  };
  add("_rels/.rels", "<R><Relationship Type='/officeDocument' Target='xl/workbook.xml'/></R>");
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    const std::size_t end = input.find('\xFF');
    const std::string_view part = input.substr(0, end);
    input.remove_prefix(end == std::string_view::npos ? input.size() : end + 1);
    add(kNames[i], part.empty() ? kDefaults[i] : part);
  }
  archive_write_close(zip);
  archive_write_free(zip);
  bytes.resize(used);
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.starts_with("PK")) {
    read_all(input);
  } else {
    read_all(package_of(input));
  }
  return 0;
}
