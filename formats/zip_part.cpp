#include "formats/zip_part.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include <archive.h>
#include <archive_entry.h>

namespace huiliu::formats {
namespace {

constexpr std::size_t kFileBlockBytes = std::size_t{64} << 10;

struct ArchiveDeleter {
  void operator()(archive* handle) const { archive_read_free(handle); }
};

std::string archive_message(archive* handle, const char* fallback) {
  const char* const text = archive_error_string(handle);
  return text != nullptr ? text : fallback;
}

char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_part_name(std::string_view left, std::string_view right) {
  const auto same = [](char a, char b) { return ascii_lower(a) == ascii_lower(b); };
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), same);
}

std::string_view entry_name(archive_entry* entry) {
  const char* name = archive_entry_pathname_utf8(entry);
  if (name == nullptr) name = archive_entry_pathname(entry);
  return name != nullptr ? std::string_view(name) : std::string_view();
}

}  // namespace

struct ZipPart::Impl {
  std::unique_ptr<archive, ArchiveDeleter> handle;
  std::string name;
  ZipLimits limits;
  std::uint64_t bytes_read = 0;

  Outcome open_archive(const ZipSource& source) {
    handle.reset(archive_read_new());
    if (handle == nullptr) return Outcome::failure(OutcomeCode::kIo, "out of memory");
    archive_read_support_format_zip_seekable(handle.get());
    const bool from_file = !source.path.empty();
    std::error_code error;
    if (from_file && !std::filesystem::is_regular_file(source.path, error)) {
      return Outcome::failure(OutcomeCode::kIo, source.path + ": no such regular file");
    }
    const int result =
        from_file
            ? archive_read_open_filename(handle.get(), source.path.c_str(), kFileBlockBytes)
            : archive_read_open_memory(handle.get(), source.bytes.data(), source.bytes.size());
    if (result == ARCHIVE_OK) return {};
    const int reason = archive_errno(handle.get());
    const bool no_access = reason == ENOENT || reason == EACCES || reason == EISDIR;
    return Outcome::failure(no_access ? OutcomeCode::kIo : OutcomeCode::kCorrupt,
                            "not a zip file: " + archive_message(handle.get(), "cannot open"));
  }

  Outcome find_entry() {
    for (std::uint32_t entries = 0; entries <= limits.max_entries; ++entries) {
      archive_entry* entry = nullptr;
      const int result = archive_read_next_header(handle.get(), &entry);
      if (result == ARCHIVE_EOF) {
        return Outcome::failure(OutcomeCode::kNotFound, "no part " + name + " in the zip file");
      }
      if (result < ARCHIVE_WARN) {
        return Outcome::failure(OutcomeCode::kCorrupt,
                                "damaged zip file: " + archive_message(handle.get(), "bad entry"));
      }
      if (same_part_name(entry_name(entry), name)) return {};
    }
    return Outcome::failure(OutcomeCode::kLimit, "too many entries in the zip file");
  }
};

ZipPart::ZipPart() = default;
ZipPart::~ZipPart() = default;
ZipPart::ZipPart(ZipPart&&) noexcept = default;
ZipPart& ZipPart::operator=(ZipPart&&) noexcept = default;

Outcome ZipPart::open(const ZipSource& source, std::string_view name, ZipLimits limits) {
  impl_ = std::make_unique<Impl>();
  impl_->name = name;
  impl_->limits = limits;
  Outcome opened = impl_->open_archive(source);
  return opened.ok() ? impl_->find_entry() : opened;
}

Outcome ZipPart::read(char* buffer, std::size_t capacity, std::size_t& got) {
  got = 0;
  const la_ssize_t count = archive_read_data(impl_->handle.get(), buffer, capacity);
  if (count < 0) {
    return Outcome::failure(
        OutcomeCode::kCorrupt,
        impl_->name + ": " + archive_message(impl_->handle.get(), "damaged data"));
  }
  got = static_cast<std::size_t>(count);
  impl_->bytes_read += got;
  if (impl_->bytes_read > impl_->limits.max_part_bytes) {
    return Outcome::failure(OutcomeCode::kLimit, impl_->name + ": larger than " +
                                                     std::to_string(impl_->limits.max_part_bytes) +
                                                     " bytes uncompressed");
  }
  return {};
}

}  // namespace huiliu::formats
