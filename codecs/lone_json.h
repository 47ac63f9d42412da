#pragma once

#include <string>
#include <string_view>

#include "codecs/json_row.h"

namespace huiliu::codecs {

/// Says of texts that stand alone, such as a cell, whether they may be in a field of type json:
/// outputs write these as they are, so that `1,"b":2` would add a field.
class LoneJson {
 public:
  explicit LoneJson(int max_depth);
  /// Whether `text`, which is UTF-8, is one JSON value, blanks around it aside.
  bool is_one(std::string_view text);

 private:
  JsonRow row_;
  KeyTable key_;
  runtime::Arena arena_;
  std::string text_;
};

}  // namespace huiliu::codecs
