#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace huiliu::operators {

/// Why a text could not be brought into its form.
struct CleansingFailure {
  std::string_view code;
  std::string_view message_en;
  std::string_view message_zh;
};

/// What a step made of its input.
struct Cleansed {
  std::string_view text;  ///< views the input or the buffer
  bool is_null = false;   ///< the text stands for "no value"
  const CleansingFailure* failure = nullptr;
};

/// Brings a text into a form. `buffer` may be overwritten; the input is never in it.
using CleansingStep = Cleansed (*)(std::string_view text, std::string& buffer);

/// The step of that name; null if there is none. `end` chooses the variant of a step for the ends
/// of periods, where 长期 (for good) is 2099-12-31.
CleansingStep find_cleansing_step(std::string_view name, bool end);
/// Replaces neighbours that one pass over the text can do together.
void fuse_cleansing_steps(std::vector<CleansingStep>& steps);
/// Names and what the steps do, for messages and documentation.
const std::vector<std::string>& cleansing_step_names();
std::string cleansing_steps_doc();

}  // namespace huiliu::operators
