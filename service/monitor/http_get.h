#pragma once

#include <chrono>
#include <string>

#include "runtime/base/status.h"

namespace huiliu::service {

/// The body of what http://ADDRESS/PATH answers with 200. kUnavailable if nobody answers within
/// five seconds, kFailed with the answer's status if it is another.
runtime::Result<std::string> http_get(const std::string& address, const std::string& path);

struct HttpAnswer {
  unsigned status = 0;
  std::string body;
};

/// What http://ADDRESS/TARGET answers to a POST, whatever its status. `token` goes along as a
/// bearer token unless it is "". kUnavailable if nobody answers within `most`.
runtime::Result<HttpAnswer> http_post(const std::string& address, const std::string& target,
                                      const std::string& token, std::chrono::seconds most);

}  // namespace huiliu::service
