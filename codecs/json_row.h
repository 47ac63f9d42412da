#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/record/arena.h"
#include "runtime/record/value.h"

namespace huiliu::codecs {

/// The keys that rows of a file may have, and where each goes.
class KeyTable {
 public:
  void add(std::string name, int field);
  /// Index of a key, or -1.
  int find(std::string_view name) const;
  int field(int key) const { return entries_[static_cast<std::size_t>(key)].field; }
  std::string_view name(int key) const { return entries_[static_cast<std::size_t>(key)].name; }
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string name;
    int field;
  };
  void index();
  std::vector<Entry> entries_;
  std::vector<std::int16_t> buckets_;
};

enum class JsonFault : std::uint8_t { kNone, kBadJson, kTooDeep, kWrongType };

/// Parses one JSON object at a time, straight into the slots of a row. Every byte is checked to be
/// JSON, whether the topology needs it or not, except that UTF-8 is checked by the caller. Numbers
/// and booleans in text fields keep their literal, objects and arrays are kept as JSON text; of
/// duplicate keys the last wins. Text without escapes is not copied.
class JsonRow {
 public:
  /// `types` per field.
  JsonRow(std::vector<runtime::Type> types, int max_depth);

  /// `bytes` ends at a line end or at a NUL behind the text; 16 bytes behind are readable.
  /// On success `end` is just behind the object. On a fault see field() and value().
  JsonFault parse(const char* bytes, const KeyTable& keys, runtime::Value* row,
                  runtime::Arena& arena, const char*& end);
  /// The field at fault (kWrongType) and its literal.
  int field() const { return field_; }
  std::string_view value() const { return value_; }
  std::string_view unknown_key() const { return unknown_key_; }
  void forget_unknown_key() { unknown_key_ = {}; }
  /// Call when the key table changes.
  void new_keys() { next_.clear(); }

 private:
  int key(const KeyTable& keys, int last);
  bool object(const KeyTable& keys, runtime::Value* row, runtime::Arena& arena);
  bool value(int field, runtime::Value* row, runtime::Arena& arena);
  bool text(runtime::Value* slot, runtime::Type type, runtime::Arena& arena);
  bool skip_string();
  bool skip_checked_string();
  bool skip_number(bool& whole);
  bool skip_literal();
  bool skip_nested(int depth);
  bool scalar(int field, runtime::Value* row);
  bool fail(JsonFault fault) {
    if (fault_ == JsonFault::kNone) fault_ = fault;
    return false;
  }
  void wrong_type(int field, const char* from);
  void blanks() {
    while (*at_ == ' ' || *at_ == '\t' || *at_ == '\r') ++at_;
  }

  std::vector<runtime::Type> types_;
  int max_depth_;
  const char* at_ = nullptr;
  bool escaped_ = false;
  JsonFault fault_ = JsonFault::kNone;
  JsonFault type_fault_ = JsonFault::kNone;
  int field_ = -1;
  std::string_view value_;
  std::string_view unknown_key_;
  std::vector<std::int16_t> next_;  // per key: the one that followed it last
};

}  // namespace huiliu::codecs
