#include "operators/window_rows.h"

#include <cstring>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/record/key.h"

namespace huiliu::operators {
namespace {

constexpr std::uint64_t kSign = std::uint64_t{1} << 63;  // negative numbers come first

std::string number_text(std::string_view bytes) {
  const auto number = read_number(bytes);
  return number ? std::to_string(*number) : "damaged (" + std::to_string(bytes.size()) + " bytes)";
}

runtime::RowText describe_row(const runtime::Schema& input, const std::vector<std::string>& fields,
                              std::int64_t window_ms, std::string_view key,
                              std::string_view value) {
  if (key == kClosedKey) return {};
  const std::int64_t start = key.size() < kStartBytes ? 0 : read_start(key);
  if (key.size() < kStartBytes || (window_ms > 0 && start % window_ms != 0)) {
    return {{"damaged", "a row of no window, or of another version"}};
  }
  key.remove_prefix(kStartBytes);
  runtime::RowText text = runtime::take_key_text(input, fields, key);
  text.emplace_back("window_start", std::to_string(start));
  text.emplace_back("count", number_text(value));
  return text;
}

/// The layout of before, in which the window's start stood behind the key.
std::string first_layout(const runtime::Schema& input, const std::vector<std::string>& key,
                         std::int64_t window_ms) {
  std::vector<std::string> fields;
  for (const std::string& name : key) {
    const auto index = input.index_of(name);
    if (index) fields.push_back(fmt::format("{} {}", name, type_name(input[*index].type)));
  }
  return fmt::format("window_count key=({}) window={}ms count", fmt::join(fields, ", "), window_ms);
}

std::optional<runtime::AdoptedRow> adopt_row(std::string_view key, std::string_view value) {
  constexpr std::string_view kFirstClosedKey = "watermark";
  if (!read_number(value)) return {};
  runtime::AdoptedRow row{.key = {}, .value = std::string(value), .record_key = {}, .stays = true};
  if (key == kFirstClosedKey) {
    row.key = kClosedKey;
    return row;
  }
  if (key.size() < kStartBytes) return {};
  const std::size_t size = key.size() - kStartBytes;
  append_start(row.key, *read_number(key.substr(size)));
  row.key += key.substr(0, size);
  return row;
}

}  // namespace

void append_start(std::string& key, std::int64_t start) {
  const std::uint64_t bits = static_cast<std::uint64_t>(start) ^ kSign;
  for (int shift = 56; shift >= 0; shift -= 8) key += static_cast<char>(bits >> shift);
}

std::int64_t read_start(std::string_view key) {
  std::uint64_t bits = 0;
  for (const char c : key.substr(0, kStartBytes)) bits = bits << 8 | static_cast<unsigned char>(c);
  return static_cast<std::int64_t>(bits ^ kSign);
}

std::optional<std::int64_t> read_number(std::string_view value) {
  std::int64_t number = 0;
  if (value.size() != sizeof number) return {};
  std::memcpy(&number, value.data(), sizeof number);
  return number;
}

runtime::TableDeclaration windows_table(const runtime::Schema& input,
                                        const std::vector<std::string>& key,
                                        std::int64_t window_ms) {
  runtime::TableDeclaration table;
  table.name = "open";
  table.layout = fmt::format("window={}ms count by window", window_ms);
  table.describe = [input, key, window_ms](std::string_view row, std::string_view value) {
    return describe_row(input, key, window_ms, row, value);
  };
  table.longer_keys = true;
  table.cached = true;
  table.remedy =
      "The rows of an older version lie in another order: end it, copy its state with `huiliu "
      "snapshot`, then start with `huiliu run --from` and another state folder";
  table.adopt = [first = first_layout(input, key, window_ms)](
                    std::string_view layout) -> std::optional<runtime::Adoption> {
    if (layout != first) return {};
    return runtime::Adoption{"goes over to this layout", adopt_row};
  };
  return table;
}

}  // namespace huiliu::operators
