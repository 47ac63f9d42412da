#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace huiliu::state {

/// Keys and blobs as they lie in RocksDB. Numbers in keys are big-endian, so that they sort.
inline void append_big_endian(std::string& out, std::uint64_t number, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(number >> (8 * i));
}

inline std::uint64_t read_big_endian(std::string_view bytes) {
  std::uint64_t number = 0;
  for (char c : bytes) number = number << 8 | static_cast<unsigned char>(c);
  return number;
}

/// table, 0, shard, epoch → blob of changes
inline std::string changelog_key(std::string_view table, std::uint16_t shard, std::uint64_t epoch) {
  std::string key(table);
  key += '\0';
  append_big_endian(key, shard, 2);
  append_big_endian(key, epoch, 8);
  return key;
}

/// shard, key → value, in the table's column family
inline std::string row_key(std::uint16_t shard, std::string_view key) {
  std::string row;
  append_big_endian(row, shard, 2);
  row += key;
  return row;
}

/// log, 0, sequence → records (8 bytes), bytes
inline std::string log_key(std::string_view log, std::uint64_t sequence) {
  std::string key(log);
  key += '\0';
  append_big_endian(key, sequence, 8);
  return key;
}

/// One change in a blob: tombstone flag, sizes, key, value.
inline void append_change(std::string& blob, bool tombstone, std::string_view key,
                          std::string_view value) {
  const std::uint32_t head[2] = {
      static_cast<std::uint32_t>(key.size()) << 1 | (tombstone ? 1u : 0u),
      static_cast<std::uint32_t>(value.size())};
  blob.append(reinterpret_cast<const char*>(head), sizeof head);
  blob.append(key);
  blob.append(value);
}

/// Calls visit(tombstone, key, value) for each change; false if the blob is damaged.
template <class Visit>
bool read_changes(std::string_view blob, const Visit& visit) {
  while (!blob.empty()) {
    std::uint32_t head[2];
    if (blob.size() < sizeof head) return false;
    std::memcpy(head, blob.data(), sizeof head);
    blob.remove_prefix(sizeof head);
    const std::size_t key_size = head[0] >> 1;
    if (blob.size() < key_size || blob.size() - key_size < head[1]) return false;
    visit((head[0] & 1) != 0, blob.substr(0, key_size), blob.substr(key_size, head[1]));
    blob.remove_prefix(key_size + head[1]);
  }
  return true;
}

}  // namespace huiliu::state
