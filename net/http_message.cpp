#include "net/http_message.h"

#include <atomic>
#include <utility>

namespace huiliu::net {

struct HttpReply::Ticket {
  explicit Ticket(Take made_take) : take(std::move(made_take)) {}
  ~Ticket() { give({.status = 500, .body = "the request was left without an answer\n"}); }
  Ticket(const Ticket&) = delete;
  Ticket& operator=(const Ticket&) = delete;

  void give(HttpResponse response) {
    if (!given.exchange(true)) take(std::move(response));
  }

  Take take;
  std::atomic<bool> given{false};
};

HttpReply::HttpReply(Take take) : ticket_(std::make_shared<Ticket>(std::move(take))) {}

void HttpReply::operator()(HttpResponse response) const { ticket_->give(std::move(response)); }

}  // namespace huiliu::net
