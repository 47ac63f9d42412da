#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "formats/csv.h"

namespace {

using namespace huiliu::formats;

// What parses must come back the same after writing and parsing again.
void check_row(std::string_view row, CsvRowParser& parser) {
  if (parser.parse(row) != CsvError::kNone) return;
  std::string written;
  CsvWriter().append_row(parser.cells(), written);
  if (csv_row_end(written, 0) != written.size()) std::abort();
  CsvRowParser again(64);
  if (again.parse(written) != CsvError::kNone || again.cells() != parser.cells()) std::abort();
}

}  // namespace

// The first byte chooses where the stream is cut in two: what is cut from its start must stay.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t cut = bytes.empty() ? 0 : data[0] % bytes.size();
  const CsvSplit all = split_csv(bytes, 256, true);
  const CsvSplit first = split_csv(bytes.substr(0, cut), 256, false);
  if (first.complete_bytes > bytes.size()) std::abort();
  CsvRowParser parser(64);
  std::size_t at = 0;
  while (at < all.complete_bytes) {
    const std::size_t end = csv_row_end(bytes, at);
    if (end == std::string_view::npos || end > all.complete_bytes) std::abort();
    check_row(bytes.substr(at, end - at), parser);
    at = end;
  }
  check_row(bytes.substr(at), parser);
  return 0;
}
