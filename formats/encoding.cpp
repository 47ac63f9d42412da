#include "formats/encoding.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <iconv.h>
#include <simdjson.h>

namespace huiliu::formats {
namespace {

void* closed_descriptor() { return reinterpret_cast<void*>(-1); }

std::uint8_t byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}

bool in_range(std::uint8_t value, std::uint8_t low, std::uint8_t high) {
  return value >= low && value <= high;
}

enum class Shape : std::uint8_t { kGood, kBad, kCut };

// One character at the front of the remaining bytes: its length when good, 1 when bad.
struct Step {
  Shape shape;
  std::size_t length;
};

struct Utf8Lead {
  std::size_t length;
  std::uint8_t second_low;
  std::uint8_t second_high;
};

// Unicode 15, table 3-7: well-formed UTF-8 byte sequences.
Utf8Lead classify_utf8_lead(std::uint8_t lead) {
  if (in_range(lead, 0xC2, 0xDF)) return {2, 0x80, 0xBF};
  if (lead == 0xE0) return {3, 0xA0, 0xBF};
  if (lead == 0xED) return {3, 0x80, 0x9F};
  if (in_range(lead, 0xE1, 0xEF)) return {3, 0x80, 0xBF};
  if (lead == 0xF0) return {4, 0x90, 0xBF};
  if (in_range(lead, 0xF1, 0xF3)) return {4, 0x80, 0xBF};
  if (lead == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

Step step_utf8(std::string_view bytes, std::size_t at) {
  const std::uint8_t lead_byte = byte_at(bytes, at);
  if (lead_byte < 0x80) return {Shape::kGood, 1};
  const Utf8Lead lead = classify_utf8_lead(lead_byte);
  if (lead.length == 0) return {Shape::kBad, 1};
  for (std::size_t i = 1; i < lead.length; ++i) {
    if (at + i >= bytes.size()) return {Shape::kCut, bytes.size() - at};
    const std::uint8_t low = i == 1 ? lead.second_low : std::uint8_t{0x80};
    const std::uint8_t high = i == 1 ? lead.second_high : std::uint8_t{0xBF};
    if (!in_range(byte_at(bytes, at + i), low, high)) return {Shape::kBad, 1};
  }
  return {Shape::kGood, lead.length};
}

// GB 18030-2005, byte structure: one byte 00-7F; two bytes 81-FE, 40-7E|80-FE; four bytes
// 81-FE, 30-39, 81-FE, 30-39.
Step step_gb18030(std::string_view bytes, std::size_t at) {
  const std::uint8_t lead = byte_at(bytes, at);
  if (lead < 0x80) return {Shape::kGood, 1};
  if (!in_range(lead, 0x81, 0xFE)) return {Shape::kBad, 1};
  const std::size_t left = bytes.size() - at;
  if (left < 2) return {Shape::kCut, left};
  const std::uint8_t second = byte_at(bytes, at + 1);
  if (in_range(second, 0x40, 0xFE) && second != 0x7F) return {Shape::kGood, 2};
  if (!in_range(second, 0x30, 0x39)) return {Shape::kBad, 1};
  if (left < 3) return {Shape::kCut, left};
  if (!in_range(byte_at(bytes, at + 2), 0x81, 0xFE)) return {Shape::kBad, 1};
  if (left < 4) return {Shape::kCut, left};
  if (!in_range(byte_at(bytes, at + 3), 0x30, 0x39)) return {Shape::kBad, 1};
  return {Shape::kGood, 4};
}

struct Census {
  std::size_t good_multibyte = 0;
  std::size_t bad = 0;
};

template <typename StepFunction>
Census take_census(std::string_view bytes, StepFunction step_at) {
  Census census;
  for (std::size_t at = 0; at < bytes.size();) {
    const Step step = step_at(bytes, at);
    if (step.shape == Shape::kBad) ++census.bad;
    if (step.shape == Shape::kGood && step.length > 1) ++census.good_multibyte;
    at += step.length;
  }
  return census;
}

// Text of the other encoding yields about as many bad as good sequences, a damaged row only a few.
bool mostly_good(const Census& census) { return census.bad * 10 <= census.good_multibyte; }

}  // namespace

std::string_view encoding_name(Encoding encoding) {
  switch (encoding) {
    case Encoding::kUtf8:
      return "utf-8";
    case Encoding::kUtf8Bom:
      return "utf-8-bom";
    case Encoding::kGb18030:
      return "gb18030";
    case Encoding::kBinary:
      return "binary";
  }
  return "binary";
}

Encoding detect_encoding(std::string_view head) {
  if (head.find('\0') != std::string_view::npos) return Encoding::kBinary;
  if (head.starts_with("\xEF\xBB\xBF")) return Encoding::kUtf8Bom;
  if (mostly_good(take_census(head, step_utf8))) return Encoding::kUtf8;
  if (mostly_good(take_census(head, step_gb18030))) return Encoding::kGb18030;
  return Encoding::kBinary;
}

bool is_valid_utf8(std::string_view bytes) {
  return simdjson::validate_utf8(bytes.data(), bytes.size());
}

bool is_surely_utf8(std::string_view bytes) {
  constexpr int kEnough = 4;
  int wide = 0;
  for (const char c : bytes) {
    if (static_cast<std::uint8_t>(c) >= 0xE0 && ++wide == kEnough) return is_valid_utf8(bytes);
  }
  return false;
}

char utf16_mark(std::string_view head) {
  if (head.starts_with("\xFF\xFE")) return 'L';
  return head.starts_with("\xFE\xFF") ? 'B' : '\0';
}

namespace {

void append_code_point(std::uint32_t code, std::string& output) {
  const auto put = [&output](std::uint32_t byte) { output.push_back(static_cast<char>(byte)); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xC0 | (code >> 6));
  } else {
    if (code < 0x10000) {
      put(0xE0 | (code >> 12));
    } else {
      put(0xF0 | (code >> 18));
      put(0x80 | ((code >> 12) & 63));
    }
    put(0x80 | ((code >> 6) & 63));
  }
  put(0x80 | (code & 63));
}

}  // namespace

void append_utf16(std::string_view bytes, bool big_endian, std::string& rest, std::string& output) {
  std::string joined;
  if (!rest.empty()) {
    joined = rest + std::string(bytes);
    bytes = joined;
  }
  const auto unit = [&](std::size_t at) {
    const auto first = static_cast<std::uint32_t>(byte_at(bytes, at));
    const auto second = static_cast<std::uint32_t>(byte_at(bytes, at + 1));
    return big_endian ? first << 8 | second : second << 8 | first;
  };
  std::size_t at = 0;
  while (at + 2 <= bytes.size()) {
    std::uint32_t code = unit(at);
    std::size_t size = 2;
    if (code >= 0xD800 && code < 0xDC00) {
      if (at + 4 > bytes.size()) break;
      const std::uint32_t low = unit(at + 2);
      const bool pair = low >= 0xDC00 && low < 0xE000;
      code = pair ? 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00) : 0xFFFD;
      size = pair ? 4 : 2;
    } else if (code >= 0xDC00 && code < 0xE000) {
      code = 0xFFFD;
    }
    append_code_point(code, output);
    at += size;
  }
  rest = std::string(bytes.substr(at));
}

std::size_t valid_utf8_prefix(std::string_view bytes) {
  if (is_valid_utf8(bytes)) return bytes.size();
  std::size_t at = 0;
  while (at < bytes.size()) {
    const Step step = step_utf8(bytes, at);
    if (step.shape != Shape::kGood) break;
    at += step.length;
  }
  return at;
}

Gb18030Converter::Gb18030Converter() : descriptor_(iconv_open("UTF-8", "GB18030")) {}

Gb18030Converter::~Gb18030Converter() {
  if (descriptor_ != closed_descriptor()) iconv_close(descriptor_);
}

Gb18030Converter::Gb18030Converter(Gb18030Converter&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, closed_descriptor())) {}

Gb18030Converter& Gb18030Converter::operator=(Gb18030Converter&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

Conversion Gb18030Converter::append_utf8(std::string_view input, std::string& output) {
  const auto not_ascii = [](char c) { return static_cast<std::uint8_t>(c) >= 0x80; };
  const auto ascii_end = std::find_if(input.begin(), input.end(), not_ascii);
  const auto ascii_bytes = static_cast<std::size_t>(ascii_end - input.begin());
  output.append(input.substr(0, ascii_bytes));
  if (ascii_bytes == input.size()) return {};
  if (descriptor_ == closed_descriptor()) return {ConversionError::kUnavailable, ascii_bytes};

  // A two-byte form becomes at most four bytes (a few of row FE are extension B); 2x is enough.
  const std::size_t old_size = output.size();
  std::size_t input_left = input.size() - ascii_bytes;
  std::size_t output_left = input_left * 2 + 8;
  output.resize(old_size + output_left);
  char* from = const_cast<char*>(input.data()) + ascii_bytes;  // iconv's signature; never written
  char* to = output.data() + old_size;
  iconv(descriptor_, nullptr, nullptr, nullptr, nullptr);
  const std::size_t converted = iconv(descriptor_, &from, &input_left, &to, &output_left);
  const int reason = converted == static_cast<std::size_t>(-1) ? errno : 0;
  // glibc may hold back a character that could combine with the next; this hands it over.
  if (reason == 0) iconv(descriptor_, nullptr, nullptr, &to, &output_left);
  output.resize(output.size() - output_left);
  if (reason == 0) return {};
  const auto offset = static_cast<std::size_t>(from - input.data());
  return {reason == EINVAL ? ConversionError::kTruncated : ConversionError::kBadSequence, offset};
}

}  // namespace huiliu::formats
