#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "codecs/files/file_options.h"
#include "net/tls.h"
#include "runtime/component/config.h"
#include "runtime/component/descriptor.h"
#include "runtime/component/intake.h"

namespace huiliu::connectors {

/// What becomes of a request in which rows cannot be read.
enum class BadRows {
  kReject,  ///< it is taken; those rows go to `rejects`
  kRefuse,  ///< all of it is refused, with the rows
};

struct HttpOptions {
  std::string listen;
  std::optional<net::TlsOptions> tls;
  std::string senders;  ///< path of the file; "" = who is on this machine may send
  codecs::FileOptions rows;
  BadRows bad_rows = BadRows::kReject;
  std::uint64_t max_body = 16u << 20;
  std::uint64_t max_bodies = 256u << 20;
  std::size_t connections = 1000;
  runtime::IntakeOptions intake;
};

std::vector<runtime::Option> http_source_options();
/// `config` is checked against them. What is wrong beyond that becomes diagnostics.
HttpOptions parse_http_options(const runtime::Config& config, runtime::Diagnostics& diagnostics);

}  // namespace huiliu::connectors
