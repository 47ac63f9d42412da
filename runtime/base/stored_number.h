#pragma once

#include <charconv>
#include <string>
#include <string_view>

#include "runtime/base/status.h"

namespace huiliu::runtime {

/// A whole number that this program wrote down, as for positions and epochs. Throws StatusError
/// (kCorrupt) with `what` it is of if the text is anything else.
template <class Number>
Number stored_number(std::string_view text, std::string_view what) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc() && stop == end) return number;
  throw StatusError(Status::corrupt(std::string("the state has '")
                                        .append(text.substr(0, 64))
                                        .append("' where a number belongs: ")
                                        .append(what)));
}

}  // namespace huiliu::runtime
