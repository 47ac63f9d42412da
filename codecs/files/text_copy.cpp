#include "codecs/files/text_copy.h"

#include <cerrno>
#include <filesystem>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

#include "formats/encoding.h"

namespace huiliu::codecs {
namespace {

/// Line ends become LF wherever the text is cut: CRs are held back until it is known what follows.
class LineEnds {
 public:
  void append(std::string_view text, std::string& output) {
    for (const char c : text) {
      if (c == '\r') {
        ++returns_;
        continue;
      }
      // CR CR LF is one line end that went through a wrong conversion; other CRs are one each.
      if (c != '\n') finish(output);
      returns_ = 0;
      output.push_back(c);
    }
  }
  void finish(std::string& output) {
    output.append(returns_, '\n');
    returns_ = 0;
  }

 private:
  std::size_t returns_ = 0;
};

bool copy_text(int from, int to, char utf16, std::uint64_t& size) {
  std::string block(1 << 20, '\0');
  std::string rest, text, out;
  LineEnds ends;
  const std::size_t mark_bytes = utf16 == '\0' ? 0 : 2;
  for (off_t at = static_cast<off_t>(mark_bytes);;) {
    const ssize_t got = ::pread(from, block.data(), block.size(), at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    at += got;
    out.clear();
    std::string_view piece(block.data(), static_cast<std::size_t>(got));
    if (utf16 != '\0') {
      text.clear();
      formats::append_utf16(piece, utf16 == 'B', rest, text);
      piece = text;
    }
    ends.append(piece, out);
    if (got == 0) {
      if (!rest.empty()) out.append("\uFFFD");
      ends.finish(out);
    }
    size += out.size();
    if (!write_all(to, out)) return false;
    if (got == 0) return true;
  }
}

}  // namespace

int open_temporary() {
  std::error_code none;
  std::string folder = std::filesystem::temp_directory_path(none).string();
  if (folder.empty()) folder = "/tmp";
  return ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

TextCopy copy_as_plain_text(int from, char utf16) {
  TextCopy copy;
  copy.fd = open_temporary();
  if (copy.fd >= 0 && copy_text(from, copy.fd, utf16, copy.size)) return copy;
  copy.error = errno;
  if (copy.fd >= 0) ::close(copy.fd);
  copy.fd = -1;
  return copy;
}

}  // namespace huiliu::codecs
