#include "codecs/json_text.h"

#include <cstdint>
#include <cstring>

#include <emmintrin.h>

namespace huiliu::codecs {
namespace {

unsigned to_escape(__m128i bytes) {
  const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
  const __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
  const __m128i limit = _mm_set1_epi8(0x1F);
  const __m128i control = _mm_cmpeq_epi8(_mm_max_epu8(bytes, limit), limit);
  return static_cast<unsigned>(
      _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), control)));
}

char* put_escape(char* to, unsigned char c) {
  *to++ = '\\';
  switch (c) {
    case '"':
    case '\\':
      *to++ = static_cast<char>(c);
      return to;
    case '\n':
      *to++ = 'n';
      return to;
    case '\t':
      *to++ = 't';
      return to;
    case '\r':
      *to++ = 'r';
      return to;
    default: {
      constexpr char kHex[] = "0123456789abcdef";
      to[0] = 'u';
      to[1] = to[2] = '0';
      to[3] = kHex[c >> 4];
      to[4] = kHex[c & 15];
      return to + 5;
    }
  }
}

/// The last `size` < 16 bytes, loaded without reading beyond them; the rest are blanks.
__m128i load_tail(const char* from, std::size_t size) {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  if (size >= 8) {
    std::memcpy(&low, from, 8);
    std::memcpy(&high, from + size - 8, 8);
    high = size == 8 ? 0 : high >> (8 * (16 - size));
  } else if (size >= 4) {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    std::memcpy(&first, from, 4);
    std::memcpy(&last, from + size - 4, 4);
    low = first | (static_cast<std::uint64_t>(last) << (8 * (size - 4)));
  } else {
    for (std::size_t i = 0; i < size; ++i) {
      low |= static_cast<std::uint64_t>(static_cast<unsigned char>(from[i])) << (8 * i);
    }
  }
  return _mm_set_epi64x(static_cast<long long>(high), static_cast<long long>(low));
}

}  // namespace

char* put_json_string(char* to, std::string_view text) {
  *to++ = '"';
  const char* from = text.data();
  std::size_t left = text.size();
  while (left > 0) {
    const std::size_t step = left < 16 ? left : 16;
    const __m128i bytes =
        left < 16 ? load_tail(from, left) : _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
    const unsigned mask = to_escape(bytes) & ((1u << step) - 1);
    if (mask == 0) [[likely]] {
      to += step;
      from += step;
      left -= step;
      continue;
    }
    const auto plain = static_cast<std::size_t>(__builtin_ctz(mask));
    to = put_escape(to + plain, static_cast<unsigned char>(from[plain]));
    from += plain + 1;
    left -= plain + 1;
  }
  *to++ = '"';
  return to;
}

void append_json_string(std::string_view text, std::string& out) {
  const std::size_t before = out.size();
  out.resize(before + text.size() * 6 + kJsonSlack);
  const char* end = put_json_string(out.data() + before, text);
  out.resize(static_cast<std::size_t>(end - out.data()));
}

}  // namespace huiliu::codecs
