#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/outcome.h"

namespace huiliu::formats {

// The first bytes of a compound file ([MS-CFB]): .xls, .doc, .et and encrypted .xlsx files.
inline constexpr std::string_view kOleSignature = "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";

// A compound file in memory: a small file system of sectors in one file. Every chain of sectors is
// bounded by the number of sectors, so no damaged file leads in circles.
class OleFile {
 public:
  // `bytes` must outlive the object.
  Outcome open(std::string_view bytes);

  // Whether the root folder has a stream of that name (ASCII, compared without case).
  bool has(std::string_view name) const { return find(name) != nullptr; }
  // The content of a stream of the root folder; kNotFound if there is none, kCorrupt when parts of
  // it are missing.
  Outcome read(std::string_view name, std::string& content) const;

 private:
  struct Entry {
    std::string name;  // lower case; what is not ASCII is left out
    std::uint8_t type = 0;
    std::uint32_t left = 0;
    std::uint32_t right = 0;
    std::uint32_t child = 0;
    std::uint32_t start = 0;
    std::uint64_t size = 0;
  };
  std::uint32_t sector_count() const;
  std::string_view sector(std::uint32_t number) const;
  bool load_table(std::uint32_t first_extra);
  void load_entries(std::string_view folder);
  void list_root();
  const Entry* find(std::string_view name) const;
  bool chain(std::uint32_t start, std::uint64_t wanted, std::string& content) const;
  bool short_chain(const Entry& entry, std::string& content) const;

  std::string_view bytes_;
  unsigned sector_shift_ = 9;
  std::uint32_t short_limit_ = 4096;  // streams below this size lie in the short sectors
  std::uint32_t short_table_ = 0;     // first sector of what next_ is for short sectors
  std::string next_;                  // of each sector: the one that follows, 4 bytes
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> root_;  // entries of the root folder
};

}  // namespace huiliu::formats
