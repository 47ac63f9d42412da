#pragma once

#include <cstdint>
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

/// Seven bits a byte, least first; a set top bit: more follow (LEB128).
inline void append_varint(std::string& out, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7) out += static_cast<char>(number | 0x80);
  out += static_cast<char>(number);
}

/// False if the bytes end before the number does.
inline bool take_varint(std::string_view& bytes, std::uint64_t& number) {
  number = 0;
  for (int shift = 0; !bytes.empty() && shift < 64; shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    number |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

/// One change in a blob: size of the key and whether it is erased, size of the value, key, value.
inline void append_change(std::string& blob, bool tombstone, std::string_view key,
                          std::string_view value) {
  append_varint(blob, std::uint64_t{key.size()} << 1 | (tombstone ? 1u : 0u));
  append_varint(blob, value.size());
  blob.append(key);
  blob.append(value);
}

/// Calls visit(tombstone, key, value) for each change; false if the blob is damaged.
template <class Visit>
bool read_changes(std::string_view blob, const Visit& visit) {
  while (!blob.empty()) {
    std::uint64_t head = 0, value_size = 0;
    if (!take_varint(blob, head) || !take_varint(blob, value_size)) return false;
    const std::uint64_t key_size = head >> 1;
    if (blob.size() < key_size || blob.size() - key_size < value_size) return false;
    visit((head & 1) != 0, blob.substr(0, key_size), blob.substr(key_size, value_size));
    blob.remove_prefix(key_size + value_size);
  }
  return true;
}

}  // namespace huiliu::state
