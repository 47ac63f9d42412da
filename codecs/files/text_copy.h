#pragma once

#include <cstdint>
#include <string_view>

namespace huiliu::codecs {

struct TextCopy {
  int fd = -1;  ///< to be closed by the caller; -1: see error
  std::uint64_t size = 0;
  int error = 0;  ///< errno
};

/// A nameless file in the folder for temporary ones, or -1 (errno).
int open_temporary();
/// False: errno.
bool write_all(int fd, std::string_view bytes);

/// Copies a text file into a nameless temporary file as UTF-8: from UTF-16 when `utf16` is 'L' or
/// 'B' (its byte order, formats::utf16_mark()), else byte by byte; CR, CR LF and CR CR LF become
/// LF. Takes the same disk space again while the file is read.
TextCopy copy_as_plain_text(int from, char utf16);

}  // namespace huiliu::codecs
