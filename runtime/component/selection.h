#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace huiliu::runtime {

class Operator;
class Outputs;

/// A row that was read before, and refused.
struct SelectedRow {
  std::uint64_t row = 0;  ///< its offset in the partition
  std::uint64_t id = 0;   ///< Record::id
  std::string code;       ///< of the reject
};

/// Rows that are judged again by a run that reads these and nothing else ("rejudgement"): sources
/// take up the partitions concerned without moving their positions, other rows end where they are
/// decoded, and no watermark passes. Filled before the run.
class Selection {
 public:
  using Partitions = std::map<std::string, std::vector<SelectedRow>>;
  /// `number`: of the rejudgement, from 1; `text`: what was asked for.
  Selection(std::uint64_t number, std::string text) : number_(number), text_(std::move(text)) {}

  void add(const std::string& partition, SelectedRow row) {
    ids_.insert(row.id);
    partitions_[partition].push_back(std::move(row));
  }
  bool has(std::uint64_t id) const { return ids_.contains(id); }
  const Partitions& partitions() const { return partitions_; }
  std::size_t rows() const { return ids_.size(); }
  std::uint64_t number() const { return number_; }
  const std::string& text() const { return text_; }

 private:
  std::uint64_t number_;
  std::string text_;
  Partitions partitions_;
  std::unordered_set<std::uint64_t> ids_;
};

/// The newest rejudgement as the state has it, open from its first epoch on until its command has
/// come to its end: one that was interrupted is gone on with by the next that asks for the same.
struct Rejudgement {
  static constexpr const char* kKey = "rejudgement";
  std::uint64_t number = 0;  ///< 0: there was none
  bool open = false;
  std::string text;

  std::string to_value() const;
  static Rejudgement parse(const std::string& value);
};

/// Stands between a decoder and the outputs of its source: lets selected rows pass.
class Selector {
 public:
  /// `width`: of the source's records. All must outlive it.
  Selector(const Selection& selection, Outputs& source, std::uint32_t width);
  ~Selector();
  /// What the decoder writes to.
  Outputs& outputs() { return *outputs_; }

 private:
  std::unique_ptr<Outputs> outputs_, ignored_;
  std::unique_ptr<Operator> rows_, rejects_;
};

}  // namespace huiliu::runtime
