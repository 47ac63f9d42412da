#include "codecs/files/content_hash.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>
#include <xxhash.h>

namespace huiliu::codecs {
namespace {

bool read_at(int fd, std::uint64_t offset, char* into, std::size_t size) {
  while (size > 0) {
    const ssize_t got = ::pread(fd, into, size, static_cast<off_t>(offset));
    if (got <= 0) return false;
    into += got;
    offset += static_cast<std::uint64_t>(got);
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

bool add_range(int fd, std::uint64_t from, std::uint64_t to, ContentHash& hash) {
  std::vector<char> buffer(static_cast<std::size_t>(std::min<std::uint64_t>(1 << 20, to - from)));
  while (from < to) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), to - from));
    if (!read_at(fd, from, buffer.data(), size)) return false;
    hash.add({buffer.data(), size});
    from += size;
  }
  return true;
}

}  // namespace

struct ContentHash::State {
  XXH3_state_t* xxh = XXH3_createState();
  State() { XXH3_128bits_reset(xxh); }
  ~State() { XXH3_freeState(xxh); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

ContentHash::ContentHash() : state_(std::make_unique<State>()) {}
ContentHash::~ContentHash() = default;
void ContentHash::add(std::string_view bytes) {
  XXH3_128bits_update(state_->xxh, bytes.data(), bytes.size());
}
std::string ContentHash::digest() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(state_->xxh);
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

std::optional<std::string> hash_prefix(int fd, std::uint64_t length, ContentHash& hash) {
  if (!add_range(fd, 0, length, hash)) return std::nullopt;
  return hash.digest();
}

std::map<std::uint64_t, std::string> hash_prefixes(int fd, const std::set<std::uint64_t>& lengths) {
  std::map<std::uint64_t, std::string> digests;
  ContentHash hash;
  std::uint64_t at = 0;
  for (const std::uint64_t length : lengths) {
    if (!add_range(fd, at, length, hash)) break;
    at = length;
    digests[length] = hash.digest();
  }
  return digests;
}

std::optional<std::string> quick_hash(int fd, std::uint64_t size) {
  constexpr std::uint64_t kEnd = 64 << 10;
  ContentHash hash;
  hash.add(std::to_string(size) + ":");
  std::vector<char> buffer(kEnd);
  const auto head = static_cast<std::size_t>(std::min(kEnd, size));
  if (!read_at(fd, 0, buffer.data(), head)) return std::nullopt;
  hash.add({buffer.data(), head});
  const auto tail = static_cast<std::size_t>(std::min(kEnd, size - head));
  if (!read_at(fd, size - tail, buffer.data(), tail)) return std::nullopt;
  hash.add({buffer.data(), tail});
  return hash.digest();
}

std::uint64_t hash_of_name(std::string_view name) { return XXH3_64bits(name.data(), name.size()); }

}  // namespace huiliu::codecs
