#include "operators/version_state.h"

#include <algorithm>
#include <cstring>

namespace huiliu::operators {
namespace {

template <class Number>
void append_number(std::string& bytes, Number number) {
  bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void append_text(std::string& bytes, std::string_view text) {
  append_number(bytes, static_cast<std::uint16_t>(std::min<std::size_t>(text.size(), 0xFFFF)));
  bytes.append(text.substr(0, 0xFFFF));
}

template <class Number>
Number take_number(std::string_view& bytes) {
  Number number{};
  std::memcpy(&number, bytes.data(), sizeof number);
  bytes.remove_prefix(sizeof number);
  return number;
}

void take_text(std::string_view& bytes, std::string& into) {
  const std::size_t size = take_number<std::uint16_t>(bytes);
  into.assign(bytes.substr(0, size));
  bytes.remove_prefix(size);
}

bool is_number(std::string_view text) {
  return text.find_first_not_of("0123456789") == std::string_view::npos;
}

int compare_texts(std::string_view a, std::string_view b) {
  if (is_number(a) && is_number(b)) {
    a.remove_prefix(std::min(a.find_first_not_of('0'), a.size()));
    b.remove_prefix(std::min(b.find_first_not_of('0'), b.size()));
    if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  }
  return a.compare(b);
}

/// For records that no version puts in order.
Outcome decide_by_source(const VersionState& incoming, const VersionState& known,
                         const SourcePriority& priority) {
  // One source reports in its own order: the later row is the newer.
  if (incoming.source == known.source) return Outcome::kUpdated;
  const auto rank = [&](const std::string& source) {
    return std::find(priority.begin(), priority.end(), source) - priority.begin();
  };
  const auto ours = rank(incoming.source), theirs = rank(known.source);
  if (ours == theirs) return Outcome::kConflict;
  return ours < theirs ? Outcome::kUpdated : Outcome::kStale;
}

}  // namespace

void encode_state(const VersionState& state, std::string& bytes) {
  bytes.clear();
  bytes.push_back(state.withdrawn ? 1 : 0);
  append_number(bytes, state.content);
  append_text(bytes, state.source);
  for (const std::string& version : state.version) append_text(bytes, version);
}

void decode_state(std::string_view bytes, VersionState& state) {
  state.withdrawn = take_number<char>(bytes) != 0;
  state.content = take_number<std::uint64_t>(bytes);
  take_text(bytes, state.source);
  for (std::string& version : state.version) take_text(bytes, version);
}

bool read_state(std::string_view bytes, VersionState& state) {
  std::size_t needed = 1 + sizeof state.content;
  for (std::size_t text = 0; text <= state.version.size(); ++text) {
    std::uint16_t size = 0;
    if (bytes.size() < needed + sizeof size) return false;
    std::memcpy(&size, bytes.data() + needed, sizeof size);
    needed += sizeof size + size;
  }
  if (bytes.size() != needed) return false;
  decode_state(bytes, state);
  return true;
}

VersionOrder compare_versions(const std::vector<std::string>& incoming,
                              const std::vector<std::string>& known) {
  VersionOrder order = VersionOrder::kUnknown;
  for (std::size_t i = 0; i < incoming.size(); ++i) {
    if (incoming[i].empty() || known[i].empty()) continue;
    const int sign = compare_texts(incoming[i], known[i]);
    if (sign != 0) return sign < 0 ? VersionOrder::kOlder : VersionOrder::kNewer;
    order = VersionOrder::kSame;
  }
  return order;
}

std::string_view outcome_name(Outcome outcome) {
  static constexpr std::string_view names[kOutcomes] = {
      "ACCEPTED", "UPDATED", "REACTIVATED", "WITHDRAWN", "DUPLICATE", "STALE", "CONFLICT"};
  return names[static_cast<std::size_t>(outcome)];
}

Outcome decide(const VersionState& incoming, const VersionState* known,
               const SourcePriority& priority) {
  if (known == nullptr) return incoming.withdrawn ? Outcome::kWithdrawn : Outcome::kAccepted;
  if (incoming.content == known->content && incoming.withdrawn == known->withdrawn) {
    return Outcome::kDuplicate;
  }
  const VersionOrder order = compare_versions(incoming.version, known->version);
  if (order == VersionOrder::kOlder) return Outcome::kStale;
  if (incoming.withdrawn) return known->withdrawn ? Outcome::kDuplicate : Outcome::kWithdrawn;
  if (known->withdrawn) {
    return order == VersionOrder::kNewer ? Outcome::kReactivated : Outcome::kStale;
  }
  if (order == VersionOrder::kNewer) return Outcome::kUpdated;
  return decide_by_source(incoming, *known, priority);
}

}  // namespace huiliu::operators
