#include "codecs/files/file_position.h"

#include <charconv>

#include <fmt/format.h>

namespace huiliu::codecs {

std::string FilePosition::to_text() const {
  return fmt::format("1 {} {} {} {} {} {} {}", done ? "done" : "part", offset, rows, size,
                     modified_ns, digest, path);
}

std::optional<FilePosition> FilePosition::parse(std::string_view text) {
  const auto word = [&] {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view found = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return found;
  };
  bool good = word() == "1";
  const auto number = [&](auto& into) {
    const std::string_view digits = word();
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), into);
    good = good && error == std::errc() && end == digits.data() + digits.size();
  };
  FilePosition position;
  position.done = word() == "done";
  number(position.offset);
  number(position.rows);
  number(position.size);
  number(position.modified_ns);
  position.digest = word();
  position.path = text;
  if (!good) return std::nullopt;
  return position;
}

runtime::Result<std::map<std::string, FilePosition>> read_positions(
    const std::vector<std::pair<std::string, std::string>>& committed, std::string_view prefix) {
  std::map<std::string, FilePosition> positions;
  for (const auto& [key, value] : committed) {
    if (!key.starts_with(prefix)) continue;
    auto position = FilePosition::parse(value);
    if (!position) {
      return runtime::Status::corrupt("position " + key + " cannot be read: " + value);
    }
    positions[key] = std::move(*position);
  }
  return positions;
}

}  // namespace huiliu::codecs
