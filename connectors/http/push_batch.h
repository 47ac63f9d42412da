#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/digest.h"
#include "runtime/component/sink.h"

namespace huiliu::connectors {

/// Rows that are sent together: a part of one entry of the outbox, or of that part.
struct PushBatch {
  std::uint64_t sequence = 0;          ///< of the entry
  std::size_t part = 0;                ///< within the entry
  std::size_t first = 0;               ///< the first row's number within the part
  bool is_whole = true;                ///< all rows of the part
  std::string part_hash = {};          ///< hash() of the whole part
  std::vector<std::string_view> rows;  ///< JSON objects without their line ends; of the entry

  /// "41.0", and "41.0.50-75" for rows 50 to 74 of it.
  std::string name() const;
  /// Sum of XXH3-64 of each row's bytes, modulo 2^64, in 16 lower-case hex digits: whatever order a
  /// receiver has its rows in, it gets the same.
  std::string hash() const;
  /// Content-Type is application/x-ndjson or application/json.
  std::string body(bool json) const;
  /// Rows FROM to TO (not included) of these.
  PushBatch some(std::size_t from, std::size_t to) const;
};

/// Cuts an entry; the batches point into it. Its rows are NDJSON.
std::vector<PushBatch> cut_entry(const runtime::OutboxEntry& entry, std::size_t batch_rows);

/// What a request says of itself beside its body.
struct PushHeaders {
  std::string date, batch, rows, hash, key;

  /// `now_ms` becomes the date; `owner` is TOPOLOGY.SINK. The key is OWNER.SEQUENCE.PART.HASH. The
  /// hash is in it because sequences begin anew with a state that was removed, and what other rows
  /// were sent as before must not pass for these.
  PushHeaders(const PushBatch& batch, const std::string& owner, std::int64_t now_ms);
  /// What is signed: method, target, date, batch, rows, hash and key, each with a '\n' behind it,
  /// then the body.
  std::string signed_text(const std::string& target, const std::string& body) const;
};

/// "hmac-sha256=HEX" or "hmac-sm3=HEX".
std::string signature_of(net::MacHash hash, const std::string& key, const std::string& text);

}  // namespace huiliu::connectors
