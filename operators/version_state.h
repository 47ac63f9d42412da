#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace huiliu::operators {

/// What is known of the current version of one natural key.
struct VersionState {
  std::vector<std::string> version;  ///< values of the version fields, "" = absent
  std::uint64_t content = 0;         ///< hash of the compared fields
  std::string source;
  bool withdrawn = false;
};

/// Compact bytes for the table.
void encode_state(const VersionState& state, std::string& bytes);
/// Requires bytes that encode_state wrote with as many version fields.
void decode_state(std::string_view bytes, VersionState& state);

/// The same of any bytes: false if they are no such state.
bool read_state(std::string_view bytes, VersionState& state);

/// How two versions stand to each other.
enum class VersionOrder { kOlder, kSame, kNewer, kUnknown };

/// Order of `incoming` against `known`: the first version field that both have and that differs
/// decides, numbers by value, else by bytes. kUnknown if they share no version field.
VersionOrder compare_versions(const std::vector<std::string>& incoming,
                              const std::vector<std::string>& known);

enum class Outcome { kAccepted, kUpdated, kReactivated, kWithdrawn, kDuplicate, kStale, kConflict };
inline constexpr std::size_t kOutcomes = 7;
/// "ACCEPTED", "UPDATED", ... in the order of the enum.
std::string_view outcome_name(Outcome outcome);
/// Whether the outcome makes the incoming record the current version.
constexpr bool becomes_current(Outcome outcome) { return outcome <= Outcome::kWithdrawn; }

/// Sources in the order of their precedence, highest first; others come after all of them.
using SourcePriority = std::vector<std::string>;

/// The decision table of the domain page, section 2.3. `known` is null for a new key.
Outcome decide(const VersionState& incoming, const VersionState* known,
               const SourcePriority& priority);

}  // namespace huiliu::operators
