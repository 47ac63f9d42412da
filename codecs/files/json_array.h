#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "codecs/files/headings.h"

namespace huiliu::codecs {

/// Writes the objects of one JSON array as lines, however they were printed. Only strings and
/// brackets are looked at: what is wrong within an object, the reader of its line says. Fed piece
/// by piece; holds one object, within a bound.
class JsonArrayLines {
 public:
  explicit JsonArrayLines(std::size_t max_row_bytes) : max_row_bytes_(max_row_bytes) {}

  /// Appends the lines of the objects that end in `text`. False when the rest is refused.
  bool feed(std::string_view text, std::string& out);
  /// Says that there is no more.
  bool finish();

  const std::optional<FileProblem>& problem() const { return problem_; }
  std::uint64_t rows() const { return rows_; }
  /// Remembers where an object begins.
  void find_line_of(std::uint64_t row) { wanted_row_ = row; }
  std::uint64_t found_line() const { return found_line_; }

 private:
  enum class State { kStart, kFirst, kNext, kObject, kBehind, kEnd };
  bool between(char c);
  void within(char c, std::string& out);
  void keep(char c);
  bool refuse(const std::string& en, const std::string& zh);

  std::size_t max_row_bytes_;
  State state_ = State::kStart;
  std::string object_;
  std::size_t depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
  std::uint64_t line_ = 1;
  std::uint64_t object_line_ = 0;
  std::uint64_t rows_ = 0;
  std::uint64_t wanted_row_ = 0;
  std::uint64_t found_line_ = 0;
  std::optional<FileProblem> problem_;
};

}  // namespace huiliu::codecs
