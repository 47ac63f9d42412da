#include "runtime/record/compact_row.h"

#include <algorithm>
#include <cstring>

namespace huiliu::runtime {
namespace {

// A size-prefixed FlatBuffer begins with its size, which has less than 31 bits.
constexpr std::uint32_t kMark = 0x80000001;
constexpr std::size_t kHeadBytes = 2 * sizeof(std::uint32_t);

// Seven bits a byte, the lowest first.
void append_number(std::string& out, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7) out += static_cast<char>(number | 0x80);
  out += static_cast<char>(number);
}

bool take_number(std::string_view& bytes, std::uint64_t& number) {
  number = 0;
  for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    number |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

std::uint32_t number_at(std::string_view bytes, std::size_t at) {
  std::uint32_t number = 0;
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}

}  // namespace

CompactRowCodec::CompactRowCodec(const Schema& schema) {
  for (const Field& field : schema.fields()) is_text_.push_back(runtime::is_text(field.type));
}

void CompactRowCodec::append(const Value* values, std::string& out) const {
  const std::size_t head = out.size();
  const std::uint32_t mark[2] = {kMark, 0};
  out.append(reinterpret_cast<const char*>(mark), kHeadBytes);
  for (std::size_t i = 0; i < is_text_.size(); ++i) {
    const Value& value = values[i];
    if (value.is_null()) continue;
    append_number(out, i);
    if (is_text_[i]) {
      append_number(out, value.text().size());
      out += value.text();
    } else {
      // A real's bits are kept as they are.
      const std::int64_t bits = value.integer();
      out.append(reinterpret_cast<const char*>(&bits), sizeof bits);
    }
  }
  const auto size = static_cast<std::uint32_t>(out.size() - head - kHeadBytes);
  std::memcpy(out.data() + head + sizeof(std::uint32_t), &size, sizeof size);
}

bool CompactRowCodec::begins(std::string_view bytes) {
  return bytes.size() >= kHeadBytes && number_at(bytes, 0) == kMark &&
         number_at(bytes, sizeof(std::uint32_t)) <= bytes.size() - kHeadBytes;
}

bool CompactRowCodec::take(std::string_view& bytes, Value* values) const {
  if (!begins(bytes)) return false;
  std::string_view row = bytes.substr(kHeadBytes, number_at(bytes, sizeof(std::uint32_t)));
  bytes.remove_prefix(kHeadBytes + row.size());
  std::fill_n(values, is_text_.size(), Value());
  while (!row.empty()) {
    std::uint64_t field = 0, size = sizeof(std::int64_t);
    if (!take_number(row, field) || field >= is_text_.size()) return false;
    if (is_text_[field] && !take_number(row, size)) return false;
    if (row.size() < size) return false;
    if (is_text_[field]) {
      values[field] = Value::of_text(row.substr(0, size));
    } else {
      std::int64_t bits = 0;
      std::memcpy(&bits, row.data(), sizeof bits);
      values[field] = Value::of_integer(bits);
    }
    row.remove_prefix(size);
  }
  return true;
}

}  // namespace huiliu::runtime
