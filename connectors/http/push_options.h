#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "codecs/row_encoder.h"
#include "net/digest.h"
#include "net/http_client.h"
#include "runtime/component/sink.h"

namespace huiliu::connectors {

/// Where a sink `http` pushes rows to, and how.
struct PushOptions {
  std::string server;  ///< SCHEME://HOST:PORT
  std::string target;  ///< path and query
  net::TlsTrust trust;
  std::string token, token_file;  ///< at most one of them
  std::string hmac_key, hmac_key_file;
  net::MacHash mac = net::MacHash::kSha256;
  std::vector<std::pair<std::string, std::string>> headers;
  std::vector<codecs::OutputColumn> columns;
  codecs::Nulls nulls = codecs::Nulls::kOmit;
  bool json = false;  ///< an array; else NDJSON
  std::size_t batch_rows = 100;
  std::chrono::milliseconds timeout{30'000};
  std::chrono::milliseconds longest_pause{60'000};
  unsigned breaker = 5;      ///< failures in a row after which it pauses longer
  std::string dead_letters;  ///< "" = there is no such file
  bool receipts = false;     ///< somebody reads what becomes of rows
};

std::vector<runtime::Option> push_options();
/// The declaration's config is checked against them. What is wrong beyond that becomes diagnostics.
PushOptions parse_push_options(runtime::SinkDeclaration& declaration);
/// What is sent of a row, as receipts repeat it.
runtime::Schema sent_schema(const PushOptions& options, const runtime::SinkDeclaration& sink);
/// What entries of the outbox look like, and how they are cut into batches: a batch that is sent
/// again must be the same.
std::string entries_of(const PushOptions& options);

}  // namespace huiliu::connectors
