#include <charconv>
#include <cstring>

#include "connectors/files/json_decoder.h"

namespace huiliu::connectors::files {

using runtime::Type;
using runtime::Value;

RowBuilder::RowBuilder(const FileSourceOptions& options, const runtime::DecoderContext& context)
    : options_(options), event_time_field_(context.event_time_field), row_(context.row_slots) {
  record_.values = row_.data();
}

void RowBuilder::start(const runtime::Slice& slice, const Mapping& mapping, std::uint64_t offset) {
  record_.width = static_cast<std::uint32_t>(options_.fields.size());
  for (std::size_t i = 0; i < record_.width; ++i) row_[i] = Value();
  for (const auto& [field, text] : mapping.constants) row_[field] = Value::of_text(text);
  record_.ordinal = static_cast<std::uint32_t>(offset - slice.first_offset);
  record_.event_time = runtime::kNoEventTime;
  record_.origin = {slice.partition, offset};
  record_.id = runtime::record_id(slice.partition_hash, offset);
  record_.key_hash = 0;
}

void RowBuilder::set_text(std::size_t field, std::string_view text) {
  row_[field] = Value::of_text(text);
}

bool RowBuilder::set(std::size_t field, std::string_view text) {
  const char* end = text.data() + text.size();
  switch (options_.fields[field].type) {
    case Type::kInt64:
    case Type::kTimestamp:
    case Type::kDate: {
      std::int64_t number = 0;
      const auto result = std::from_chars(text.data(), end, number);
      if (result.ec != std::errc() || result.ptr != end) return false;
      row_[field] = Value::of_integer(number);
      return true;
    }
    case Type::kFloat64: {
      double number = 0;
      const auto result = std::from_chars(text.data(), end, number);
      if (result.ec != std::errc() || result.ptr != end) return false;
      row_[field] = Value::of_real(number);
      return true;
    }
    case Type::kBool:
      if (text != "true" && text != "false") return false;
      row_[field] = Value::of_bool(text == "true");
      return true;
    default:
      row_[field] = Value::of_text(text);
      return true;
  }
}

void RowBuilder::emit(runtime::Outputs& out) {
  if (event_time_field_ >= 0) {
    const Value& time = row_[static_cast<std::size_t>(event_time_field_)];
    if (!time.is_null()) record_.event_time = time.integer();
  }
  out.emit(record_);
}

namespace {

// Numbers of 15 or more digits may be identity numbers: all but the first 6 and last 4 are hidden.
std::string_view masked(std::string_view raw, runtime::Arena& arena) {
  constexpr std::size_t kMost = 200;
  std::size_t size = std::min(raw.size(), kMost);
  while (size > 0 && size < raw.size() && (raw[size] & 0xC0) == 0x80) --size;
  char* copy = arena.allocate(size + 1);
  std::memcpy(copy, raw.data(), size);
  for (std::size_t i = 0; i < size;) {
    std::size_t end = i;
    while (end < size && copy[end] >= '0' && copy[end] <= '9') ++end;
    if (end - i >= 15) std::memset(copy + i + 6, '*', end - i - 10);
    i = end + 1;
  }
  return {copy, size};
}

}  // namespace

void RowBuilder::reject(runtime::Outputs& out, std::string_view code, std::string_view field,
                        std::string_view value, std::string_view en, std::string_view zh) {
  out.reject(record_, {code, field, masked(value, out.arena()), "file@1", en, zh});
}

}  // namespace huiliu::connectors::files
