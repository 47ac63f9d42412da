#include "connectors/http/batch_rows.h"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

namespace huiliu::connectors {

using runtime::Result;
using runtime::Status;

namespace {

/// A file in memory with that content.
Result<int> memory_file(std::string_view body) {
  const int fd = ::memfd_create("huiliu-batch", MFD_CLOEXEC);
  if (fd < 0)
    return Status::unavailable(fmt::format("no file in memory: {}", std::strerror(errno)));
  while (!body.empty()) {
    const ssize_t written = ::write(fd, body.data(), body.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      ::close(fd);
      return Status::unavailable(fmt::format("no file in memory: {}", std::strerror(errno)));
    }
    body.remove_prefix(static_cast<std::size_t>(written));
  }
  return fd;
}

}  // namespace

Result<std::unique_ptr<BatchRows>> BatchRows::open(const codecs::FileOptions& options,
                                                   const BatchForm& form, std::string_view body,
                                                   const std::string& position) {
  codecs::FilePosition at;
  if (!position.empty()) {
    const auto parsed = codecs::FilePosition::parse(position);
    if (!parsed) return Status::corrupt(fmt::format("'{}' is no position in a batch", position));
    at = *parsed;
  }
  HUILIU_ASSIGN_OR_RETURN(const int fd, memory_file(body));
  std::unique_ptr<BatchRows> rows(new BatchRows(options));
  rows->options_.format = form.format;
  at.size = body.size();
  // Without an ending it is taken for JSON unless its content says otherwise.
  rows->cursor_ = std::make_unique<codecs::FileCursor>(
      rows->options_,
      codecs::FileCursor::Place{fd, fmt::format("/proc/self/fd/{}", fd),
                                form.name.empty() ? "batch" : form.name, ""},
      at);
  if (!rows->cursor_->open()) {
    return Status::corrupt("a batch is not the one of which a part was read before");
  }
  return rows;
}

}  // namespace huiliu::connectors
