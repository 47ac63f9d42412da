#pragma once

#include <string>
#include <string_view>

namespace huiliu::codecs {

/// A heading as it is compared: in half width, without blanks of every kind, line breaks,
/// zero-width marks and byte order marks, and without the * of required columns at its ends.
std::string heading_key(std::string_view heading);

/// What is wrong with a file as a whole, in both languages.
struct FileProblem {
  std::string en;
  std::string zh;
};

}  // namespace huiliu::codecs
