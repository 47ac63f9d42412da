#pragma once

#include <chrono>
#include <string>

#include "net/http_client.h"
#include "runtime/base/status.h"

namespace huiliu::net {

/// The body of what PATH of a peer answers with 200. kUnavailable if nobody answers within five
/// seconds, kInvalid if a peer is named wrongly or is not the one that is trusted, kFailed with the
/// answer's status if it is another.
runtime::Result<std::string> http_get(const HttpPeer& peer, const std::string& path);

/// What TARGET of a peer answers to a POST, whatever its status. `token` goes along as a bearer
/// token unless it is "". kUnavailable if nobody answers within `most`; else as http_get().
runtime::Result<HttpAnswer> http_post(const HttpPeer& peer, const std::string& target,
                                      const std::string& token, std::chrono::seconds most);

}  // namespace huiliu::net
