#include "connectors/http/multipart.h"

#include <algorithm>

namespace huiliu::connectors {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool starts_with(std::string_view text, std::string_view start) {
  return text.size() >= start.size() &&
         std::equal(start.begin(), start.end(), text.begin(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

/// The value of a parameter such as `; name="a"`, with or without quotes; "" if there is none.
std::string parameter(std::string_view header, std::string_view name) {
  for (std::size_t at = header.find(';'); at != std::string_view::npos;) {
    at = header.find_first_not_of("; \t", at);
    if (at == std::string_view::npos) return "";
    std::string_view rest = header.substr(at);
    const bool found = starts_with(rest, name) && rest.substr(name.size()).starts_with('=');
    const std::size_t equals = rest.find('=');
    if (equals == std::string_view::npos) return "";
    rest.remove_prefix(equals + 1);
    const bool quoted = rest.starts_with('"');
    const std::size_t end = quoted ? rest.find('"', 1) : std::min(rest.find(';'), rest.size());
    if (end == std::string_view::npos) return "";
    if (found) return std::string(rest.substr(quoted ? 1 : 0, quoted ? end - 1 : end));
    at = header.find(';', static_cast<std::size_t>(rest.data() - header.data()) + end);
  }
  return "";
}

/// Takes a part of its headers, up to the empty line; false if there is none.
bool read_part(std::string_view part, FormFile& file, bool& is_file) {
  for (;;) {
    const std::size_t end = part.find(kLineEnd);
    if (end == std::string_view::npos) return false;
    const std::string_view line = part.substr(0, end);
    part.remove_prefix(end + kLineEnd.size());
    if (line.empty()) break;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return false;
    std::string_view value = line.substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    if (starts_with(line, "content-type:")) file.content_type = value;
    if (!starts_with(line, "content-disposition:")) continue;
    const std::string name = parameter(value, "filename");
    is_file = !name.empty();
    file.name = name.substr(name.find_last_of("/\\") + 1);
  }
  file.body = part;
  return true;
}

}  // namespace

bool is_form(std::string_view content_type) {
  return starts_with(content_type, "multipart/form-data");
}

std::optional<std::vector<FormFile>> files_of_form(std::string_view content_type,
                                                   std::string_view body) {
  constexpr std::size_t kMostBoundary = 70;  // RFC 2046, 5.1.1
  const std::string boundary = parameter(content_type, "boundary");
  if (boundary.empty() || boundary.size() > kMostBoundary) return std::nullopt;
  const std::string first = "--" + boundary, next = "\r\n--" + boundary;
  if (!body.starts_with(first)) return std::nullopt;
  body.remove_prefix(first.size());
  std::vector<FormFile> files;
  while (!body.starts_with("--")) {
    if (!body.starts_with(kLineEnd)) return std::nullopt;
    body.remove_prefix(kLineEnd.size());
    const std::size_t end = body.find(next);
    if (end == std::string_view::npos) return std::nullopt;
    FormFile file;
    bool is_file = false;
    if (!read_part(body.substr(0, end), file, is_file)) return std::nullopt;
    if (is_file && files.size() == kMostFiles) return std::nullopt;
    if (is_file) files.push_back(std::move(file));
    body.remove_prefix(end + next.size());
  }
  return files;
}

}  // namespace huiliu::connectors
