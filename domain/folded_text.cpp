#include "domain/folded_text.h"

#include <cstring>

#include "domain/utf8.h"

namespace huiliu::domain {

FoldedText::FoldedText(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Char c = decode_utf8(text, at);
    const char32_t folded = fold_width(c.code_point);
    const bool narrow = folded < 0x80 || folded == 0xA5;
    const bool leading_blank = size_ == 0 && is_white_space(folded);
    if (!is_zero_width(folded) && !leading_blank) {
      const std::string_view piece =
          folded == 0xA5 ? std::string_view("\u00A5") : text.substr(at, narrow ? 1 : c.size);
      if (size_ + piece.size() > buffer_.size()) {
        too_long_ = true;
        return;
      }
      std::memcpy(buffer_.data() + size_, piece.data(), piece.size());
      if (folded < 0x80) buffer_[size_] = static_cast<char>(folded);
      size_ += piece.size();
    }
    at += c.size;
  }
  while (size_ > 0 && is_white_space(static_cast<unsigned char>(buffer_[size_ - 1])) &&
         static_cast<unsigned char>(buffer_[size_ - 1]) < 0x80) {
    --size_;
  }
}

}  // namespace huiliu::domain
