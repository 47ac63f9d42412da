#include "connectors/file/content_hash.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>
#include <xxhash.h>

namespace huiliu::connectors {
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
  std::vector<char> buffer(1 << 20);
  for (std::uint64_t at = 0; at < length;) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), length - at));
    if (!read_at(fd, at, buffer.data(), size)) return std::nullopt;
    hash.add({buffer.data(), size});
    at += size;
  }
  return hash.digest();
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

}  // namespace huiliu::connectors
