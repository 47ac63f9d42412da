#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/component/operator.h"

namespace huiliu::operators {

// Rows of `window_count`: start of the window, key → count. The start is such that bytes sort as
// numbers do, so the rows of a shard lie window by window.

/// Key of a shard's row that says up to when its windows are closed; shorter than a window's start.
inline constexpr std::string_view kClosedKey = "closed";

constexpr std::size_t kStartBytes = 8;

/// Appends the start of a window, as rows' keys begin with it.
void append_start(std::string& key, std::int64_t start);
/// Of a key that has that many bytes.
std::int64_t read_start(std::string_view key);
/// The number of a row's value; nothing if it is none.
std::optional<std::int64_t> read_number(std::string_view value);

/// The table of open windows, for a declaration whose fields of the key are known.
runtime::TableDeclaration windows_table(const runtime::Schema& input,
                                        const std::vector<std::string>& key,
                                        std::int64_t window_ms);

}  // namespace huiliu::operators
