#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace huiliu::connectors::postgres {

/// Cells one after the other, each with its length before it; null has the greatest.
inline constexpr std::uint32_t kNullCell = ~std::uint32_t{0};

inline void put_cell(std::optional<std::string_view> cell, std::string& out) {
  const std::uint32_t size = cell ? static_cast<std::uint32_t>(cell->size()) : kNullCell;
  out.append(reinterpret_cast<const char*>(&size), sizeof size);
  if (cell) out.append(*cell);
}

/// Takes the next cell off `bytes`; false if it is not whole.
inline bool take_cell(std::string_view& bytes, std::optional<std::string_view>& cell) {
  std::uint32_t size = 0;
  if (bytes.size() < sizeof size) return false;
  std::memcpy(&size, bytes.data(), sizeof size);
  bytes.remove_prefix(sizeof size);
  cell.reset();
  if (size == kNullCell) return true;
  if (bytes.size() < size) return false;
  cell = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return true;
}

}  // namespace huiliu::connectors::postgres
