#include "connectors/file/row_place.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <tuple>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codecs/files/file_cursor.h"
#include "connectors/file/file_listing.h"
#include "formats/csv.h"
#include "runtime/base/paths.h"

namespace huiliu::connectors {
namespace {

namespace fs = std::filesystem;
using runtime::RecordPlace;

std::uint64_t lines_before(const std::string& path, std::uint64_t offset) {
  std::ifstream file(path, std::ios::binary);
  std::string block(1 << 20, '\0');
  std::uint64_t lines = 0;
  while (offset > 0 && file) {
    file.read(block.data(), static_cast<std::streamsize>(std::min<std::uint64_t>(offset, 1 << 20)));
    const auto got = file.gcount();
    if (got <= 0) break;
    lines += static_cast<std::uint64_t>(std::count(block.begin(), block.begin() + got, '\n'));
    offset -= static_cast<std::uint64_t>(got);
  }
  return lines;
}

/// Lines of the slice in front of its row number `row`, from 0.
std::uint64_t lines_within(std::string_view bytes, std::uint64_t row, char delimiter) {
  std::size_t at = 0;
  for (; row > 0 && at < bytes.size(); --row) {
    at = std::min(formats::csv_row_end(bytes, at, {delimiter, '"'}), bytes.size());
  }
  const auto* from = bytes.data();
  return static_cast<std::uint64_t>(std::count(from, from + at, '\n'));
}

/// Walks the rows as the source cuts them, so that damaged ones count the same.
std::uint64_t csv_line(codecs::FileCursor& cursor, const std::string& path, std::uint64_t row) {
  runtime::Slice slice;
  for (;;) {
    const std::uint64_t start = cursor.position().offset;
    if (!cursor.read(slice, 1 << 20)) return 0;
    if (cursor.position().rows < row) continue;
    const bool rows = slice.format == static_cast<std::uint32_t>(codecs::SliceFormat::kCsv);
    const std::uint64_t within =
        rows ? lines_within(slice.bytes, row - slice.first_offset, cursor.delimiter()) : 0;
    return lines_before(path, start) + within + 1;
  }
}

}  // namespace

std::string path_of_partition(const codecs::FileOptions& options, const std::string& base,
                              const std::string& name) {
  return (fs::path(root_of(runtime::resolve_path(base, options.path))) / name).string();
}

std::optional<RecordPlace> find_row_place(const codecs::FileOptions& options,
                                          const std::string& base_folder, const std::string& name,
                                          std::uint64_t row) {
  RecordPlace place;
  place.path = path_of_partition(options, base_folder, name);
  const int fd = ::open(place.path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info {};
  if (fd < 0) return std::nullopt;
  if (::fstat(fd, &info) != 0) {
    ::close(fd);
    return std::nullopt;
  }
  codecs::FilePosition position;
  position.size = static_cast<std::uint64_t>(info.st_size);
  codecs::FileCursor cursor(options, {fd, place.path, name, ""}, position);
  cursor.open();
  if (cursor.format() == codecs::FileFormat::kNdjson) {
    place.line = cursor.line_of(row);
  } else if (cursor.format() == codecs::FileFormat::kCsv) {
    place.line = csv_line(cursor, place.path, row);
  } else if (const auto found = cursor.table_place(row)) {
    std::tie(place.sheet, place.line) = *found;
  } else {
    return std::nullopt;  // refused as a whole
  }
  return place;
}

}  // namespace huiliu::connectors
