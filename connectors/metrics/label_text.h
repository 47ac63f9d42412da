#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace huiliu::connectors::metrics {

/// What a label says of records that have no value there.
inline constexpr std::string_view kNone = "none";
/// What it says in place of values that may not become one.
inline constexpr std::string_view kOther = "other";
inline constexpr std::size_t kMostLabelBytes = 32;

/// Between the values of one record; no value has it.
inline constexpr char kSeparator = '\x1f';

/// Whether whoever watches may see the value: it is short, and no number by which a person is
/// known (an identity number, or the credit code of an individual's business, which begins with
/// 92). People's data must not leave a run by its figures.
bool may_be_shown(std::string_view value);

/// Appends the value as a label shows it: kNone for an empty one, kOther for one that may not be
/// shown, else itself with '?' for control characters. False if it became kOther.
bool append_label(std::string_view value, std::string& out);

/// The values that append_label() made, joined by kSeparator.
std::vector<std::string> split_labels(std::string_view joined);

}  // namespace huiliu::connectors::metrics
