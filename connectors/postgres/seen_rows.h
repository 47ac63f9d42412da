#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/component/source.h"

namespace huiliu::connectors::postgres {

/// Which rows were given, by key, with a hash of what they held. It is part of the position: what
/// is added goes into chunks, and a chunk is written again or erased when rows of it are dropped,
/// so that an epoch commits what has changed. Some 100 bytes a row in memory.
class SeenRows {
 public:
  /// `exact`: a row that was dropped is unknown after a restart too. Otherwise one that was given
  /// twice may come back as it was first, which a pass that does not meet it drops again.
  explicit SeenRows(bool exact) : exact_(exact) {}
  /// A chunk of an earlier run: SeenRows::kPrefix and a number. False if it cannot be read.
  bool load(const std::string& name, const std::string& bytes);
  void clear();

  void begin_pass() { ++pass_; }
  /// Whether the row was given as it is now. It counts as met in this pass.
  bool knows(const std::string& key, std::uint64_t hash);
  void add(const std::string& key, std::uint64_t hash);
  /// Keys of at most `most` rows that this pass has not met; they are dropped.
  std::vector<std::string> drop_unmet(std::size_t most);
  std::size_t unmet() const;
  /// The chunk that the next row is added to.
  std::uint64_t chunk() const { return next_chunk_; }
  /// Drops what chunks `from` to `to` hold.
  void drop_chunks(std::uint64_t from, std::uint64_t to);
  std::size_t size() const { return rows_.size(); }
  /// What has changed of the chunks since it was asked last.
  void take_changes(std::vector<runtime::PositionChange>& positions);

  static constexpr std::string_view kPrefix = "seen/";

 private:
  struct Row {
    std::uint64_t hash = 0, chunk = 0, pass = 0;
    std::size_t slot = 0;  ///< in its chunk
  };
  using Item = std::pair<const std::string, Row>;
  std::string bytes_of(std::uint64_t chunk) const;
  void put_into(Item& item, std::uint64_t chunk);
  void take_out(Item& item);
  void compact();

  bool exact_;
  std::unordered_map<std::string, Row> rows_;
  std::map<std::uint64_t, std::vector<Item*>> chunks_;
  std::map<std::uint64_t, bool> changed_;  // and whether it must be written again
  std::uint64_t next_chunk_ = 1, pass_ = 1;
};

}  // namespace huiliu::connectors::postgres
