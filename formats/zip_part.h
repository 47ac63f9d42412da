#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "formats/outcome.h"

namespace huiliu::formats {

// Where a zip file lies: a path, or bytes in memory when `path` is empty.
struct ZipSource {
  std::string path;
  std::string_view bytes;
};

struct ZipLimits {
  std::uint64_t max_part_bytes = std::uint64_t{64} << 20;  // uncompressed
  std::uint32_t max_entries = 65535;
};

// A forward stream over one uncompressed member of a zip file. Reads through the central
// directory, so a file cut short is refused at open().
class ZipPart {
 public:
  ZipPart();
  ~ZipPart();
  ZipPart(ZipPart&&) noexcept;
  ZipPart& operator=(ZipPart&&) noexcept;

  // Positions on member `name` (ASCII case does not matter, as in part names of ECMA-376 part 2).
  // kNotFound when the archive has no such member.
  Outcome open(const ZipSource& source, std::string_view name, ZipLimits limits);

  // Reads up to `capacity` bytes; `got` is 0 at the end. kCorrupt on a damaged stream or a wrong
  // checksum, kLimit beyond max_part_bytes.
  Outcome read(char* buffer, std::size_t capacity, std::size_t& got);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace huiliu::formats
