#include "bench/credit/output_file.h"

#include <charconv>
#include <cstdio>
#include <cstdlib>

#include <fcntl.h>
#include <unistd.h>

namespace huiliu::bench {
namespace {

constexpr std::size_t kBlockBytes = 1u << 20;

[[noreturn]] void fail(const std::string& path) {
  std::perror(path.c_str());
  std::exit(1);
}

bool needs_escape(char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; }

}  // namespace

OutputFile::OutputFile(const std::string& path)
    : path_(path),
      descriptor_(::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644)),
      block_(kBlockBytes) {
  if (descriptor_ < 0) fail(path_);
}

OutputFile::~OutputFile() {
  flush();
  ::close(descriptor_);
}

void OutputFile::flush() {
  for (std::size_t written = 0; written < used_;) {
    const ssize_t wrote = ::write(descriptor_, block_.data() + written, used_ - written);
    if (wrote <= 0) fail(path_);
    written += static_cast<std::size_t>(wrote);
  }
  used_ = 0;
}

void OutputFile::make_room(std::size_t bytes) {
  flush();
  if (block_.size() < bytes) block_.resize(bytes);
}

void OutputFile::put_escaped(std::string_view text) {
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (!needs_escape(c)) continue;
    put(text.substr(plain, i - plain));
    plain = i + 1;
    switch (c) {
      case '"':
        put("\\\"");
        break;
      case '\\':
        put("\\\\");
        break;
      case '\n':
        put("\\n");
        break;
      case '\t':
        put("\\t");
        break;
      case '\r':
        put("\\r");
        break;
      default: {
        char escape[8];
        std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
        put(escape);
      }
    }
  }
  put(text.substr(plain));
}

void OutputFile::put_number(std::int64_t number) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  put({digits, static_cast<std::size_t>(end - digits)});
}

}  // namespace huiliu::bench
