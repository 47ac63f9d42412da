#include "connectors/http/answers.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace huiliu::connectors {
namespace {

using Json = rapidjson::Writer<rapidjson::StringBuffer>;

void text(Json& json, const char* key, std::string_view value) {
  json.Key(key);
  json.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
}

void number(Json& json, const char* key, std::uint64_t value) {
  json.Key(key);
  json.Uint64(value);
}

template <class Write>
net::HttpResponse object(unsigned status, const Write& write) {
  rapidjson::StringBuffer buffer;
  Json json(buffer);
  json.StartObject();
  write(json);
  json.EndObject();
  return {.status = status,
          .content_type = "application/json; charset=utf-8",
          .body = std::string(buffer.GetString(), buffer.GetSize()) + "\n"};
}

}  // namespace

// The first language that is one of the two: "zh-CN,zh;q=0.9,en;q=0.8".
Answers::Answers(std::string_view accept_language) {
  const std::size_t zh = accept_language.find("zh"), en = accept_language.find("en");
  chinese_ = zh != std::string_view::npos && (en == std::string_view::npos || zh < en);
}

net::HttpResponse Answers::problem(unsigned status, std::string_view code, std::string_view en,
                                   std::string_view zh, int retry_after) const {
  net::HttpResponse response = object(status, [&](Json& json) {
    text(json, "error", code);
    text(json, "message", chinese_ ? zh : en);
  });
  response.retry_after = retry_after;
  return response;
}

template <class Writer>
void Answers::bad_rows(Writer& json, const BatchCounts& counts) const {
  number(json, "bad_rows", counts.bad);
  json.Key("first_bad_rows");
  json.StartArray();
  for (const BadRow& row : counts.first_bad) {
    json.StartObject();
    number(json, "row", row.row);
    if (!row.field.empty()) text(json, "column", row.field);
    text(json, "code", row.code);
    text(json, "message", chinese_ ? row.message_zh : row.message_en);
    json.EndObject();
  }
  json.EndArray();
}

net::HttpResponse Answers::taken(const std::vector<Taken>& batches) const {
  bool repeated = true;
  for (const Taken& one : batches) repeated = repeated && one.repeated;
  return object(repeated ? 200 : 202, [&](Json& json) {
    const auto members = [&](const Taken& one) {
      text(json, "batch", one.batch);
      number(json, "rows", one.rows);
      json.Key("repeated");
      json.Bool(one.repeated);
      bad_rows(json, one.counts);
    };
    if (batches.size() == 1) return members(batches.front());
    json.Key("batches");
    json.StartArray();
    for (const Taken& one : batches) {
      json.StartObject();
      members(one);
      json.EndObject();
    }
    json.EndArray();
  });
}

net::HttpResponse Answers::refused(const BatchCounts& counts) const {
  return object(422, [&](Json& json) {
    text(json, "error", "bad_rows");
    text(json, "message",
         chinese_ ? "部分行无法读取，整批未接收" : "rows cannot be read; nothing was taken");
    number(json, "rows", counts.rows);
    bad_rows(json, counts);
  });
}

net::HttpResponse Answers::fate(const std::string& batch, std::string_view state,
                                const std::string& arrived, const BatchCounts& counts) const {
  return object(200, [&](Json& json) {
    text(json, "batch", batch);
    text(json, "state", state);
    if (arrived.empty()) return;
    text(json, "arrived", arrived);
    number(json, "rows", counts.rows);
    bad_rows(json, counts);
  });
}

}  // namespace huiliu::connectors
