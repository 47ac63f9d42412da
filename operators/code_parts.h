#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "operators/code_table.h"

namespace huiliu::operators {

/// Judges a field that holds one or more values of a code table, such as 罚款；没收违法所得.
class CodeParts {
 public:
  enum class Answer { kInForce, kUnknown, kNotInForce, kNoFreeText };

  /// `separators` part several values; none: the field holds one. A value that begins with
  /// What begins with one of `other_prefixes` (such as 其他-; its hyphen may be typed as －, —, –,
  /// : or ：) is free text and must say something; with several separators, which are punctuation
  /// too, it ends only where a value of the table follows.
  CodeParts(CodeTable table, std::vector<std::string> separators,
            const std::vector<std::string>& other_prefixes);

  /// Blanks around values count for nothing, nor do separators at the end. An entry of the table
  /// that contains a separator goes before its parts. Allocates nothing.
  Answer judge(std::string_view text, std::string_view day) const;

 private:
  struct Match {
    CodeTable::Answer answer = CodeTable::Answer::kUnknown;
    std::size_t end = 0;  ///< of the entry, or of the first part when there is none
  };

  /// First separator at or after `from`: its offset and size; the text's end and 0 if there is
  /// none.
  std::pair<std::size_t, std::size_t> next_separator(std::string_view text, std::size_t from) const;
  /// The longest entry that begins at `from`, one in force before one that is not.
  Match longest_entry(std::string_view text, std::size_t from, std::string_view day) const;
  /// Bytes of an other_prefix that the text begins with; 0 if it does not.
  std::size_t other_prefix_of(std::string_view text) const;

  CodeTable table_;
  std::vector<std::string> separators_;
  std::array<bool, 256> starts_separator_{};
  std::vector<std::string> other_prefixes_;
};

}  // namespace huiliu::operators
