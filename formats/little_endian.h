#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace huiliu::formats {

// Little-endian numbers in outside bytes; what lies beyond the end reads as 0, so that callers
// check sizes once and not at each number.
template <typename Integer>
Integer get_little(std::string_view bytes, std::size_t at) {
  Integer value = 0;
  if (at > bytes.size() || bytes.size() - at < sizeof value) return 0;
  for (std::size_t i = sizeof value; i-- > 0;) {
    value = static_cast<Integer>((std::uint64_t{value} << 8) |
                                 static_cast<unsigned char>(bytes[at + i]));
  }
  return value;
}

inline std::uint8_t get_u8(std::string_view bytes, std::size_t at) {
  return get_little<std::uint8_t>(bytes, at);
}
inline std::uint16_t get_u16(std::string_view bytes, std::size_t at) {
  return get_little<std::uint16_t>(bytes, at);
}
inline std::uint32_t get_u32(std::string_view bytes, std::size_t at) {
  return get_little<std::uint32_t>(bytes, at);
}
inline double get_double(std::string_view bytes, std::size_t at) {
  return std::bit_cast<double>(get_little<std::uint64_t>(bytes, at));
}

}  // namespace huiliu::formats
