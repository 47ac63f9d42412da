#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/record/record.h"
#include "runtime/record/schema.h"

namespace huiliu::runtime {

/// Builds the key of a record from some of its fields: an injective encoding, and its hash. The
/// hash decides the shard; it is stable across versions, machines and thread counts.
class KeyBuilder {
 public:
  KeyBuilder() = default;
  /// Every name must be a field of the schema.
  KeyBuilder(const Schema& schema, const std::vector<std::string>& fields);

  /// The key's bytes, valid until the next call of build().
  std::string_view build(const Record& record);
  std::uint64_t hash(const Record& record) { return hash_bytes(build(record)); }
  /// Takes the first field off a key that build() made; nothing if it is null. Numbers are their
  /// eight bytes.
  static std::optional<std::string_view> take_field(std::string_view& key);
  static std::uint64_t hash_bytes(std::string_view bytes);
  const std::vector<std::size_t>& fields() const { return fields_; }

 private:
  std::vector<std::size_t> fields_;
  std::vector<Type> types_;
  std::string bytes_;
};

/// A field of a key as people read it; null is "". Any bytes will do.
std::string key_field_text(Type type, std::optional<std::string_view> field);
/// Takes the fields off a key that KeyBuilder made: names and texts.
std::vector<std::pair<std::string, std::string>> take_key_text(
    const Schema& schema, const std::vector<std::string>& fields, std::string_view& key);

/// The shard of `shards` that a key with this hash belongs to.
inline std::uint16_t shard_of_hash(std::uint64_t hash, std::uint16_t shards) {
  return static_cast<std::uint16_t>((hash >> 40) % shards);
}

}  // namespace huiliu::runtime
