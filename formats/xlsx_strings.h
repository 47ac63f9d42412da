#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "formats/outcome.h"
#include "formats/xml_pull.h"

namespace huiliu::formats {

// Replaces the _xHHHH_ escapes of text[from..] by the characters they stand for (ECMA-376 part 1,
// 22.9.2.19 ST_Xstring). Never lengthens the text; leaves NUL and surrogates as they are.
void decode_xstring(std::string& text, std::size_t from);

// A workbook's shared strings, in memory up to a bound. Views stay valid while the table lives.
class SharedStrings {
 public:
  explicit SharedStrings(std::uint64_t max_bytes) : max_bytes_(max_bytes) {}

  // False, and nothing added, when the bound would be passed.
  bool add(std::string_view text);
  std::size_t size() const { return strings_.size(); }
  std::string_view at(std::size_t index) const { return strings_[index]; }
  std::uint64_t memory_bytes() const { return memory_bytes_; }
  std::uint64_t max_bytes() const { return max_bytes_; }

 private:
  char* allocate(std::size_t bytes);

  std::uint64_t max_bytes_;
  std::uint64_t memory_bytes_ = 0;
  std::deque<std::string_view> strings_;
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t block_left_ = 0;
  char* block_at_ = nullptr;
};

// Fills `table` from the shared-strings part. kLimit when the table is larger than its bound.
Outcome load_shared_strings(const ZipSource& source, std::string_view part, ZipLimits limits,
                            std::uint32_t max_depth, SharedStrings& table);

}  // namespace huiliu::formats
