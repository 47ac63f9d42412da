#include "runtime/key.h"

#define XXH_INLINE_ALL
#include <cstring>

#include <xxhash.h>

namespace huiliu::runtime {

KeyBuilder::KeyBuilder(const Schema& schema, const std::vector<std::string>& fields) {
  for (const std::string& name : fields) {
    const std::size_t index = schema.index_of(name).value();
    fields_.push_back(index);
    types_.push_back(schema[index].type);
  }
}

// Each field is a 4-byte size (0xFFFFFFFF for null) and its bytes, so no two keys share an
// encoding.
std::string_view KeyBuilder::build(const Record& record) {
  bytes_.clear();
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    const Value& value = record[fields_[i]];
    std::uint32_t size = 0xFFFFFFFFu;
    if (value.is_null()) {
      bytes_.append(reinterpret_cast<const char*>(&size), sizeof size);
    } else if (is_text(types_[i])) {
      const std::string_view text = value.text();
      size = static_cast<std::uint32_t>(text.size());
      bytes_.append(reinterpret_cast<const char*>(&size), sizeof size);
      bytes_.append(text);
    } else {
      const std::int64_t integer = value.integer();
      size = sizeof integer;
      bytes_.append(reinterpret_cast<const char*>(&size), sizeof size);
      bytes_.append(reinterpret_cast<const char*>(&integer), sizeof integer);
    }
  }
  return bytes_;
}

std::uint64_t KeyBuilder::hash_bytes(std::string_view bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace huiliu::runtime
