#include "formats/xls_records.h"

#include <algorithm>

#include "formats/encoding.h"
#include "formats/little_endian.h"

namespace huiliu::formats {
namespace {

constexpr std::size_t kHeadBytes = 4;

// Characters of one byte are the first 256 of Unicode.
void append_latin(char c, std::string& output) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte < 0x80) return output.push_back(c);
  output.push_back(static_cast<char>(0xC0 | byte >> 6));
  output.push_back(static_cast<char>(0x80 | (byte & 0x3F)));
}

}  // namespace

bool XlsRecords::next(XlsRecord& record) {
  if (at_ >= stream_.size()) return false;
  const std::size_t size = get_u16(stream_, at_ + 2);
  if (stream_.size() - at_ < kHeadBytes + size) {
    cut_ = true;
    return false;
  }
  record.id = static_cast<XlsRecordId>(get_u16(stream_, at_));
  record.at = at_;
  record.data = stream_.substr(at_ + kHeadBytes, size);
  at_ += kHeadBytes + size;
  return true;
}

std::vector<std::string_view> XlsRecords::continuations() {
  std::vector<std::string_view> pieces;
  XlsRecord record;
  for (std::size_t before = at_; next(record); before = at_) {
    if (record.id != XlsRecordId::kContinue) {
      at_ = before;
      break;
    }
    pieces.push_back(record.data);
  }
  return pieces;
}

bool XlsTextReader::at_end() {
  while (piece_ < pieces_.size() && at_ == pieces_[piece_].size()) {
    ++piece_;
    at_ = 0;
  }
  return piece_ == pieces_.size();
}

bool XlsTextReader::skip(std::size_t bytes) {
  while (bytes > 0 && !at_end()) {
    const std::size_t passed = std::min(bytes, pieces_[piece_].size() - at_);
    at_ += passed;
    bytes -= passed;
  }
  return bytes == 0;
}

bool XlsTextReader::get(std::size_t bytes, std::uint32_t& value) {
  value = 0;
  for (std::size_t i = 0; i < bytes; ++i) {
    if (at_end()) return false;
    value |= std::uint32_t{get_u8(pieces_[piece_], at_++)} << (8 * i);
  }
  return true;
}

bool XlsTextReader::append(unsigned length_bytes, std::string& output) {
  std::uint32_t length = 0, flags = 0, runs = 0, extra = 0;
  if (!get(length_bytes, length) || !get(1, flags)) return false;
  if ((flags & 8) != 0 && !get(2, runs)) return false;
  if ((flags & 4) != 0 && !get(4, extra)) return false;
  if (!append_characters(length, (flags & 1) != 0, output)) return false;
  // Fonts of parts of the text, and how it is pronounced.
  return skip(std::size_t{runs} * 4 + extra);
}

bool XlsTextReader::append_characters(std::size_t count, bool wide, std::string& output) {
  std::string rest;
  while (count > 0) {
    if (piece_ < pieces_.size() && at_ == pieces_[piece_].size()) {
      std::uint32_t flags = 0;
      if (!get(1, flags)) return false;
      wide = (flags & 1) != 0;
    }
    if (piece_ >= pieces_.size()) return false;
    const std::string_view left = pieces_[piece_].substr(at_);
    const std::size_t taken = std::min(count, wide ? left.size() / 2 : left.size());
    if (wide) {
      append_utf16(left.substr(0, taken * 2), false, rest, output);
    } else {
      for (const char c : left.substr(0, taken)) append_latin(c, output);
    }
    at_ += wide ? taken * 2 : taken;
    count -= taken;
    // Half a character at a record's end belongs to nothing.
    if (taken == 0 && !left.empty()) at_ = pieces_[piece_].size();
  }
  // A surrogate without its other half.
  if (!rest.empty()) output.append("\xEF\xBF\xBD");
  return true;
}

}  // namespace huiliu::formats
