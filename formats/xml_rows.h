#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/outcome.h"

namespace huiliu::formats {

struct XmlRow {
  // The names of a row's elements and attributes without prefix, and their texts without blanks at
  // the ends, in the order of the file.
  std::vector<std::pair<std::string, std::string>> fields;
  std::uint64_t line = 0;  // of its start
  bool too_long = false;   // what goes beyond the bound is not in `fields`
};

struct XmlRowsLimits {
  std::size_t max_row_bytes = std::size_t{1} << 20;
  std::uint32_t max_depth = 64;
};

// Reads <ROWDATA><ROW><NAME>text</NAME>...</ROW>...</ROWDATA>, the form of the national upload,
// also within other elements and with the values as attributes of ROW. Fed with UTF-8 piece by
// piece, whatever the declaration says; holds one row. Refuses a DOCTYPE, hence entities of the
// file's own.
class XmlRows {
 public:
  using Take = std::function<void(const XmlRow&)>;
  XmlRows(XmlRowsLimits limits, Take take);
  ~XmlRows();
  XmlRows(const XmlRows&) = delete;
  XmlRows& operator=(const XmlRows&) = delete;

  // False when the text is refused, see outcome(): rows before were taken.
  bool feed(std::string_view text);
  // Says that there is no more.
  bool finish();
  // Ends with a reason that lies outside, e.g. bytes that are no text.
  void refuse(const std::string& message, const std::string& zh);

  // Whether there was a ROWDATA at all: else the text is something else in XML.
  bool found() const;
  // kCorrupt and kLimit with the line in the message.
  const Outcome& outcome() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace huiliu::formats
