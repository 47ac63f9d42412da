# cmake -DHEADERS=a.h;b.h -DFOLDER=DIR -DOUTPUT=FILE -P headers_digest.cmake: writes FILE with a
# digest of the names, from DIR on, and the content of the headers.
set(all "")
foreach(header IN LISTS HEADERS)
  file(RELATIVE_PATH name ${FOLDER} ${header})
  file(SHA256 ${header} digest)
  string(APPEND all "${name} ${digest}\n")
endforeach()
string(SHA256 digest "${all}")
string(SUBSTRING ${digest} 0 16 digest)
set(text "#pragma once

#include <cstdint>

namespace huiliu::runtime {

/// Of the headers that libraries include, as they were when these were built (cmake/HuiliuHeaders.cmake).
inline constexpr std::uint64_t kHeadersDigest = 0x${digest};

}  // namespace huiliu::runtime
")
set(old "")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} old)
endif()
if(NOT old STREQUAL text)
  file(WRITE ${OUTPUT} "${text}")
endif()
