#pragma once

#include <memory>
#include <string>

#include "runtime/base/status.h"

namespace boost::asio::ssl {
class context;
}

namespace huiliu::net {

/// Files in PEM form.
struct TlsOptions {
  std::string certificate;     ///< the server's own, then those that lead to its authority's
  std::string key;             ///< of the certificate, not encrypted
  std::string client_ca = {};  ///< whose clients are let in; "": every client
};

/// Whom a client believes, and who it is.
struct TlsTrust {
  std::string ca = {};      ///< PEM file of authorities; "": those of the machine
  std::string pinned = {};  ///< PEM file: exactly its first certificate, whatever its name says
  std::string certificate = {};  ///< the client's own; "": it has none
  std::string key = {};
};

using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

/// TLS 1.2 and later. kInvalid names the file, what is wrong with it and what helps.
runtime::Result<TlsContext> server_context(const TlsOptions& options);
/// The name of the server is checked by who connects, unless `pinned` is given.
runtime::Result<TlsContext> client_context(const TlsTrust& trust);

}  // namespace huiliu::net
