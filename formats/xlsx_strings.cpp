#include "formats/xlsx_strings.h"

#include <charconv>
#include <cstring>
#include <utility>

namespace huiliu::formats {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{256} << 10;
constexpr std::size_t kEscapeBytes = 7;  // _xHHHH_

// Appends the UTF-8 form of a character of the basic plane; returns its end.
char* put_utf8(char* to, std::uint32_t code) {
  if (code < 0x80) {
    *to++ = static_cast<char>(code);
  } else if (code < 0x800) {
    *to++ = static_cast<char>(0xC0 | (code >> 6));
    *to++ = static_cast<char>(0x80 | (code & 0x3F));
  } else {
    *to++ = static_cast<char>(0xE0 | (code >> 12));
    *to++ = static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    *to++ = static_cast<char>(0x80 | (code & 0x3F));
  }
  return to;
}

// The character an escape at the front of `text` stands for, 0 when there is none.
std::uint32_t read_escape(std::string_view text) {
  if (text.size() < kEscapeBytes || !text.starts_with("_x") || text[6] != '_') return 0;
  std::uint32_t code = 0;
  const auto result = std::from_chars(text.data() + 2, text.data() + 6, code, 16);
  if (result.ec != std::errc() || result.ptr != text.data() + 6) return 0;
  return code >= 0xD800 && code <= 0xDFFF ? 0 : code;
}

// Collects the text of each <si>: its <t> and those of its runs, but not the phonetic ones.
class SharedStringsHandler : public XmlHandler {
 public:
  explicit SharedStringsHandler(SharedStrings& table) : table_(table) {}
  void bind(XmlPull& pull) { pull_ = &pull; }

  void on_start(std::string_view name, const XmlAttributes&) override {
    if (name == "si") {
      in_item_ = true;
      text_.clear();
    } else if (name == "rPh") {
      in_phonetic_ = true;
    } else if (name == "t") {
      in_text_ = in_item_ && !in_phonetic_;
    }
  }

  void on_end(std::string_view name) override {
    if (name == "t") {
      in_text_ = false;
    } else if (name == "rPh") {
      in_phonetic_ = false;
    } else if (name == "si") {
      in_item_ = false;
      decode_xstring(text_, 0);
      if (!table_.add(text_)) fail_full();
    }
  }

  void on_text(std::string_view text) override {
    if (!in_text_) return;
    if (text_.size() + text.size() > table_.max_bytes()) {
      fail_full();
    } else {
      text_.append(text);
    }
  }

 private:
  void fail_full() {
    pull_->fail(OutcomeCode::kLimit, "more shared strings than the bound of " +
                                         std::to_string(table_.max_bytes()) + " bytes holds");
  }

  SharedStrings& table_;
  XmlPull* pull_ = nullptr;
  std::string text_;
  bool in_item_ = false;
  bool in_phonetic_ = false;
  bool in_text_ = false;
};

}  // namespace

void decode_xstring(std::string& text, std::size_t from) {
  std::size_t at = text.find("_x", from);
  if (at == std::string::npos) return;
  char* to = text.data() + at;
  while (at < text.size()) {
    const std::uint32_t code = read_escape(std::string_view(text).substr(at));
    if (code != 0) {
      to = put_utf8(to, code);
      at += kEscapeBytes;
    } else {
      *to++ = text[at++];
    }
  }
  text.resize(static_cast<std::size_t>(to - text.data()));
}

bool SharedStrings::add(std::string_view text) {
  const std::uint64_t cost = text.size() + sizeof(std::string_view);
  if (memory_bytes_ + cost > max_bytes_) return false;
  memory_bytes_ += cost;
  if (text.empty()) {
    strings_.emplace_back();
    return true;
  }
  char* const place = allocate(text.size());
  std::memcpy(place, text.data(), text.size());
  strings_.emplace_back(place, text.size());
  return true;
}

char* SharedStrings::allocate(std::size_t bytes) {
  if (bytes > kBlockBytes / 4) {
    blocks_.emplace_back(new char[bytes]);
    return blocks_.back().get();
  }
  if (bytes > block_left_) {
    blocks_.emplace_back(new char[kBlockBytes]);
    block_at_ = blocks_.back().get();
    block_left_ = kBlockBytes;
  }
  block_left_ -= bytes;
  return std::exchange(block_at_, block_at_ + bytes);
}

Outcome load_shared_strings(const ZipSource& source, std::string_view part, ZipLimits limits,
                            std::uint32_t max_depth, SharedStrings& table) {
  ZipPart stream;
  Outcome opened = stream.open(source, part, limits);
  if (!opened.ok()) return opened;
  SharedStringsHandler handler(table);
  XmlPull pull(std::move(stream), handler, max_depth);
  handler.bind(pull);
  pull.run();
  Outcome outcome = pull.outcome();
  if (!outcome.ok()) outcome.message = std::string(part) + ": " + outcome.message;
  return outcome;
}

}  // namespace huiliu::formats
