#pragma once

#include <string>
#include <string_view>

namespace huiliu::runtime {

/// Keys of the small values that commit with an epoch, beside kLayoutPrefix and Rejudgement::kKey.
/// A node's name has no slash, so that no key begins with another node's.
struct MetaKey {
  /// How far a source has been read; `rest` is the source's own.
  static std::string source(std::string_view node, std::string_view rest = {}) {
    return joined(kSource, node, "/", rest);
  }
  /// How far a split of a source has come in event time.
  static std::string time(std::string_view node, std::string_view split = {}) {
    return joined(kTime, node, "/", split);
  }
  /// What a sink wrote; `rest` is the sink's own.
  static std::string sink(std::string_view node, std::string_view rest = {}) {
    return joined("sink/", node, "/", rest);
  }
  /// The last entry of a sink's outbox. No prefix: `db` must not find `db2`.
  static std::string outbox(std::string_view node) { return joined("outbox/", node); }
  /// What the entries of a sink's outbox look like.
  static std::string outbox_entries(std::string_view node) {
    return joined("outbox_entries/", node);
  }
  /// The last entry that a sink without a position of its own has applied.
  static std::string outbox_delivered(std::string_view node) {
    return joined("outbox_delivered/", node);
  }
  /// Totals of a node.
  static std::string ledger(std::string_view node) { return joined(kLedger, node); }

  static constexpr std::string_view kSource = "source/", kTime = "time/";
  static constexpr std::string_view kLedger = "ledger/";

 private:
  static std::string joined(std::string_view kind, std::string_view node,
                            std::string_view slash = {}, std::string_view rest = {}) {
    return std::string(kind).append(node).append(slash).append(rest);
  }
};

/// What a prefix found, without it.
template <class Pairs>
Pairs without_prefix(Pairs pairs, std::string_view prefix) {
  for (auto& [name, value] : pairs) name.erase(0, prefix.size());
  return pairs;
}

/// The value of exactly this key among what a prefix found, or "".
template <class Pairs>
std::string value_of_key(const Pairs& pairs, std::string_view key) {
  for (const auto& [name, value] : pairs) {
    if (name == key) return value;
  }
  return {};
}

}  // namespace huiliu::runtime
