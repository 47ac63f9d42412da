#include "net/http_get.h"

#include <utility>

#include <fmt/format.h>

namespace huiliu::net {

using runtime::Result;
using runtime::Status;

Result<std::string> http_get(const HttpPeer& peer, const std::string& path) {
  auto answer = HttpClient(peer).ask({.target = path}, std::chrono::seconds(5));
  if (!answer.is_ok()) return answer.status();
  if (answer->status != 200) {
    return Status::failed(fmt::format("{} answers {}", peer.address, answer->status));
  }
  return std::move(answer->body);
}

Result<HttpAnswer> http_post(const HttpPeer& peer, const std::string& target,
                             const std::string& token, std::chrono::seconds most) {
  HttpQuestion question{.method = "POST", .target = target};
  if (!token.empty()) question.headers.emplace_back("Authorization", "Bearer " + token);
  return HttpClient(peer).ask(question, most);
}

}  // namespace huiliu::net
