#include "domain/masking.h"

#include <algorithm>
#include <cstddef>

#include "domain/utf8.h"

namespace huiliu::domain {

void mask_id(std::string_view in, std::string& out) {
  out.clear();
  const bool ascii = std::none_of(in.begin(), in.end(),
                                  [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  if (in.size() < 15 || !ascii) {  // no cut through a character
    out.assign(count_characters(in), '*');
    return;
  }
  out.append(in, 0, 6).append(in.size() - 10, '*').append(in.substr(in.size() - 4));
}

void mask_name(std::string_view in, std::string& out) {
  out.clear();
  if (in.empty()) return;
  const std::size_t first = decode_utf8(in, 0).size;
  out.append(in, 0, first).append(count_characters(in.substr(first)), '*');
}

}  // namespace huiliu::domain
