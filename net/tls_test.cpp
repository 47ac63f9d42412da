#include "net/tls.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "net/http_get.h"
#include "net/http_server.h"
#include "net/raw_connection_testing.h"

namespace huiliu::net {
namespace {

namespace fs = std::filesystem;
using runtime::StatusCode;
using ::testing::AllOf;
using ::testing::HasSubstr;

/// An authority, certificates that it signed, and one that it did not, made by openssl.
class TlsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    std::string name = (fs::temp_directory_path() / "huiliu-tls-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder() = name;
    self_signed("ca", "/CN=authority");
    self_signed("other", "/CN=other");
    signed_by_ca("server", "subjectAltName=DNS:localhost,IP:127.0.0.1");
    signed_by_ca("elsewhere", "subjectAltName=DNS:elsewhere.example");
    signed_by_ca("client", "extendedKeyUsage=clientAuth");
    shell("openssl pkey -in server.key -aes256 -passout pass:abcd -out locked.key");
    std::ofstream(path("empty.pem")).flush();
    std::ofstream(path("noise.pem")) << "noise\n";
  }
  static void TearDownTestSuite() { fs::remove_all(folder()); }

  static std::string& folder() {
    static std::string name;
    return name;
  }
  static std::string path(const std::string& name) { return folder() + "/" + name; }
  static void shell(const std::string& command) {
    const std::string line = "cd '" + folder() + "' && (" + command + ") >log 2>&1";
    ASSERT_EQ(std::system(line.c_str()), 0) << command;
  }
  static void self_signed(const std::string& name, const std::string& subject) {
    shell("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj " +
          subject + " -keyout " + name + ".key -out " + name + ".pem");
  }
  static void signed_by_ca(const std::string& name, const std::string& extension) {
    std::ofstream(path(name + ".ext")) << extension << "\n";
    shell("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=" + name +
          " -keyout " + name + ".key -out " + name + ".csr");
    shell("openssl x509 -req -days 2 -in " + name + ".csr -CA ca.pem -CAkey ca.key " +
          "-CAcreateserial -extfile " + name + ".ext -out " + name + ".pem");
  }
  static std::unique_ptr<HttpServer> serve(const TlsOptions& tls) {
    auto server = HttpServer::start(
        "127.0.0.1:0",
        [](const HttpRequest& request) { return HttpResponse{.body = request.path}; }, {}, tls);
    EXPECT_TRUE(server.is_ok()) << server.status().message();
    return std::move(server.value());
  }
  static std::string refusal(const TlsOptions& tls) {
    const auto context = server_context(tls);
    EXPECT_EQ(context.status().code(), StatusCode::kInvalid);
    return context.status().message();
  }
  static runtime::Result<std::string> get(const HttpServer& server, const TlsTrust& trust) {
    return http_get(HttpPeer("https://" + server.address(), trust), "/a");
  }
};

TEST_F(TlsTest, AServerIsKnownByItsAuthorityAndName) {
  const auto server = serve({path("server.pem"), path("server.key")});
  EXPECT_EQ(get(*server, {.ca = path("ca.pem")}).value(), "/a");
  const std::string port = server->address().substr(server->address().rfind(':'));
  EXPECT_EQ(http_get(HttpPeer("https://localhost" + port, {.ca = path("ca.pem")}), "/a").value(),
            "/a");
  const auto unknown = get(*server, {.ca = path("other.pem")});
  EXPECT_EQ(unknown.status().code(), StatusCode::kInvalid);
  EXPECT_THAT(unknown.status().message(), HasSubstr("--ca"));
  EXPECT_FALSE(get(*server, {}).is_ok()) << "the machine's authorities do not know it";
  const auto renamed = serve({path("elsewhere.pem"), path("elsewhere.key")});
  EXPECT_FALSE(get(*renamed, {.ca = path("ca.pem")}).is_ok());
}

TEST_F(TlsTest, ACertificateThatIsKnownItselfNeedsNoNameAndNoAuthority) {
  const auto server = serve({path("elsewhere.pem"), path("elsewhere.key")});
  EXPECT_EQ(get(*server, {.pinned = path("elsewhere.pem")}).value(), "/a");
  const auto renewed = get(*server, {.pinned = path("server.pem")});
  EXPECT_EQ(renewed.status().code(), StatusCode::kInvalid);
  EXPECT_THAT(renewed.status().message(), HasSubstr("renewed"));
  EXPECT_FALSE(get(*server, {.pinned = path("ca.pem")}).is_ok());
}

TEST_F(TlsTest, ClientsShowACertificateWhereOneIsAskedFor) {
  const auto server = serve({path("server.pem"), path("server.key"), path("ca.pem")});
  const std::string ca = path("ca.pem");
  EXPECT_FALSE(get(*server, {.ca = ca}).is_ok());
  EXPECT_FALSE(
      get(*server, {.ca = ca, .certificate = path("other.pem"), .key = path("other.key")}).is_ok());
  EXPECT_EQ(get(*server, {.ca = ca, .certificate = path("client.pem"), .key = path("client.key")})
                .value(),
            "/a");
}

TEST_F(TlsTest, PlainHttpAndOldVersionsAreNotAnswered) {
  const auto server = serve({path("server.pem"), path("server.key")});
  EXPECT_FALSE(http_get(server->address(), "/a").is_ok());
  Raw raw(server->address());
  raw.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(raw.rest(), ::testing::Not(HasSubstr("HTTP/1.1")));
  const std::string connect =
      "openssl s_client -connect " + server->address() + " -cipher DEFAULT@SECLEVEL=0 </dev/null ";
  shell(connect + "-tls1_2");
  shell(connect + "-tls1_3");
  shell("! " + connect + "-tls1_1");
}

TEST_F(TlsTest, AClientSaysWhatIsWrongWithAServerWithoutTls) {
  auto plain = HttpServer::start("127.0.0.1:0", [](const HttpRequest&) { return HttpResponse{}; });
  const auto answer = get(*plain.value(), {.ca = path("ca.pem")});
  EXPECT_THAT(answer.status().message(), HasSubstr("no TLS"));
}

TEST_F(TlsTest, AFileThatDoesNotServeIsNamedWithWhatHelps) {
  const std::string certificate = path("server.pem"), key = path("server.key");
  EXPECT_THAT(refusal({path("none.pem"), key}),
              AllOf(HasSubstr("none.pem"), HasSubstr("No such file"), HasSubstr("may read")));
  EXPECT_THAT(refusal({certificate, path("none.key")}), HasSubstr("none.key"));
  EXPECT_THAT(refusal({folder(), key}), HasSubstr("no file"));
  EXPECT_THAT(refusal({path("empty.pem"), key}), HasSubstr("empty"));
  EXPECT_THAT(refusal({path("noise.pem"), key}), HasSubstr("BEGIN CERTIFICATE"));
  EXPECT_THAT(refusal({certificate, path("noise.pem")}), HasSubstr("no key in PEM form"));
  EXPECT_THAT(refusal({certificate, path("locked.key")}), HasSubstr("take the password off"));
  EXPECT_THAT(refusal({certificate, path("other.key")}),
              AllOf(HasSubstr("other.key"), HasSubstr("does not fit"), HasSubstr("server.pem")));
  EXPECT_THAT(refusal({certificate, key, path("none.pem")}), HasSubstr("client_ca"));
  EXPECT_THAT(refusal({certificate, key, path("noise.pem")}), HasSubstr("no certificates"));
  EXPECT_THAT(refusal({certificate, ""}), HasSubstr("key is missing"));
}

}  // namespace
}  // namespace huiliu::net
