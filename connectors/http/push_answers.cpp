#include "connectors/http/push_answers.h"

#include <algorithm>
#include <charconv>
#include <ctime>

#include <fmt/format.h>
#include <rapidjson/document.h>

namespace huiliu::connectors {
namespace {

constexpr std::size_t kMostText = 500;  ///< of a receiver's words, in bytes

/// Cut between characters, and without what would break a line of a log.
std::string short_text(std::string_view text) {
  std::size_t end = std::min(text.size(), kMostText);
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
    --end;
  }
  std::string out(text.substr(0, end));
  std::ranges::replace_if(
      out, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  out.erase(out.find_last_not_of(' ') + 1);
  return out;
}

std::string member(const rapidjson::Value& object, const char* name) {
  const auto found = object.FindMember(name);
  if (found == object.MemberEnd()) return {};
  if (found->value.IsString()) {
    return short_text({found->value.GetString(), found->value.GetStringLength()});
  }
  return found->value.IsInt64() ? std::to_string(found->value.GetInt64()) : std::string();
}

rapidjson::Document parsed(const std::string& body) {
  rapidjson::Document document;
  // Iterative: an answer that is nested deeply must not take the stack.
  document.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(
      body.data(), body.size());
  return document;
}

void take_number(PushVerdict& verdict, std::size_t rows, std::size_t row, std::string number) {
  if (number.empty()) return;
  verdict.numbers.resize(rows);
  verdict.numbers[row] = std::move(number);
}

void take_receipts(const std::string& body, std::size_t rows, PushVerdict& verdict) {
  const rapidjson::Document document = parsed(body);
  if (document.HasParseError() || !document.IsObject()) return;
  if (const std::string number = member(document, "receipt"); !number.empty()) {
    verdict.numbers.assign(rows, number);
  }
  const auto results = document.FindMember("results");
  if (results == document.MemberEnd() || !results->value.IsArray()) return;
  std::vector<bool> seen(rows);
  for (const rapidjson::Value& one : results->value.GetArray()) {
    if (!one.IsObject()) continue;
    const auto index = one.FindMember("index");
    if (index == one.MemberEnd() || !index->value.IsUint64()) continue;
    const auto row = static_cast<std::size_t>(index->value.GetUint64());
    if (row >= rows || seen[row]) continue;
    seen[row] = true;
    take_number(verdict, rows, row, member(one, "receipt"));
    if (member(one, "outcome") != "rejected") continue;
    verdict.refused.push_back({row, member(one, "code"), member(one, "message")});
  }
}

// What a receiver says is in its own words: {"code": .., "message": ..} or {"error": ..}, or text.
void take_words(const net::HttpAnswer& answer, PushVerdict& verdict) {
  const rapidjson::Document document = parsed(answer.body);
  if (!document.HasParseError() && document.IsObject()) {
    verdict.code = member(document, "code");
    verdict.message = member(document, "message");
    const std::string error = member(document, "error");
    if (verdict.code.empty()) verdict.code = error;
    if (verdict.message.empty()) verdict.message = error;
  } else {
    verdict.message = short_text(answer.body);
  }
  if (verdict.code.empty()) verdict.code = fmt::format("http_{}", answer.status);
}

std::string why_again(const net::HttpAnswer& answer) {
  const unsigned status = answer.status;
  const std::string words = short_text(answer.body);
  const std::string said = words.empty() ? "" : ": " + words;
  if (status == 401 || status == 403) {
    return fmt::format(
        "the receiver does not let this topology in ({}): check `token`, `hmac_key` and the "
        "clock; files of them are read again{}",
        status, said);
  }
  if (status >= 300 && status < 400) {
    return fmt::format("the receiver answers {}: write the address that it leads to in `url`",
                       status);
  }
  if (status == 404 || status == 405) {
    return fmt::format("the receiver takes nothing here ({}): check `url`{}", status, said);
  }
  return fmt::format("the receiver answers {}{}", status, said);
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_retry_after(const std::string& text,
                                                           std::int64_t now_ms) {
  if (text.empty()) return std::nullopt;
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size()) {
    constexpr std::int64_t kDay = 86'400;
    return std::chrono::milliseconds(1000 * std::clamp<std::int64_t>(seconds, 0, kDay));
  }
  std::tm utc{};
  if (::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &utc) == nullptr) return std::nullopt;
  const std::int64_t at = static_cast<std::int64_t>(::timegm(&utc)) * 1000;
  return std::chrono::milliseconds(std::max<std::int64_t>(at - now_ms, 0));
}

PushVerdict judge(const net::HttpAnswer& answer, std::size_t rows, std::int64_t now_ms) {
  PushVerdict verdict;
  const unsigned status = answer.status;
  const bool repeated = status == 409 && answer.retry_after.empty();
  if ((status >= 200 && status < 300) || repeated) {
    verdict.kind = PushVerdict::Kind::kTaken;
    take_receipts(answer.body, rows, verdict);
    return verdict;
  }
  if (status == 400 || status == 413 || status == 422) {
    verdict.kind = PushVerdict::Kind::kRefused;
    take_words(answer, verdict);
    return verdict;
  }
  verdict.message = why_again(answer);
  verdict.pause = parse_retry_after(answer.retry_after, now_ms);
  verdict.is_unknown_sender = status == 401 || status == 403;
  return verdict;
}

}  // namespace huiliu::connectors
