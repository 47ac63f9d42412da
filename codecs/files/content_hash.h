#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace huiliu::codecs {

/// XXH3-128 of bytes handed over piece by piece.
class ContentHash {
 public:
  ContentHash();
  ~ContentHash();
  void add(std::string_view bytes);
  /// Hex digest of everything so far.
  std::string digest() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Of an open file: its first `length` bytes; empty if they cannot be read.
std::optional<std::string> hash_prefix(int fd, std::uint64_t length, ContentHash& hash);
/// Digests of an open file's first bytes, for each of these lengths that it has. Reads it once.
std::map<std::uint64_t, std::string> hash_prefixes(int fd, const std::set<std::uint64_t>& lengths);
/// Of an open file: size, first and last 64 KiB. Tells most files apart without reading them.
std::optional<std::string> quick_hash(int fd, std::uint64_t size);
std::uint64_t hash_of_name(std::string_view name);

}  // namespace huiliu::codecs
