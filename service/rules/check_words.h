#pragma once

#include <string_view>

namespace huiliu::service {

/// What a check of `validate` asks for, in words. `{KEY}` stands for the values of the rule's key,
/// `{F:KEY}` for the fields that it names, `{T:KEY}` for the tables; what is in brackets belongs to
/// rules that have its key.
struct CheckWords {
  std::string_view check, zh, en;
  std::string_view codes;                   ///< the check's own
  std::string_view message_zh, message_en;  ///< the check's own; empty: one of several
};

/// Null if the check is not known here.
const CheckWords* check_words(std::string_view check);

}  // namespace huiliu::service
