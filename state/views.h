#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "runtime/component/operator.h"
#include "runtime/record/compact_row.h"
#include "runtime/record/key.h"
#include "state/table.h"

/// Tables as operators want them: typed, and by the key of the record at hand, without shards,
/// bytes and hashes.
namespace huiliu::state {

/// A record's key in a table; valid until the next one is asked for.
struct Key {
  std::string_view bytes;
  std::uint64_t hash = 0;
};

/// Keys of a keyed operator's records, whichever of its inputs they come by.
class Keys {
 public:
  explicit Keys(const runtime::Declaration& declaration) {
    for (std::size_t i = 0; i < declaration.inputs.size(); ++i) {
      builders_.emplace_back(*declaration.inputs[i], declaration.key_of(i));
    }
  }

  Key of(std::size_t input, const runtime::Record& record) {
    return {builders_[input].build(record), record.key_hash};
  }
  /// Whether a field of the key is null: such a record has the key of no other.
  bool is_null(std::size_t input, const runtime::Record& record) const {
    for (const std::size_t field : builders_[input].fields()) {
      if (record[field].is_null()) return true;
    }
    return false;
  }

 private:
  std::vector<runtime::KeyBuilder> builders_;
};

/// What views have in common: the table that declare() named, and the shard of each key.
class View {
 public:
  runtime::Status open(runtime::OperatorContext& context, std::string_view table) {
    context_ = &context;
    HUILIU_ASSIGN_OR_RETURN(table_, context.table(table));
    return runtime::Status::ok();
  }
  void erase(Key key) { table_->erase(shard_of(key), key.bytes, key.hash); }
  /// For Operator::expect.
  void prefetch(std::uint64_t key_hash) const { table_->prefetch(key_hash); }

 protected:
  std::uint16_t shard_of(Key key) const { return context_->shard_of(key.hash); }

  runtime::OperatorContext* context_ = nullptr;
  Table* table_ = nullptr;
};

/// One value of `T` per key, kept as its bytes: state is read on machines of the same kind only.
template <class T>
class Values final : public View {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  std::optional<T> get(Key key) {
    const auto bytes = table_->get(shard_of(key), key.bytes, key.hash);
    if (!bytes) return std::nullopt;
    if (bytes->size() != sizeof(T)) table_->refuse_row(shard_of(key));
    T value;
    std::memcpy(&value, bytes->data(), sizeof value);
    return value;
  }
  void put(Key key, const T& value) {
    table_->put(shard_of(key), key.bytes, key.hash,
                {reinterpret_cast<const char*>(&value), sizeof value});
  }
};

/// One row of a schema per key.
class Rows final : public View {
 public:
  explicit Rows(const runtime::Schema& schema) : codec_(schema) {}

  /// Fills `into`, which has as many slots as the schema has fields; text lives in the arena. False
  /// if the key has no row.
  bool get(Key key, runtime::Arena& arena, runtime::Value* into) {
    const auto stored = table_->get(shard_of(key), key.bytes, key.hash);
    if (!stored) return false;
    std::string_view bytes = arena.copy(*stored);
    if (!codec_.take(bytes, into)) table_->refuse_row(shard_of(key));
    return true;
  }
  void put(Key key, const runtime::Value* values) {
    bytes_.clear();
    codec_.append(values, bytes_);
    table_->put(shard_of(key), key.bytes, key.hash, bytes_);
  }

 private:
  runtime::CompactRowCodec codec_;
  std::string bytes_;
};

}  // namespace huiliu::state
