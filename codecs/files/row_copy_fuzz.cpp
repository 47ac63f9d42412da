#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "codecs/files/json_array.h"
#include "formats/encoding.h"
#include "formats/xml_rows.h"

namespace {

using namespace huiliu::codecs;
using namespace huiliu::formats;

constexpr std::size_t kMaxRow = 1000;

/// The lines of an array, and what is wrong with it, fed in pieces of that size.
std::string array_lines(std::string_view text, std::size_t piece) {
  JsonArrayLines lines(kMaxRow);
  std::string out;
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
    if (!lines.feed(text.substr(0, piece), out)) break;
  }
  lines.finish();
  if (static_cast<std::uint64_t>(std::count(out.begin(), out.end(), '\n')) != lines.rows()) {
    std::abort();
  }
  return out + (lines.problem() ? lines.problem()->en : "");
}

void check_array(std::string_view text, std::size_t piece) {
  const std::string lines = array_lines(text, piece);
  if (lines != array_lines(text, text.size())) std::abort();
  simdjson::dom::parser parser;
  simdjson::dom::array array;
  if (parser.parse(simdjson::padded_string(text)).get(array) != simdjson::SUCCESS) return;
  // What is an array of objects must come out whole.
  std::string wanted, got;
  for (const simdjson::dom::element object : array) {
    if (!object.is_object()) return;
    wanted += simdjson::minify(object) + "\n";
  }
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = lines.find('\n', at);
    if (end == std::string::npos) std::abort();
    if (end - at > kMaxRow) return;
    simdjson::dom::element object;
    if (parser.parse(lines.data() + at, end - at).get(object) != simdjson::SUCCESS) std::abort();
    got += simdjson::minify(object) + "\n";
    at = end + 1;
  }
  if (got != wanted) std::abort();
}

std::string xml_rows(std::string_view text, std::size_t piece) {
  std::string shown;
  XmlRows rows({kMaxRow, 16}, [&shown](const XmlRow& row) {
    std::size_t bytes = 0;
    for (const auto& [name, value] : row.fields) {
      if (!is_valid_utf8(name) || !is_valid_utf8(value)) std::abort();
      bytes += name.size() + value.size();
      shown += name + "=" + value + ";";
    }
    if (bytes > kMaxRow) std::abort();
    shown += row.too_long ? "...\n" : "\n";
  });
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
    if (!rows.feed(text.substr(0, piece))) break;
  }
  if (rows.finish() != rows.outcome().ok()) std::abort();
  if (!rows.found() && !shown.empty()) std::abort();
  return shown + (rows.outcome().ok() ? "" : "!");
}

}  // namespace

// The first byte says the size of the pieces; rows must not depend on it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t piece = std::size_t{data[0]} + 1;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t first = text.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  if (first != std::string_view::npos && text[first] == '<') {
    if (xml_rows(text, piece) != xml_rows(text, size)) std::abort();
  } else {
    check_array(text, piece);
  }
  return 0;
}
