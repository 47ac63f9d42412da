#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connectors/http/answers.h"
#include "connectors/http/batch_check.h"
#include "connectors/http/http_options.h"
#include "connectors/http/senders.h"
#include "net/http_message.h"
#include "runtime/base/clock.h"
#include "runtime/component/intake.h"

namespace huiliu::connectors {

/// Answers the requests to one source: each in full, or not at all. Called by one thread, that of
/// the server.
///
///     POST /v1/batches        rows; 202 when they are durable
///     GET  /v1/batches/ID     what became of them
///     GET  /openapi.json      all this for programs
class HttpIntake {
 public:
  /// All outlive it. `committed`: number of the last batch of which everything is committed.
  HttpIntake(const HttpOptions& options, std::string source, runtime::Intake& intake,
             Senders& senders, runtime::Clock& clock, const std::atomic<std::uint64_t>& committed);

  void answer(net::HttpRequest request, net::HttpReply reply);
  /// The answer to a request that may not send, by its head; nothing if it may.
  std::optional<net::HttpResponse> refusal(const net::HttpRequest& head);

 private:
  std::optional<Senders::Sender> sender_of(const net::HttpRequest& request);
  void post(net::HttpRequest& request, const Senders::Sender& sender, const Answers& say,
            net::HttpReply reply);
  struct Part;
  struct Pending;
  std::optional<net::HttpResponse> parts_of(net::HttpRequest& request,
                                            const Senders::Sender& sender, const Answers& say,
                                            std::vector<Part>& parts) const;
  std::optional<net::HttpResponse> look_at(Part& part, const Answers& say);
  void keep(std::vector<Part> parts, const std::string& key, const Answers& say,
            net::HttpReply reply);
  void received(const runtime::IntakeReceipt& receipt, std::size_t part, Pending& pending) const;
  net::HttpResponse answer_to(const Pending& pending) const;
  net::HttpResponse fate(const std::string& id, const Senders::Sender& sender, const Answers& say);
  std::uint64_t number_of(const std::string& id) const;
  std::string id_of(std::uint64_t number) const;

  const HttpOptions& options_;
  std::string source_;
  runtime::Intake& intake_;
  Senders& senders_;
  runtime::Clock& clock_;
  const std::atomic<std::uint64_t>& committed_;
  BatchCheck check_;
  Quotas quotas_;
};

}  // namespace huiliu::connectors
