#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "operators/version_state.h"
#include "state/table.h"

namespace huiliu::operators {

/// Keeps the states of records in a table, each under the key of its row and the identity that it
/// was first known by; other identities lead there.
class RecordBook {
 public:
  RecordBook(const StateShape& shape, state::Table& table)
      : table_(&table), found_{.identity = {}, .state = VersionState(shape)} {}

  /// A row's place: the bytes of its key, its shard, and the key's hash.
  struct Place {
    std::string_view key;
    std::uint16_t shard = 0;
    std::uint64_t hash = 0;
  };

  /// One record that was found.
  struct Entry {
    std::string identity;  ///< that it is kept under; "" if the key alone names it
    VersionState state;
    bool grew = false;  ///< the row told of identities that were not known
  };

  /// Finds the record that the row is of: `identities` as the row has them, the best first. True if
  /// there is one; then `entry` is it, and its identities are completed by the row's.
  bool find(const Place& place, const OptionalTexts& identities, Entry& entry);
  /// Records of the place that are the same body as `entry`, known by another identity before the
  /// row told so. They are taken off the table: their identities lead to `entry` now.
  void merge(const Place& place, const OptionalTexts& identities, const Entry& entry,
             std::vector<Entry>& merged);
  void store(const Place& place, const Entry& entry);
  /// How many records of the place have been given a number, the next one's included.
  std::uint64_t next_number(const Place& place);

 private:
  /// Where the table keeps an identity of a place; it views `key_`.
  struct Address {
    std::string_view key;
    std::uint64_t hash = 0;
  };

  bool load(const Place& place, std::string_view identity, Entry& entry);
  Address address(const Place& place, std::string_view identity);
  void put(const Place& place, std::string_view identity);
  static bool contradicts(const OptionalTexts& ours, const Entry& entry, std::size_t by);
  static void complete(const OptionalTexts& ours, Entry& entry);

  state::Table* table_;
  std::string key_, bytes_;
  Entry found_;
};

}  // namespace huiliu::operators
