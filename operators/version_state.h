#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace huiliu::operators {

/// How many texts of each kind a state holds; fixed by the operator's config.
struct StateShape {
  std::size_t versions = 0;    ///< version fields
  std::size_t remembered = 0;  ///< fields of the last version that later ones are compared with
  std::size_t amended = 0;     ///< fields that amendments set
  std::size_t identities = 0;  ///< identity fields
  bool operator==(const StateShape&) const = default;
};

using OptionalTexts = std::vector<std::optional<std::string>>;

/// What is known of one record: its current version, or only amendments that wait for it.
struct VersionState {
  std::vector<std::string> version;  ///< values of the version fields, "" = absent
  std::uint64_t content = 0;         ///< hash of the compared fields
  std::string source;
  bool withdrawn = false;

  // The rest is absent in states of configs that name none of it.
  std::uint8_t content_list = 0;  ///< which list of compared fields the hash was made of
  bool awaited = false;           ///< amendments came before the record: there is no version yet
  bool announced = false;         ///< output `changes` holds an insertion of it
  std::string name;               ///< what the record is called in outputs; "" = its own identity
  OptionalTexts remembered, amended, identities;
  std::vector<std::string> amended_version;  ///< like `version`, of the last amendment
  std::string row;                           ///< the current version, or ""

  explicit VersionState(const StateShape& shape = {}) { resize(shape); }
  void resize(const StateShape& shape);
  /// As a new record has it; texts keep their memory.
  void clear();
};

/// Compact bytes for the table. A state that uses nothing but version, content, source and
/// withdrawn is written in the first form, which has only these.
void encode_state(const VersionState& state, std::string& bytes);
void encode_alias(std::string_view identity, std::string& bytes);
/// The identity that an alias leads to; nothing if the bytes are a state.
std::optional<std::string_view> read_alias(std::string_view bytes);

/// Reads what encode_state wrote with the same shape, or in the first form; false, and the state
/// unspecified, if the bytes are neither.
bool read_state(std::string_view bytes, VersionState& state);

/// How two versions stand to each other.
enum class VersionOrder { kOlder, kSame, kNewer, kUnknown };

/// Order of `incoming` against `known`: the first version field that both have and that differs
/// decides; numbers by value (9 before 10, 1.0 as 1), points in time by the instant (2024/9/30
/// before 2024/10/8), else by bytes. kUnknown if they share no version field.
VersionOrder compare_versions(const std::vector<std::string>& incoming,
                              const std::vector<std::string>& known);

enum class Outcome {
  kAccepted,
  kUpdated,
  kReactivated,
  kWithdrawn,
  kAmended,
  kDuplicate,
  kStale,
  kConflict,
  kWaiting
};
inline constexpr std::size_t kOutcomes = 9;
/// "ACCEPTED", "UPDATED", ... in the order of the enum.
std::string_view outcome_name(Outcome outcome);
/// Whether the outcome makes the incoming record the current version.
constexpr bool becomes_current(Outcome outcome) { return outcome <= Outcome::kWithdrawn; }

/// Sources in the order of their precedence, highest first; others come after all of them.
using SourcePriority = std::vector<std::string>;

/// Who goes before whom when no version says so.
struct Precedence {
  SourcePriority priority;
  std::string_view owner;  ///< the source that speaks for itself; "" = none
};

/// The decision table of the domain page, section 2.3. `known` is null for a new key. `same` says
/// that the content is that of `known`.
Outcome decide(const VersionState& incoming, const VersionState* known, bool same,
               const Precedence& precedence);

}  // namespace huiliu::operators
