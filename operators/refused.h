#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace huiliu::operators {

inline constexpr std::string_view kRefusedType = "refused";
inline constexpr std::string_view kRefusedRows = "rows", kRefusedVerdicts = "verdicts";
inline constexpr std::string_view kRejected = "REJECTED";

/// A row of the table `rows`: a record that is refused at the moment.
struct RefusedRow {
  std::uint64_t rejudgement = 0;  ///< that refused it last; 0: it was refused when it was read
  std::uint64_t id = 0;           ///< Record::id: the row of a file of this content
  std::string partition;
  std::uint64_t row = 0;
  std::string code, rule;

  std::string to_bytes() const;
  /// Takes any bytes.
  static std::optional<RefusedRow> parse(std::string_view bytes);
};

/// A row of the table `verdicts`, by outcome and shard: what became of rows that were judged again.
struct VerdictCount {
  std::uint64_t rejudgement = 0;
  std::uint64_t count = 0;

  std::string to_bytes() const;
  static std::optional<VerdictCount> parse(std::string_view bytes);
};

}  // namespace huiliu::operators
