#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace huiliu::bench {

// A file written in blocks; ends the program when a write fails. One owner, one thread.
class OutputFile {
 public:
  explicit OutputFile(const std::string& path);
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  ~OutputFile();

  // `text` as it is.
  void put(std::string_view text) {
    if (text.empty()) return;  // its data may be null
    if (block_.size() - used_ < text.size()) make_room(text.size());
    std::memcpy(block_.data() + used_, text.data(), text.size());
    used_ += text.size();
  }

  // `text` escaped as the inside of a JSON string.
  void put_escaped(std::string_view text);
  void put_number(std::int64_t number);
  void end_line() {
    put("\n");
    ++lines_;
  }
  void flush();

  std::uint64_t lines() const { return lines_; }

 private:
  void make_room(std::size_t bytes);

  std::string path_;
  int descriptor_;
  std::vector<char> block_;
  std::size_t used_ = 0;
  std::uint64_t lines_ = 0;
};

}  // namespace huiliu::bench
