#include "connectors/http/http_intake.h"

#include <charconv>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "connectors/http/multipart.h"
#include "connectors/http/openapi.h"
#include "runtime/base/failpoint.h"

namespace huiliu::connectors {

using net::HttpReply;
using net::HttpRequest;
using net::HttpResponse;
using runtime::IntakeReceipt;
using runtime::StatusCode;

namespace {

constexpr std::string_view kBatches = "/v1/batches";
constexpr std::size_t kDayDigits = 10;

HttpResponse unknown_sender(const Answers& say) {
  return say.problem(401, "unauthorized",
                     "send `Authorization: Bearer TOKEN` with a token that is known and in force",
                     "请在 Authorization: Bearer 中提供有效的令牌");
}

std::optional<HttpResponse> wrong_key(const std::string& key, const Answers& say) {
  constexpr std::size_t kMost = 200;
  if (key.size() <= kMost) return std::nullopt;
  return say.problem(400, "bad_key", "the Idempotency-Key is longer than 200 bytes",
                     "Idempotency-Key 超过 200 字节");
}

}  // namespace

HttpIntake::HttpIntake(const HttpOptions& options, std::string source, runtime::Intake& intake,
                       Senders& senders, runtime::Clock& clock,
                       const std::atomic<std::uint64_t>& committed)
    : options_(options),
      source_(std::move(source)),
      intake_(intake),
      senders_(senders),
      clock_(clock),
      committed_(committed),
      check_(options.rows) {}

std::string HttpIntake::id_of(std::uint64_t number) const {
  return fmt::format("{}-{}", source_, number);
}

// A page in a browser of this machine, or a proxy on it, asks for somebody else.
std::optional<Senders::Sender> HttpIntake::sender_of(const HttpRequest& request) {
  if (const auto status = senders_.look(clock_.steady_ms()); !status.is_ok()) {
    spdlog::error("{}: {}; the list of before is in force", source_, status.message());
  }
  const bool is_local = request.is_local && !request.is_forwarded && !request.has_origin;
  const std::string today = runtime::utc_text(clock_.now_ms()).substr(0, kDayDigits);
  return senders_.find(request.authorization, is_local, today);
}

std::optional<HttpResponse> HttpIntake::refusal(const HttpRequest& head) {
  if (sender_of(head)) return std::nullopt;
  return unknown_sender(Answers(head.accept_language));
}

void HttpIntake::answer(HttpRequest request, HttpReply reply) {
  const Answers say(request.accept_language);
  const auto sender = sender_of(request);
  if (!sender) return reply(unknown_sender(say));
  const bool get = request.method == "GET", post_it = request.method == "POST";
  const std::string_view path = request.path;
  if (path == kBatches && post_it) return post(request, *sender, say, std::move(reply));
  if (path.starts_with(std::string(kBatches) + "/") && get) {
    return reply(fate(std::string(path.substr(kBatches.size() + 1)), *sender, say));
  }
  if (path == "/openapi.json" && get) return reply(openapi_page(options_, source_));
  if (path == kBatches || path == "/openapi.json") {
    return reply(say.problem(405, "wrong_method", "use POST for rows and GET for pages",
                             "报送数据用 POST，查询用 GET"));
  }
  reply(say.problem(404, "no_such_page", "there are /v1/batches and /openapi.json",
                    "可用的路径为 /v1/batches 和 /openapi.json"));
}

/// What a request brings: a body, or the files of a form.
struct HttpIntake::Part {
  BatchForm form;
  std::string body;
  BatchCounts counts = {};
};

/// A request whose parts are being kept. The last receipt answers.
struct HttpIntake::Pending {
  Pending(const Answers& made_say, HttpReply made_reply)
      : say(made_say), reply(std::move(made_reply)) {}

  Answers say;
  HttpReply reply;
  std::vector<Answers::Taken> taken;
  std::mutex mutex = {};
  std::size_t left = 0;
  IntakeReceipt worst = {};
};

/// The answer if they cannot be had.
std::optional<HttpResponse> HttpIntake::parts_of(HttpRequest& request,
                                                 const Senders::Sender& sender, const Answers& say,
                                                 std::vector<Part>& parts) const {
  const auto unknown = [&](const std::string& what) {
    return say.problem(415, "wrong_content_type",
                       what +
                           " must be JSON (application/json, application/x-ndjson), CSV "
                           "(text/csv), a workbook, or a form of such files",
                       what +
                           " 须为 JSON（application/json、application/x-ndjson）、CSV（text/csv）、"
                           "工作簿，或包含这些文件的表单");
  };
  if (!is_form(request.content_type)) {
    const auto format = format_of_type(request.content_type);
    if (!format) return unknown("Content-Type");
    parts.push_back({{*format, sender.name, ""}, std::move(request.body)});
    return std::nullopt;
  }
  const auto files = files_of_form(request.content_type, request.body);
  if (!files || files->empty()) {
    return say.problem(400, "bad_form", "the form is cut off, or has no file or more than 100",
                       "表单不完整，或没有文件，或超过100个文件");
  }
  for (const FormFile& file : *files) {
    auto format = format_of_name(file.name);
    if (!format) format = format_of_type(file.content_type);
    if (!format) return unknown("'" + file.name + "'");
    parts.push_back({{*format, sender.name, file.name}, std::string(file.body)});
  }
  return std::nullopt;
}

/// Reads a part as it will be read later; an answer if it cannot be taken.
std::optional<HttpResponse> HttpIntake::look_at(Part& part, const Answers& say) {
  auto counts = check_.count(part.form, part.body);
  if (!counts.is_ok()) {
    spdlog::warn("{}: {}", source_, counts.status().message());
    return say.problem(503, "unavailable", "the request cannot be read for now",
                       "暂时无法处理，请稍后重试", 1);
  }
  part.counts = std::move(counts.value());
  if (part.counts.rows == 0) {
    return say.problem(400, "empty", "the request has no rows", "请求中没有数据行");
  }
  // A file that cannot be read at all has no row to be kept.
  const bool nothing = part.counts.rows == 1 && part.counts.bad == 1 &&
                       part.counts.first_bad.front().code == "E805_BAD_FILE";
  if (part.counts.bad > 0 && (nothing || options_.bad_rows == BadRows::kRefuse)) {
    return say.refused(part.counts);
  }
  return std::nullopt;
}

void HttpIntake::post(HttpRequest& request, const Senders::Sender& sender, const Answers& say,
                      HttpReply reply) {
  if (auto wrong = wrong_key(request.idempotency_key, say)) return reply(std::move(*wrong));
  if (request.body.empty()) {
    return reply(say.problem(400, "empty", "the request has no body", "请求没有内容"));
  }
  std::vector<Part> parts;
  if (auto wrong = parts_of(request, sender, say, parts)) return reply(std::move(*wrong));
  std::uint64_t rows = 0;
  for (Part& part : parts) {
    if (auto wrong = look_at(part, say)) return reply(std::move(*wrong));
    rows += part.counts.rows;
  }
  if (const std::int64_t wait = quotas_.take(sender, rows, clock_.steady_ms())) {
    return reply(say.problem(429, "quota", "more rows than this sender may send a minute",
                             "超过该报送单位每分钟允许的行数", static_cast<int>(wait)));
  }
  // The key is the sender's own: two senders may use the same one.
  const std::string& key = request.idempotency_key;
  keep(std::move(parts), key.empty() ? "" : sender.name + "\n" + key, say, std::move(reply));
}

void HttpIntake::keep(std::vector<Part> parts, const std::string& key, const Answers& say,
                      HttpReply reply) {
  const auto pending = std::make_shared<Pending>(say, std::move(reply));
  pending->left = parts.size();
  for (const Part& part : parts) pending->taken.push_back({"", 0, part.counts, false});
  for (std::size_t i = 0; i < parts.size(); ++i) {
    runtime::IntakeEntry entry;
    // The first part has the key itself, whatever it is a part of.
    if (!key.empty()) entry.key = i == 0 ? key : fmt::format("{}\n{}", key, i);
    entry.about = parts[i].form.to_text();
    entry.records = parts[i].counts.rows;
    entry.body = std::move(parts[i].body);
    if (runtime::mutant("http.acknowledged_early")) {
      received({.number = intake_.last() + 1, .records = entry.records}, i, *pending);
      intake_.append(std::move(entry), [](const IntakeReceipt&) {});
      continue;
    }
    intake_.append(std::move(entry), [this, pending, i](const IntakeReceipt& receipt) {
      received(receipt, i, *pending);
    });
  }
}

// Any thread.
void HttpIntake::received(const IntakeReceipt& receipt, std::size_t part, Pending& pending) const {
  {
    const std::lock_guard lock(pending.mutex);
    if (!receipt.status.is_ok()) pending.worst = receipt;
    Answers::Taken& taken = pending.taken[part];
    taken.batch = id_of(receipt.number);
    taken.rows = receipt.records;
    taken.repeated = receipt.repeated;
    if (--pending.left > 0) return;
  }
  pending.reply(answer_to(pending));
}

HttpResponse HttpIntake::answer_to(const Pending& pending) const {
  const IntakeReceipt& worst = pending.worst;
  if (worst.status.is_ok()) return pending.say.taken(pending.taken);
  if (worst.status.code() == StatusCode::kInvalid) {
    return pending.say.problem(422, "key_reused",
                               "the Idempotency-Key was used for another content",
                               "该 Idempotency-Key 已用于其他内容");
  }
  if (worst.full) {
    return pending.say.problem(429, "full", "what was sent before waits to be processed",
                               "此前报送的数据尚待处理，请稍后重试", 1);
  }
  spdlog::error("{}: a request could not be kept: {}", source_, worst.status.message());
  return pending.say.problem(503, "unavailable", "the request could not be stored; send it again",
                             "暂时无法保存，请稍后重新报送", 1);
}

std::uint64_t HttpIntake::number_of(const std::string& id) const {
  const std::string start = source_ + "-";
  std::uint64_t number = 0;
  if (!id.starts_with(start)) return 0;
  const char* const end = id.data() + id.size();
  const auto read = std::from_chars(id.data() + start.size(), end, number);
  return read.ec == std::errc() && read.ptr == end ? number : 0;
}

// Of a batch that is kept no longer nothing is known but that it was processed.
HttpResponse HttpIntake::fate(const std::string& id, const Senders::Sender& sender,
                              const Answers& say) {
  const std::uint64_t number = number_of(id);
  const HttpResponse unknown =
      say.problem(404, "no_such_batch", "there is no such batch", "没有该批次");
  if (number == 0 || number > intake_.last()) return unknown;
  const std::string_view state = number <= committed_ ? "processed" : "kept";
  const auto entry = intake_.at(number);
  if (!entry.is_ok()) return say.fate(id, state, "", {});
  const auto form = BatchForm::parse(entry.value().about);
  if (!form || form->sender != sender.name) return unknown;
  const auto counts = check_.count(*form, entry.value().body);
  return say.fate(id, state, runtime::utc_text(entry.value().arrived_ms),
                  counts.is_ok() ? counts.value() : BatchCounts{.rows = entry.value().records});
}

}  // namespace huiliu::connectors
