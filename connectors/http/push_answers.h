#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "net/http_client.h"

namespace huiliu::connectors {

/// A row that a receiver refuses though it takes the request.
struct RefusedRow {
  std::size_t index = 0;  ///< within the request
  std::string code, message;
};

/// What an answer to a batch means.
struct PushVerdict {
  enum class Kind {
    kTaken,    ///< now or by an earlier request of the same key
    kRefused,  ///< something in the batch; nothing of it was taken
    kAgain,    ///< nothing can be said of its rows; it is sent again
  };
  Kind kind = Kind::kAgain;
  std::vector<RefusedRow> refused;  ///< kTaken
  /// kTaken: the receiver's number of each row; empty if it names none.
  std::vector<std::string> numbers;
  std::string code, message;  ///< kRefused: of the batch; kAgain: why, for people
  std::optional<std::chrono::milliseconds> pause;  ///< kAgain: Retry-After
  bool is_unknown_sender = false;                  ///< kAgain: 401 or 403
};

/// 2xx and 409 are taken, with the receipts in the body if there are any:
/// {"receipt":"..","results":[{"index":0,"outcome":"accepted|rejected","code":"..","message":"..",
/// "receipt":".."}]}; a receipt of the whole answer is that of rows without one. 400, 413 and 422
/// are refused. All else, also 409 with Retry-After (another request with the key is in work),
/// is to be sent again. `rows`: of the batch; receipts of others are left out. `now_ms` is for a
/// Retry-After that is a date.
PushVerdict judge(const net::HttpAnswer& answer, std::size_t rows, std::int64_t now_ms);

/// Seconds or a date; nothing if it is neither.
std::optional<std::chrono::milliseconds> parse_retry_after(const std::string& text,
                                                           std::int64_t now_ms);

}  // namespace huiliu::connectors
