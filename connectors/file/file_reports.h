#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "codecs/files/file_options.h"
#include "connectors/file/file_listing.h"
#include "runtime/component/source.h"

namespace huiliu::connectors {

/// What a file source says of files as a whole: each thing once, as a reject of row 0, so that it
/// reaches whoever reads the rejects and the reconciliation. What was said is a durable position.
class FileReports {
 public:
  explicit FileReports(const codecs::FileOptions& options) : options_(options) {}

  /// Forgets what waits, and takes what was said from the committed positions.
  void open(const runtime::SourceContext& context);

  /// A file or folder that is not read. In `later` nothing is refused for it yet: it may become
  /// readable; it counts as left out all the same.
  void left_out(const std::string& name, const codecs::FileProblem& why, bool later = false);
  /// The file is read now: a later problem is another one.
  void is_read(const std::string& name);
  void delivered_again(const std::string& name, const std::string& as, const std::string& stamp);
  void unclaimed(const std::string& name);
  /// The rest of a row that was read before it was whole. `positions` pass over it.
  void half_row(const std::string& name, std::string_view rest, std::uint64_t row,
                const std::string& id, std::vector<runtime::PositionChange> positions);

  bool was_delivered_again(const std::string& name, const std::string& stamp) const;

  /// A position of a file that is to be kept though there is no row to give with it.
  void also(const std::string& name, const std::string& key, const std::string& value) {
    with_next_.emplace_back(key, value);
    with_next_name_ = name;
  }
  /// Adds what has changed since the last slice to the positions of this one.
  void give_with(runtime::Slice& slice);
  /// The same in a slice without rows: until it is committed, a crash forgets it. False if nothing
  /// has changed.
  bool give_rest(runtime::Slice& slice);
  /// The next thing to say, as a slice that holds nothing else; false if there is none.
  bool give(runtime::Slice& slice);

 private:
  struct Report {
    std::string name, code;
    codecs::FileProblem text;
    std::uint64_t row = 0;
    std::string id;  ///< what the record's id is made of
    std::vector<runtime::PositionChange> positions;
  };
  void say_once(const std::string& mark, const std::string& value, Report report);

  const codecs::FileOptions& options_;
  runtime::SourceContext context_;
  std::deque<Report> waiting_;
  std::map<std::string, std::string> said_;  ///< mark → what was said
  std::map<std::string, std::string> logged_;
  std::vector<runtime::PositionChange> with_next_;
  std::string with_next_name_;
};

}  // namespace huiliu::connectors
