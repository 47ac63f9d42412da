#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "domain/robustness.h"

// Any bytes through every function of the folder.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (!huiliu::domain::feed_texts(bytes)) std::abort();
  huiliu::domain::feed_parsers(bytes);
  return 0;
}
