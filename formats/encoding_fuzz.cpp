#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "formats/encoding.h"

// Detection and conversion of any bytes: what comes out is UTF-8, offsets lie within the input.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace huiliu::formats;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)detect_encoding(bytes);
  const std::size_t prefix = valid_utf8_prefix(bytes);
  if (prefix > size || !is_valid_utf8(bytes.substr(0, prefix))) std::abort();
  if ((prefix == size) != is_valid_utf8(bytes)) std::abort();
  static Gb18030Converter converter;
  std::string out;
  const Conversion conversion = converter.append_utf8(bytes, out);
  if (!is_valid_utf8(out)) std::abort();
  if (!conversion.ok()) {
    if (conversion.bad_offset >= size) std::abort();
    std::string again;
    if (!converter.append_utf8(bytes.substr(0, conversion.bad_offset), again).ok()) std::abort();
    if (again != out) std::abort();
  }
  return 0;
}
