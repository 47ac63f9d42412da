#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/status.h"

namespace huiliu::connectors {

/// Who may send, by their tokens. Of a token only its SHA-256 is kept; tokens are random, so that
/// it cannot be guessed from that. Belongs to one thread.
class Senders {
 public:
  struct Sender {
    std::string name;
    std::uint64_t rows_per_minute = 0;  ///< 0: as many as it likes
    std::string until;                  ///< the last day, as 2026-12-31; "" = no end
  };

  /// `path` "": whoever asks from this machine is `local`.
  explicit Senders(std::string path) : path_(std::move(path)) {}
  /// kInvalid with file and line if the file cannot be read or has a line that is none.
  runtime::Status load();
  /// Reads the file again if it has changed; what is wrong with it then leaves the old list in
  /// force and is returned once. `now_ms` on the steady clock: at most once a second.
  runtime::Status look(std::int64_t now_ms);

  /// Who asks with the header `Authorization`; nothing if nobody has that token, or its last day is
  /// over. `today` as 2026-11-30.
  std::optional<Sender> find(std::string_view authorization, bool is_local,
                             std::string_view today) const;
  std::size_t size() const { return by_hash_.size(); }

 private:
  std::string path_;
  std::string seen_;  // size and time of what was read
  std::int64_t looked_ms_ = 0;
  std::map<std::string, Sender, std::less<>> by_hash_;  // lower-case hex
};

/// How many rows each sender may still send: so many a minute, saved up for a minute at most.
class Quotas {
 public:
  /// Seconds to wait until the rows may be taken; 0: they are taken. A request with more rows than
  /// a minute allows is taken when nothing was for a minute. `now_ms` on the steady clock.
  std::int64_t take(const Senders::Sender& sender, std::uint64_t rows, std::int64_t now_ms);

 private:
  struct Saved {
    double rows = 0;
    std::int64_t at_ms = 0;
  };
  std::map<std::string, Saved, std::less<>> saved_;
};

}  // namespace huiliu::connectors
