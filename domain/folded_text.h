#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace huiliu::domain {

// A short cell made ready for a grammar: full-width ASCII narrowed, zero-width characters dropped,
// ends trimmed. Lives on the stack. Cells beyond the limit are no date and no amount.
class FoldedText {
 public:
  static constexpr std::size_t kCapacity = 128;  // bytes

  explicit FoldedText(std::string_view text);

  bool too_long() const { return too_long_; }
  std::string_view view() const { return {buffer_.data(), size_}; }

 private:
  std::array<char, kCapacity> buffer_;
  std::size_t size_ = 0;
  bool too_long_ = false;
};

}  // namespace huiliu::domain
