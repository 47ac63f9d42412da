#include "state/table_files.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <unistd.h>

#include "state/failpoint.h"
#include "state/layout.h"
#include "state/rocksdb_status.h"

namespace huiliu::state {
namespace {

// https://github.com/facebook/rocksdb/wiki/Rocksdb-BlockBasedTable-Format: checksum type (1),
// handles of the metaindex and of the index (varints, filled up to 40), format version (4), magic
// number (8).
constexpr std::size_t kFooter = 53, kHandles = 1, kVersion = 41, kMagic = 45;
constexpr std::uint64_t kMagicNumber = 0x88e241b785f4cff7;
constexpr std::uint32_t kFormat = 5;
constexpr std::uint64_t kBlockTrailer = 5;
constexpr unsigned char kNoChecksum = 0, kLastChecksum = 4;

template <class Number>
Number number_at(const std::array<char, kFooter>& footer, std::size_t at) {
  Number number{};
  std::memcpy(&number, footer.data() + at, sizeof number);
  return number;
}

/// A file that is read at places.
class File {
 public:
  explicit File(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  std::uint64_t size() const {
    const off_t end = fd_ < 0 ? 0 : ::lseek(fd_, 0, SEEK_END);
    return end < 0 ? 0 : static_cast<std::uint64_t>(end);
  }
  bool read(std::uint64_t at, char* into, std::size_t bytes) const {
    return ::pread(fd_, into, bytes, static_cast<off_t>(at)) == static_cast<ssize_t>(bytes);
  }

 private:
  int fd_;
};

struct Handle {
  std::uint64_t offset = 0, size = 0;
};

bool take_handle(std::string_view bytes, Handle& handle) {
  return take_varint(bytes, handle.offset) && take_varint(bytes, handle.size);
}

/// The block of properties is read before its checksum is looked at. It ends with the number of its
/// restart points, which is 1; a set top bit would mean a hash index.
bool has_sound_properties(const File& file, const Handle& metaindex) {
  constexpr std::string_view kName = "rocksdb.properties";
  constexpr std::uint64_t kMostBytes = 1 << 20;
  std::string block(static_cast<std::size_t>(std::min(kMostBytes, metaindex.size)), '\0');
  if (!file.read(metaindex.offset, block.data(), block.size())) return true;
  const std::size_t name = block.find(kName);
  Handle properties;
  std::uint32_t restarts = 0;
  if (name == std::string::npos ||
      !take_handle(std::string_view(block).substr(name + kName.size()), properties) ||
      properties.size < sizeof restarts || properties.offset + properties.size > metaindex.offset) {
    return true;  // the metaindex has a checksum
  }
  char last[sizeof restarts] = {};
  if (!file.read(properties.offset + properties.size - sizeof last, last, sizeof last)) return true;
  std::memcpy(&restarts, last, sizeof restarts);
  return restarts == 1;
}

/// The metaindex is the last block, right before the footer.
bool is_sound(const File& file) {
  const std::uint64_t size = file.size();
  std::array<char, kFooter> footer{};
  if (size < kFooter || !file.read(size - kFooter, footer.data(), kFooter)) return true;
  if (number_at<std::uint64_t>(footer, kMagic) != kMagicNumber) return true;
  const auto checksum = static_cast<unsigned char>(footer[0]);
  if (checksum == kNoChecksum || checksum > kLastChecksum) return false;
  if (number_at<std::uint32_t>(footer, kVersion) != kFormat) return false;
  Handle metaindex;
  return take_handle({footer.data() + kHandles, kVersion - kHandles}, metaindex) &&
         metaindex.offset + metaindex.size + kBlockTrailer + kFooter == size &&
         has_sound_properties(file, metaindex);
}

}  // namespace

runtime::Status check_footer(const std::string& path) {
  if (mutant("state.footers_unseen")) return runtime::Status::ok();
  if (is_sound(File(path))) return runtime::Status::ok();
  return damaged(path + ": its footer is not that of a table file");
}

runtime::Status check_footers(const std::string& folder) {
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(folder, error)) {
    if (file.path().extension() != ".sst") continue;
    if (auto status = check_footer(file.path().string()); !status.is_ok()) return status;
  }
  return runtime::Status::ok();
}

}  // namespace huiliu::state
