#include "formats/xlsx_text.h"

#include "formats/encoding.h"

namespace huiliu::formats {
namespace {

constexpr std::size_t kMostUnits = 32767;
constexpr std::size_t kMarkUnits = 5;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// True when Excel would take text[at..] for the escape of a character (ST_Xstring).
bool looks_escaped(std::string_view text, std::size_t at) {
  if (text.size() - at < 7 || text.substr(at, 2) != "_x" || text[at + 6] != '_') return false;
  return text.substr(at + 2, 4).find_first_not_of("0123456789abcdefABCDEF") ==
         std::string_view::npos;
}

std::size_t character_bytes(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

bool is_forbidden(std::string_view character) {
  return character.front() == '\0' || character == "\xEF\xBF\xBE" || character == "\xEF\xBF\xBF";
}

// Bytes of the longest end of valid text that still leave room for the mark, while it is copied.
class Copy {
 public:
  explicit Copy(std::string& text) : text_(text) { text_.clear(); }

  // False when the text is full.
  bool add(std::string_view character, std::size_t units) {
    if (units_ <= kMostUnits - kMarkUnits) room_for_mark_ = text_.size();
    if (units_ + units > kMostUnits) return false;
    units_ += units;
    text_.append(character);
    return true;
  }
  void shorten() {
    text_.resize(room_for_mark_);
    text_.append(kShortenedMark);
  }

 private:
  std::string& text_;
  std::size_t units_ = 0;
  std::size_t room_for_mark_ = 0;
};

// Copies valid UTF-8; false when the text is full.
bool copy_valid(std::string_view value, Copy& copy, bool& replaced) {
  for (std::size_t at = 0; at < value.size();) {
    const std::string_view character = value.substr(at, character_bytes(value[at]));
    // The library counts the escape too, so that it takes part of the room.
    const bool escaped = character == "_" && looks_escaped(value, at);
    const bool forbidden = is_forbidden(character);
    replaced = replaced || forbidden;
    if (!(escaped ? copy.add("_x005F_", 7)
                  : copy.add(forbidden ? kReplacement : character, character.size() < 4 ? 1 : 2))) {
      return false;
    }
    at += character.size();
  }
  return true;
}

}  // namespace

CellText fit_cell_text(std::string_view value, std::string& text) {
  CellText found;
  Copy copy(text);
  bool fits = true;
  while (fits && !value.empty()) {
    const std::size_t valid = valid_utf8_prefix(value);
    fits = copy_valid(value.substr(0, valid), copy, found.replaced);
    value.remove_prefix(valid);
    if (!fits || value.empty()) break;
    found.replaced = true;
    fits = copy.add(kReplacement, 1);
    value.remove_prefix(1);
  }
  found.shortened = !fits;
  if (found.shortened) copy.shorten();
  return found;
}

}  // namespace huiliu::formats
