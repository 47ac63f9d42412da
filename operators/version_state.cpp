#include "operators/version_state.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "domain/timestamps.h"

namespace huiliu::operators {
namespace {

// The first byte of a state or an alias. States of the first form have 0 or 1 there.
constexpr unsigned char kWithdrawn = 0x01, kAwaited = 0x02, kAnnounced = 0x04, kNamed = 0x08,
                        kHasRow = 0x10, kManyIdentities = 0x20, kIsAlias = 0x40, kWide = 0x80;
constexpr std::uint16_t kAbsent = 0xFFFF;

template <class Number>
void append_number(std::string& bytes, Number number) {
  bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void append_text(std::string& bytes, std::string_view text) {
  constexpr std::size_t kMost = kAbsent - 1;
  append_number(bytes, static_cast<std::uint16_t>(std::min(text.size(), kMost)));
  bytes.append(text.substr(0, kMost));
}

void append_texts(std::string& bytes, const OptionalTexts& texts) {
  for (const auto& text : texts) {
    if (text) {
      append_text(bytes, *text);
    } else {
      append_number(bytes, kAbsent);
    }
  }
}

/// Takes pieces off bytes that may be anything.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  template <class Number>
  void number(Number& into) {
    if (rest_.size() < sizeof into) return fail();
    std::memcpy(&into, rest_.data(), sizeof into);
    rest_.remove_prefix(sizeof into);
  }
  void text(std::string& into) {
    std::uint16_t size = 0;
    number(size);
    if (size == kAbsent || rest_.size() < size) return fail();
    into.assign(rest_.substr(0, size));
    rest_.remove_prefix(size);
  }
  void texts(OptionalTexts& into) {
    for (auto& one : into) {
      std::uint16_t size = 0;
      number(size);
      if (size == kAbsent) {
        one.reset();
        continue;
      }
      if (rest_.size() < size) return fail();
      one.emplace(rest_.substr(0, size));
      rest_.remove_prefix(size);
    }
  }
  std::string_view rest() const { return rest_; }
  void take_rest() { rest_ = {}; }
  bool whole() const { return ok_ && rest_.empty(); }

 private:
  void fail() {
    ok_ = false;
    rest_ = {};
  }

  std::string_view rest_;
  bool ok_ = true;
};

/// A state with one identity does not repeat it: it stands in the key.
bool many_identities(const VersionState& state) {
  return std::count_if(state.identities.begin(), state.identities.end(),
                       [](const auto& text) { return text.has_value(); }) > 1;
}

bool is_wide(const VersionState& state) {
  return state.content_list != 0 || state.awaited || state.announced || !state.name.empty() ||
         !state.remembered.empty() || !state.amended.empty() || many_identities(state) ||
         !state.row.empty();
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

struct BareNumber {
  bool negative = false;
  std::string_view whole, fraction;
};

/// "007" and "7.0" are 7: leading zeros go, and a fraction of zeros. Nothing if it is no number.
std::optional<BareNumber> bare_number(std::string_view text) {
  BareNumber number;
  number.negative = text.starts_with('-');
  if (number.negative) text.remove_prefix(1);
  const std::size_t dot = text.find('.');
  number.whole = text.substr(0, dot);
  if (dot != std::string_view::npos) number.fraction = text.substr(dot + 1);
  if (!is_number(number.whole)) return {};
  if (dot != std::string_view::npos && !is_number(number.fraction)) return {};
  number.whole.remove_prefix(std::min(number.whole.find_first_not_of('0'), number.whole.size()));
  while (number.fraction.ends_with('0')) number.fraction.remove_suffix(1);
  if (number.whole.empty() && number.fraction.empty()) number.negative = false;  // "-0" is 0
  return number;
}

int sign_of(int compared) { return compared < 0 ? -1 : compared > 0 ? 1 : 0; }

int compare_numbers(const BareNumber& a, const BareNumber& b) {
  if (a.negative != b.negative) return a.negative ? -1 : 1;
  int sizes = sign_of(a.whole.compare(b.whole));
  if (a.whole.size() != b.whole.size()) sizes = a.whole.size() < b.whole.size() ? -1 : 1;
  if (sizes == 0) sizes = sign_of(a.fraction.compare(b.fraction));
  return a.negative ? -sizes : sizes;
}

int compare_texts(std::string_view a, std::string_view b) {
  if (a == b) return 0;
  // Compact stamps (20241008090000) are longer than any number of versions; as points in time and
  // as numbers they have one order.
  const domain::ParsedTimestamp time_a = domain::parse_timestamp(a);
  if (time_a.error == domain::DateError::kOk) {
    const domain::ParsedTimestamp time_b = domain::parse_timestamp(b);
    if (time_b.error == domain::DateError::kOk) {
      return time_a.utc_ms < time_b.utc_ms ? -1 : time_a.utc_ms > time_b.utc_ms ? 1 : 0;
    }
  }
  const auto number_a = bare_number(a), number_b = bare_number(b);
  if (number_a && number_b) return compare_numbers(*number_a, *number_b);
  return sign_of(a.compare(b));
}

/// For records that no version puts in order: -1 if the incoming one goes before, 1 if the known
/// one does, 0 if neither.
int compare_sources(const VersionState& incoming, const VersionState& known,
                    const Precedence& precedence) {
  const auto& priority = precedence.priority;
  const auto rank = [&](const std::string& source) {
    return std::find(priority.begin(), priority.end(), source) - priority.begin();
  };
  const auto ours = rank(incoming.source), theirs = rank(known.source);
  return ours < theirs ? -1 : ours > theirs ? 1 : 0;
}

/// What an incoming update or withdrawal is when no version puts it in order.
Outcome decide_by_source(Outcome wanted, const VersionState& incoming, const VersionState& known,
                         const Precedence& precedence) {
  // One source reports in its own order: the later row is the newer.
  if (incoming.source == known.source) return wanted;
  if (!precedence.owner.empty()) {
    // Who decides reports for itself before anybody who reports for it (谁产生、谁负责). What a
    // copy says against it is for people to settle.
    if (incoming.source == precedence.owner) return wanted;
    if (known.source == precedence.owner) return Outcome::kConflict;
  }
  switch (compare_sources(incoming, known, precedence)) {
    case -1:
      return wanted;
    case 1:
      return Outcome::kStale;
    default:
      return Outcome::kConflict;
  }
}

}  // namespace

void VersionState::resize(const StateShape& shape) {
  version.resize(shape.versions);
  remembered.resize(shape.remembered);
  amended.resize(shape.amended);
  amended_version.resize(shape.amended == 0 ? 0 : shape.versions);
  identities.resize(shape.identities);
}

void VersionState::clear() {
  content = 0;
  content_list = 0;
  withdrawn = awaited = announced = false;
  for (std::string* text : {&source, &name, &row}) text->clear();
  for (auto* texts : {&version, &amended_version}) {
    for (std::string& text : *texts) text.clear();
  }
  for (auto* texts : {&remembered, &amended, &identities}) {
    for (auto& text : *texts) text.reset();
  }
}

void encode_state(const VersionState& state, std::string& bytes) {
  bytes.clear();
  const bool wide = is_wide(state);
  const bool many = many_identities(state);
  unsigned flags = state.withdrawn ? kWithdrawn : 0;
  if (wide) {
    flags |= kWide | (state.awaited ? kAwaited : 0) | (state.announced ? kAnnounced : 0) |
             (state.name.empty() ? 0 : kNamed) | (state.row.empty() ? 0 : kHasRow) |
             (many ? kManyIdentities : 0);
  }
  bytes.push_back(static_cast<char>(flags));
  append_number(bytes, state.content);
  append_text(bytes, state.source);
  for (const std::string& version : state.version) append_text(bytes, version);
  if (!wide) return;
  bytes.push_back(static_cast<char>(state.content_list));
  if (!state.name.empty()) append_text(bytes, state.name);
  append_texts(bytes, state.remembered);
  append_texts(bytes, state.amended);
  for (const std::string& version : state.amended_version) append_text(bytes, version);
  if (many) append_texts(bytes, state.identities);
  bytes += state.row;
}

void encode_alias(std::string_view identity, std::string& bytes) {
  bytes.assign(1, static_cast<char>(kWide | kIsAlias));
  bytes += identity;
}

std::optional<std::string_view> read_alias(std::string_view bytes) {
  constexpr unsigned kAlias = kWide | kIsAlias;
  if (bytes.empty() || (static_cast<unsigned char>(bytes[0]) & kAlias) != kAlias) return {};
  return bytes.substr(1);
}

bool read_state(std::string_view bytes, VersionState& state) {
  Reader reader(bytes);
  unsigned char flags = 0;
  reader.number(flags);
  if ((flags & kIsAlias) != 0) return false;
  const bool wide = (flags & kWide) != 0;
  if (!wide && flags > kWithdrawn) return false;
  state.clear();
  state.withdrawn = (flags & kWithdrawn) != 0;
  reader.number(state.content);
  reader.text(state.source);
  for (std::string& version : state.version) reader.text(version);
  if (!wide) return reader.whole();
  reader.number(state.content_list);
  state.awaited = (flags & kAwaited) != 0;
  state.announced = (flags & kAnnounced) != 0;
  if ((flags & kNamed) != 0) reader.text(state.name);
  reader.texts(state.remembered);
  reader.texts(state.amended);
  for (std::string& version : state.amended_version) reader.text(version);
  if ((flags & kManyIdentities) != 0) reader.texts(state.identities);
  if ((flags & kHasRow) != 0) {
    state.row.assign(reader.rest());
    reader.take_rest();
  }
  return reader.whole();
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
  static constexpr std::string_view names[kOutcomes] = {"ACCEPTED",  "UPDATED",  "REACTIVATED",
                                                        "WITHDRAWN", "AMENDED",  "DUPLICATE",
                                                        "STALE",     "CONFLICT", "WAITING"};
  return names[static_cast<std::size_t>(outcome)];
}

Outcome decide(const VersionState& incoming, const VersionState* known, bool same,
               const Precedence& precedence) {
  if (known == nullptr || known->awaited) {
    return incoming.withdrawn ? Outcome::kWithdrawn : Outcome::kAccepted;
  }
  if (same && incoming.withdrawn == known->withdrawn) return Outcome::kDuplicate;
  const VersionOrder order = compare_versions(incoming.version, known->version);
  if (order == VersionOrder::kOlder) return Outcome::kStale;
  if (incoming.withdrawn && known->withdrawn) return Outcome::kDuplicate;
  if (known->withdrawn) {
    return order == VersionOrder::kNewer ? Outcome::kReactivated : Outcome::kStale;
  }
  const Outcome wanted = incoming.withdrawn ? Outcome::kWithdrawn : Outcome::kUpdated;
  if (order == VersionOrder::kNewer) return wanted;
  return decide_by_source(wanted, incoming, *known, precedence);
}

}  // namespace huiliu::operators
