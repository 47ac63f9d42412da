#include "connectors/http/batch_form.h"

#include <algorithm>

namespace huiliu::connectors {

using codecs::FileFormat;

namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return result;
}

}  // namespace

// A name has no line breaks: multipart headers end there.
std::string BatchForm::to_text() const {
  return std::to_string(static_cast<int>(format)) + "\n" + sender + "\n" + name;
}

std::optional<BatchForm> BatchForm::parse(std::string_view text) {
  const std::size_t first = text.find('\n'), second = text.find('\n', first + 1);
  if (first != 1 || second == std::string_view::npos) return std::nullopt;
  const int format = text.front() - '0';
  if (format < 0 || format > static_cast<int>(FileFormat::kXlsx)) return std::nullopt;
  return BatchForm{static_cast<FileFormat>(format),
                   std::string(text.substr(first + 1, second - first - 1)),
                   std::string(text.substr(second + 1))};
}

std::optional<FileFormat> format_of_type(std::string_view content_type) {
  std::string type = lower(content_type.substr(0, content_type.find(';')));
  while (type.ends_with(' ')) type.pop_back();
  if (type == "application/x-ndjson" || type == "application/ndjson" ||
      type == "application/jsonl" || type == "application/json") {
    return FileFormat::kAuto;  // one object, an array or lines: the content tells
  }
  if (type == "text/csv") return FileFormat::kCsv;
  if (type == "application/vnd.ms-excel" ||
      type == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet") {
    return FileFormat::kXlsx;
  }
  return std::nullopt;
}

std::optional<FileFormat> format_of_name(std::string_view name) {
  const std::string small = lower(name);
  if (small.ends_with(".csv") || small.ends_with(".tsv") || small.ends_with(".txt")) {
    return FileFormat::kCsv;
  }
  if (small.ends_with(".xlsx") || small.ends_with(".xls")) return FileFormat::kXlsx;
  if (small.ends_with(".json") || small.ends_with(".ndjson") || small.ends_with(".jsonl")) {
    return FileFormat::kAuto;
  }
  return std::nullopt;
}

}  // namespace huiliu::connectors
