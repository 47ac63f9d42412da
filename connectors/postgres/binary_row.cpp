#include "connectors/postgres/binary_row.h"

#include <bit>

namespace huiliu::connectors::postgres {

using runtime::Type;
using runtime::Value;

namespace {

constexpr std::size_t kSizeBytes = 4;
constexpr std::size_t kHeadBytes = 1 + kSizeBytes;
constexpr char kStores = '+', kDeletes = '-';
// PostgreSQL counts from 2000.
constexpr std::int64_t kMs2000 = 946'684'800'000, kDays2000 = 10'957;

std::uint32_t read_size(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < kSizeBytes; ++i) {
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

constexpr std::uint32_t kNullSize = 0xFFFFFFFF;

std::size_t field_bytes(std::string_view fields) {
  const std::uint32_t size = read_size(fields);
  return kSizeBytes + (size == kNullSize ? 0 : size);
}

void append_text(std::string_view text, std::string& out) {
  append_integer(text.size(), kSizeBytes, out);
  out += text;
}

void append_number(std::uint64_t value, std::size_t bytes, std::string& out) {
  append_integer(bytes, kSizeBytes, out);
  append_integer(value, bytes, out);
}

}  // namespace

const ColumnType& column_type(Type type) {
  static constexpr ColumnType kBool{"boolean", 16, 1000}, kBytes{"bytea", 17, 1001},
      kInt{"bigint", 20, 1016}, kText{"text", 25, 1009}, kFloat{"double precision", 701, 1022},
      kDate{"date", 1082, 1182}, kTime{"timestamp with time zone", 1184, 1185},
      kJson{"jsonb", 3802, 3807};
  switch (type) {
    case Type::kBool:
      return kBool;
    case Type::kInt64:
      return kInt;
    case Type::kFloat64:
      return kFloat;
    case Type::kBytes:
      return kBytes;
    case Type::kTimestamp:
      return kTime;
    case Type::kDate:
      return kDate;
    case Type::kJson:
      return kJson;
    case Type::kString:
      return kText;
  }
  return kText;
}

void append_integer(std::uint64_t value, std::size_t bytes, std::string& out) {
  for (std::size_t shift = bytes * 8; shift > 0; shift -= 8) {
    out += static_cast<char>(value >> (shift - 8) & 0xFF);
  }
}

void append_null(std::string& out) { append_integer(kNullSize, kSizeBytes, out); }

void append_field(Type type, const Value& value, std::string& out) {
  if (value.is_null()) return append_null(out);
  switch (type) {
    case Type::kBool:
      return append_number(value.boolean() ? 1 : 0, 1, out);
    case Type::kInt64:
      return append_number(static_cast<std::uint64_t>(value.integer()), 8, out);
    case Type::kFloat64:
      return append_number(std::bit_cast<std::uint64_t>(value.real()), 8, out);
    case Type::kTimestamp:
      return append_number(static_cast<std::uint64_t>((value.integer() - kMs2000) * 1000), 8, out);
    case Type::kDate:
      return append_number(static_cast<std::uint64_t>(value.integer() - kDays2000), 4, out);
    case Type::kJson:
      append_integer(value.text().size() + 1, kSizeBytes, out);
      out += '\1';  // the version of jsonb's binary form
      out += value.text();
      return;
    case Type::kString:
    case Type::kBytes:
      return append_text(value.text(), out);
  }
}

std::size_t begin_row(bool deletes, std::string& out) {
  const std::size_t head = out.size();
  out += deletes ? kDeletes : kStores;
  out.append(kSizeBytes, '\0');
  return head;
}

void end_row(std::size_t head, std::string& out) {
  std::string size;
  append_integer(out.size() - head - kHeadBytes, kSizeBytes, size);
  out.replace(head + 1, kSizeBytes, size);
}

bool take_row(std::string_view& bytes, std::size_t width, std::size_t key, StoredRow& row) {
  if (bytes.size() < kHeadBytes || (bytes[0] != kStores && bytes[0] != kDeletes)) return false;
  row.deletes = bytes[0] == kDeletes;
  const std::uint32_t size = read_size(bytes.substr(1));
  if (bytes.size() - kHeadBytes < size) return false;
  row.fields = bytes.substr(kHeadBytes, size);
  bytes.remove_prefix(kHeadBytes + size);
  std::string_view rest = row.fields;
  for (std::size_t i = 0; i < (row.deletes ? key : width); ++i) {
    if (rest.size() < kSizeBytes || rest.size() < field_bytes(rest)) return false;
    rest.remove_prefix(field_bytes(rest));
  }
  return rest.empty();
}

std::string_view take_field(std::string_view& fields) {
  const std::string_view field = fields.substr(0, field_bytes(fields));
  fields.remove_prefix(field.size());
  return field;
}

bool is_storable_time(std::int64_t ms) {
  // From 4714 BC to 294276 AD.
  constexpr std::int64_t kFirst = -211'813'488'000'000, kLast = 9'223'371'331'199'999;
  return ms >= kFirst + kMs2000 && ms <= kLast;
}

bool is_storable_date(std::int64_t days) {
  constexpr std::int64_t kFirst = -2'451'545, kLast = 2'147'483'493;
  return days >= kFirst + kDays2000 && days <= kLast;
}

}  // namespace huiliu::connectors::postgres
