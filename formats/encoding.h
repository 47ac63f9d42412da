#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace huiliu::formats {

enum class Encoding : std::uint8_t { kUtf8, kUtf8Bom, kGb18030, kBinary };

// Bytes of the UTF-8 byte order mark, to be skipped when the encoding is kUtf8Bom.
inline constexpr std::size_t kUtf8BomBytes = 3;

// "utf-8", "utf-8-bom", "gb18030" or "binary".
std::string_view encoding_name(Encoding encoding);

// Guesses the encoding from a file's first bytes; `head` may end within a character, 64 KiB are
// plenty. A few damaged characters do not change the verdict, so that a file with a bad row is
// still read and only the row refused. An empty head is kUtf8; any NUL byte means kBinary.
Encoding detect_encoding(std::string_view head);

// True when `bytes` is wholly valid UTF-8 (no surrogates, no overlong forms, at most U+10FFFF).
bool is_valid_utf8(std::string_view bytes);

// True when `bytes` is valid UTF-8 with so many characters of three and four bytes (Chinese ones)
// that GB18030 text cannot look like it by chance.
bool is_surely_utf8(std::string_view bytes);

// The order mark of UTF-16 at the front: 'L' for little, 'B' for big endian, 0 for none.
char utf16_mark(std::string_view head);

// UTF-16 to UTF-8, piece by piece; `rest` keeps what a later piece completes. Unpaired surrogates
// become U+FFFD.
void append_utf16(std::string_view bytes, bool big_endian, std::string& rest, std::string& output);

// Length of the longest valid prefix; equals bytes.size() when all is valid.
std::size_t valid_utf8_prefix(std::string_view bytes);

enum class ConversionError : std::uint8_t {
  kNone,
  kBadSequence,  // bytes at bad_offset are no GB18030 character
  kTruncated,    // the input ends within the character at bad_offset
  kUnavailable   // this host's iconv has no GB18030 table
};

struct [[nodiscard]] Conversion {
  ConversionError error = ConversionError::kNone;
  std::size_t bad_offset = 0;  // byte offset in the input; meaningful on error only

  bool ok() const { return error == ConversionError::kNone; }
};

// GB18030 (hence also GBK and GB2312) to UTF-8. Holds an iconv descriptor; not thread safe, one a
// thread. Two- and four-byte forms, so all of Unicode including the supplementary planes.
class Gb18030Converter {
 public:
  Gb18030Converter();
  ~Gb18030Converter();
  Gb18030Converter(Gb18030Converter&& other) noexcept;
  Gb18030Converter& operator=(Gb18030Converter&& other) noexcept;
  Gb18030Converter(const Gb18030Converter&) = delete;
  Gb18030Converter& operator=(const Gb18030Converter&) = delete;

  // Appends the UTF-8 form of `input` to `output`. On error everything before bad_offset has been
  // appended. Allocates only when `output` must grow.
  Conversion append_utf8(std::string_view input, std::string& output);

 private:
  void* descriptor_;  // iconv_t; kClosed when unavailable or moved from
};

}  // namespace huiliu::formats
