#include "connectors/http/http_intake.h"

#include <filesystem>
#include <fstream>
#include <future>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <rapidjson/document.h>
#include <unistd.h>

#include "connectors/http/http_reader.h"
#include "net/digest.h"
#include "state/intake/intake_log.h"

namespace huiliu::connectors {
namespace {

using ::testing::HasSubstr;

/// A source's options, a folder, and an intake that is real.
class HttpIntakeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              fmt::format("huiliu-http-{}-{}", ::getpid(),
                          ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    options_.rows.fields = {{.name = "id"}, {.name = "amount", .type = runtime::Type::kInt64}};
    options_.rows.quiet = true;
    begin();
  }
  void TearDown() override {
    handler_.reset();
    log_.reset();
    std::filesystem::remove_all(folder_);
  }
  void begin(std::string senders = "") {
    handler_.reset();
    log_.reset();
    log_ = std::move(state::IntakeLog::open((folder_ / "in").string(), options_.intake).value());
    senders_ = std::make_unique<Senders>(std::move(senders));
    ASSERT_TRUE(senders_->load().is_ok());
    handler_ = std::make_unique<HttpIntake>(options_, "in", *log_, *senders_,
                                            runtime::system_clock(), committed_);
  }
  net::HttpResponse ask(net::HttpRequest request) {
    std::promise<net::HttpResponse> told;
    handler_->answer(std::move(request), net::HttpReply([&](net::HttpResponse response) {
                       told.set_value(std::move(response));
                     }));
    return told.get_future().get();
  }
  static net::HttpRequest request(std::string body, std::string type = "application/x-ndjson",
                                  std::string key = "") {
    net::HttpRequest made;
    made.method = "POST";
    made.path = "/v1/batches";
    made.body = std::move(body);
    made.content_type = std::move(type);
    made.idempotency_key = std::move(key);
    made.is_local = true;
    return made;
  }
  net::HttpResponse get(const std::string& path) {
    net::HttpRequest made;
    made.method = "GET";
    made.path = path;
    made.is_local = true;
    return ask(std::move(made));
  }
  std::size_t kept() {
    std::vector<runtime::IntakeEntry> entries;
    EXPECT_TRUE(log_->read(0, 1 << 30, entries).is_ok());
    return entries.size();
  }

  std::filesystem::path folder_;
  HttpOptions options_;
  std::atomic<std::uint64_t> committed_{0};
  std::unique_ptr<state::IntakeLog> log_;
  std::unique_ptr<Senders> senders_;
  std::unique_ptr<HttpIntake> handler_;
};

TEST_F(HttpIntakeTest, EveryFormIsCountedAsItWillBeRead) {
  const std::pair<const char*, const char*> forms[] = {
      {"application/x-ndjson", "{\"id\": \"a\"}\n{\"id\": \"b\"}\n"},
      {"application/json", "[{\"id\": \"a\"}, {\"id\": \"b\"}]"},
      {"application/json; charset=utf-8", "{\"id\": \"a\"}\n{\"id\": \"b\"}"},
      {"text/csv", "id,amount\r\na,1\r\nb,2\r\n"},
      {"TEXT/CSV", "id,amount\na,1\nb,2"}};
  for (const auto& [type, body] : forms) {
    const net::HttpResponse response = ask(request(body, type));
    EXPECT_EQ(response.status, 202u) << type << response.body;
    EXPECT_THAT(response.body, HasSubstr("\"rows\":2,\"repeated\":false,\"bad_rows\":0")) << type;
  }
  EXPECT_EQ(kept(), 5u);
}

TEST_F(HttpIntakeTest, AFormsFilesAreABatchEach) {
  const std::string body =
      "--b\r\nContent-Disposition: form-data; name=f; filename=one.csv\r\n\r\nid\na\n\r\n"
      "--b\r\nContent-Disposition: form-data; name=f; filename=two.json\r\n\r\n[{\"id\": "
      "\"b\"}]\r\n--b--\r\n";
  const net::HttpResponse response = ask(request(body, "multipart/form-data; boundary=b", "k"));
  EXPECT_EQ(response.status, 202u) << response.body;
  EXPECT_THAT(response.body, HasSubstr("{\"batches\":[{\"batch\":\"in-1\",\"rows\":1"));
  EXPECT_THAT(response.body, HasSubstr("{\"batch\":\"in-2\",\"rows\":1"));
  EXPECT_EQ(ask(request(body, "multipart/form-data; boundary=b", "k")).status, 200u);
  EXPECT_EQ(kept(), 2u);
  EXPECT_EQ(ask(request("--b--", "multipart/form-data; boundary=b")).status, 400u);
  EXPECT_EQ(ask(request("--b\r\nContent-Disposition: form-data; filename=a.exe\r\n\r\nx\r\n--b--",
                        "multipart/form-data; boundary=b"))
                .status,
            415u);
}

TEST_F(HttpIntakeTest, WhatCannotBeTakenIsToldApart) {
  EXPECT_EQ(ask(request("x", "text/html")).status, 415u);
  EXPECT_EQ(ask(request("")).status, 400u);
  EXPECT_EQ(ask(request("\n\n")).status, 400u);
  EXPECT_EQ(ask(request("PK\x03\x04 no workbook", "application/vnd.ms-excel")).status, 422u);
  EXPECT_EQ(ask(request("{}", "application/json", std::string(201, 'k'))).status, 400u);
  EXPECT_EQ(get("/v1/batches").status, 405u);
  EXPECT_EQ(get("/v2").status, 404u);
  net::HttpRequest from_afar = request("{\"id\": 1}");
  from_afar.is_local = false;
  EXPECT_EQ(ask(from_afar).status, 401u);
  EXPECT_EQ(kept(), 0u);
}

TEST_F(HttpIntakeTest, RowsThatCannotBeReadAreNamedInTheSendersLanguage) {
  net::HttpRequest made = request("id,amount\na,1\nb,many\n", "text/csv");
  made.accept_language = "zh-CN,zh;q=0.9,en;q=0.8";
  const std::string body = ask(made).body;
  EXPECT_THAT(body, HasSubstr("\"bad_rows\":1,\"first_bad_rows\":[{\"row\":2,\"column\":\"amount\","
                              "\"code\":\"E201_FORMAT\",\"message\":\"值与字段类型不符。\"}]"));
  options_.bad_rows = BadRows::kRefuse;
  begin();
  EXPECT_EQ(ask(made).status, 422u);
  EXPECT_EQ(kept(), 1u) << "only what was taken before";
}

TEST_F(HttpIntakeTest, AKeyBelongsToItsSender) {
  const std::string path = (folder_ / "senders.csv").string();
  std::ofstream(path) << "sender,token_sha256\nm," << net::sha256_of("one") << "\nt,"
                      << net::sha256_of("two") << "\n";
  begin(path);
  net::HttpRequest made = request("{\"id\": \"a\"}", "application/json", "k");
  made.authorization = "Bearer one";
  EXPECT_EQ(ask(made).status, 202u);
  EXPECT_EQ(ask(made).status, 200u);
  made.authorization = "Bearer two";
  const net::HttpResponse other = ask(made);
  EXPECT_EQ(other.status, 202u);
  EXPECT_THAT(other.body, HasSubstr("\"batch\":\"in-2\""));
  net::HttpRequest look = request("");
  look.method = "GET";
  look.path = "/v1/batches/in-2";
  look.authorization = "Bearer two";
  EXPECT_THAT(ask(look).body, HasSubstr("\"state\":\"kept\""));
  committed_ = 2;
  EXPECT_THAT(ask(look).body, HasSubstr("\"state\":\"processed\""));
  look.authorization = "Bearer one";
  EXPECT_EQ(ask(look).status, 404u) << "another's batch";
}

TEST_F(HttpIntakeTest, AFullIntakeAsksToWait) {
  options_.intake.most_bytes = 100;
  begin();
  EXPECT_EQ(ask(request("{\"id\": \"" + std::string(60, 'a') + "\"}")).status, 202u);
  const net::HttpResponse response = ask(request("{\"id\": \"" + std::string(60, 'b') + "\"}"));
  EXPECT_EQ(response.status, 429u);
  EXPECT_GT(response.retry_after, 0);
}

TEST_F(HttpIntakeTest, TheInterfaceDescribesItself) {
  rapidjson::Document page;
  page.Parse(get("/openapi.json").body.c_str());
  ASSERT_FALSE(page.HasParseError());
  EXPECT_TRUE(page["components"]["schemas"]["Row"]["properties"].HasMember("amount"));
  EXPECT_TRUE(page["paths"].HasMember("/v1/batches"));
}

TEST(QuotasTest, RowsAreSavedUpForAMinute) {
  Quotas quotas;
  const Senders::Sender sender{.name = "m", .rows_per_minute = 60};
  EXPECT_EQ(quotas.take(sender, 60, 0), 0);
  EXPECT_GT(quotas.take(sender, 1, 500), 0);
  EXPECT_EQ(quotas.take(sender, 1, 1500), 0);
  EXPECT_EQ(quotas.take(sender, 1000, 200'000), 0) << "more than a minute allows, after a minute";
  EXPECT_GT(quotas.take(sender, 1, 260'000), 0) << "and is paid back";
  EXPECT_EQ(quotas.take({.name = "free"}, 1'000'000, 0), 0);
}

class SendersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = (std::filesystem::temp_directory_path() / fmt::format("senders-{}.csv", ::getpid()))
                .string();
  }
  void TearDown() override { std::filesystem::remove(path_); }
  runtime::Status load(const std::string& text) {
    std::ofstream(path_) << text;
    return Senders(path_).load();
  }
  std::string path_;
};

TEST_F(SendersTest, WhatIsWrongIsNamedByItsLine) {
  const std::string hash = net::sha256_of("t");
  EXPECT_TRUE(load("sender,token_sha256\n# none yet\nm," + hash + "\n").is_ok());
  EXPECT_THAT(load("sender,token_sha256\nm,abc\n").message(), HasSubstr(":2: `token_sha256`"));
  EXPECT_THAT(load("sender,token\n").message(), HasSubstr("there is no column 'token'"));
  EXPECT_THAT(load("sender,token_sha256\na/b," + hash + "\n").message(), HasSubstr("`sender`"));
  EXPECT_THAT(load("sender,token_sha256,until\nm," + hash + ",soon\n").message(),
              HasSubstr("`until`"));
  EXPECT_THAT(load("sender,token_sha256\nm," + hash + "\nn," + hash + "\n").message(),
              HasSubstr("same token"));
  EXPECT_FALSE(load("").is_ok());
}

TEST_F(SendersTest, ATokenIsInForceUntilItsLastDay) {
  std::ofstream(path_) << "sender,token_sha256,until\nm," << net::sha256_of("t") << ",2026-11-30\n";
  Senders senders(path_);
  ASSERT_TRUE(senders.load().is_ok());
  EXPECT_TRUE(senders.find("Bearer t", false, "2026-11-30"));
  EXPECT_FALSE(senders.find("Bearer t", false, "2026-12-01"));
  EXPECT_FALSE(senders.find("Bearer u", true, "2026-11-30"));
  EXPECT_FALSE(senders.find("t", true, "2026-11-30"));
}

}  // namespace
}  // namespace huiliu::connectors
