#include "net/tls.h"

#include <cstring>
#include <fstream>

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/verify_context.hpp>
#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

namespace huiliu::net {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;
using runtime::Result;
using runtime::Status;

namespace {

/// What OpenSSL says of a file that is there says little of which one and why.
Status check_readable(const char* what, const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (in && in.peek() != std::ifstream::traits_type::eof()) return Status::ok();
  const char* why = in.is_open() ? "it is empty or no file" : std::strerror(errno);
  return Status::invalid(
      fmt::format("tls: {} '{}' cannot be read: {}; name a PEM file that the "
                  "user of this process may read",
                  what, path, why));
}

Status load_certificate(ssl::context& context, const std::string& path) {
  if (Status status = check_readable("certificate", path); !status.is_ok()) return status;
  error_code error;
  context.use_certificate_chain_file(path, error);
  if (!error) return Status::ok();
  return Status::invalid(
      fmt::format("tls: certificate '{}' is no certificate in PEM form ({}): it begins with "
                  "-----BEGIN CERTIFICATE-----, the server's own first",
                  path, error.message()));
}

Status load_key(ssl::context& context, const std::string& path, const std::string& certificate) {
  if (Status status = check_readable("key", path); !status.is_ok()) return status;
  error_code error;
  // Nobody is there to type a password, and OpenSSL would ask the terminal.
  context.set_password_callback([](std::size_t, ssl::context::password_purpose) { return ""; },
                                error);
  context.use_private_key_file(path, ssl::context::pem, error);
  SSL_CTX* raw = context.native_handle();
  // Once the certificate is there, a key of another one is refused with a reason of its own.
  if (error &&
      ERR_GET_REASON(static_cast<unsigned long>(error.value())) == X509_R_KEY_VALUES_MISMATCH) {
    return Status::invalid(
        fmt::format("tls: key '{}' does not fit certificate '{}': name the key that the "
                    "certificate was made with",
                    path, certificate));
  }
  if (error) {
    return Status::invalid(
        fmt::format("tls: key '{}' is no key in PEM form, or is encrypted ({}); take the password "
                    "off with `openssl pkey -in KEY -out NEW`",
                    path, error.message()));
  }
  if (SSL_CTX_check_private_key(raw) != 1) {
    return Status::invalid(fmt::format(
        "tls: key '{}' does not fit certificate '{}': name the key that the certificate was made "
        "with",
        path, certificate));
  }
  return Status::ok();
}

Status load_authorities(ssl::context& context, const char* what, const std::string& path) {
  if (Status status = check_readable(what, path); !status.is_ok()) return status;
  error_code error;
  context.load_verify_file(path, error);
  if (!error) return Status::ok();
  return Status::invalid(fmt::format("tls: {} '{}' has no certificates in PEM form ({})", what,
                                     path, error.message()));
}

Result<TlsContext> make_context() {
  auto context = std::make_shared<ssl::context>(ssl::context::tls);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  // Renegotiation costs a server more than who asks for it.
  SSL_CTX_set_options(context->native_handle(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  return context;
}

using X509Pointer = std::shared_ptr<X509>;

Result<X509Pointer> first_certificate(const std::string& path) {
  if (Status status = check_readable("certificate", path); !status.is_ok()) return status;
  BIO* file = BIO_new_file(path.c_str(), "r");
  X509* read = file ? PEM_read_bio_X509(file, nullptr, nullptr, nullptr) : nullptr;
  BIO_free(file);
  if (!read) {
    return Status::invalid(fmt::format("tls: '{}' has no certificate in PEM form", path));
  }
  return X509Pointer(read, X509_free);
}

/// Who it is shows by the certificate itself, so neither its name nor its authority matters.
Status pin(ssl::context& context, const std::string& path) {
  auto known = first_certificate(path);
  if (!known.is_ok()) return known.status();
  error_code error;
  context.set_verify_callback(
      [certificate = known.value()](bool, ssl::verify_context& seen) {
        X509_STORE_CTX* raw = seen.native_handle();
        X509* leaf = X509_STORE_CTX_get0_cert(raw);
        return leaf != nullptr && X509_cmp(leaf, certificate.get()) == 0;
      },
      error);
  if (!error) return Status::ok();
  return Status::failed(error.message());
}

}  // namespace

Result<TlsContext> server_context(const TlsOptions& options) {
  if (options.certificate.empty() || options.key.empty()) {
    return Status::invalid(fmt::format("tls: {} is missing: name both files",
                                       options.certificate.empty() ? "certificate" : "key"));
  }
  auto context = make_context();
  if (!context.is_ok()) return context.status();
  ssl::context& made = *context.value();
  Status status = load_certificate(made, options.certificate);
  if (status.is_ok()) status = load_key(made, options.key, options.certificate);
  if (status.is_ok() && !options.client_ca.empty()) {
    status = load_authorities(made, "client_ca", options.client_ca);
    error_code ignored;
    made.set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert, ignored);
    // A session of before is only taken up by the server that it belongs to.
    SSL_CTX_set_session_id_context(made.native_handle(),
                                   reinterpret_cast<const unsigned char*>("huiliu"), 6);
  }
  if (!status.is_ok()) return status;
  return context;
}

Result<TlsContext> client_context(const TlsTrust& trust) {
  auto context = make_context();
  if (!context.is_ok()) return context.status();
  ssl::context& made = *context.value();
  error_code ignored;
  made.set_verify_mode(ssl::verify_peer, ignored);
  Status status = Status::ok();
  if (!trust.pinned.empty()) {
    status = pin(made, trust.pinned);
  } else if (!trust.ca.empty()) {
    status = load_authorities(made, "authorities", trust.ca);
  } else {
    made.set_default_verify_paths(ignored);
  }
  if (status.is_ok() && !trust.certificate.empty()) {
    status = load_certificate(made, trust.certificate);
    if (status.is_ok()) status = load_key(made, trust.key, trust.certificate);
  }
  if (!status.is_ok()) return status;
  return context;
}

}  // namespace huiliu::net
