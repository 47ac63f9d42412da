#include "connectors/http/openapi.h"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace huiliu::connectors {
namespace {

/// As JSON Schema says it. A number may also come as text, as in CSV.
const char* type_of(runtime::Type type) {
  switch (type) {
    case runtime::Type::kInt64:
    case runtime::Type::kTimestamp:
      return R"({"type": ["integer", "string", "null"]})";
    case runtime::Type::kFloat64:
      return R"({"type": ["number", "string", "null"]})";
    case runtime::Type::kBool:
      return R"({"type": ["boolean", "string", "null"]})";
    case runtime::Type::kJson:
      return "{}";
    default:
      return R"({"type": ["string", "null"]})";
  }
}

constexpr const char* kPage = R"json({
"openapi": "3.1.0",
"info": {"version": "1"},
"components": {
  "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
  "schemas": {
    "Row": {"type": "object"},
    "Problem": {"type": "object", "properties": {"error": {"type": "string"}, "message": {"type": "string"}}},
    "BadRow": {"type": "object", "properties": {"row": {"type": "integer"}, "column": {"type": "string"},
      "code": {"type": "string"}, "message": {"type": "string"}}},
    "Batch": {"type": "object", "properties": {"batch": {"type": "string"}, "state": {"enum": ["kept", "processed"]},
      "rows": {"type": "integer"}, "repeated": {"type": "boolean"}, "arrived": {"type": "string"},
      "bad_rows": {"type": "integer"},
      "first_bad_rows": {"type": "array", "items": {"$ref": "#/components/schemas/BadRow"}}}}}},
"security": [{"token": []}],
"paths": {
  "/v1/batches": {"post": {
    "summary": "Sends rows",
    "parameters": [{"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": 200},
      "description": "The same key gets the first answer again; nothing is taken twice."}],
    "requestBody": {"required": true, "content": {
      "application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Row"}}},
      "application/x-ndjson": {}, "text/csv": {}, "application/vnd.ms-excel": {},
      "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": {}}},
    "responses": {
      "202": {"description": "Durable", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Batch"}}}},
      "200": {"description": "Taken before, under the same key"},
      "400": {"description": "No rows"}, "401": {"description": "No valid token"},
      "413": {"description": "Larger than the source takes"}, "415": {"description": "No format that can be read"},
      "422": {"description": "Rows that cannot be read, or a key that was used for another content"},
      "429": {"description": "Too much for now; Retry-After says when"},
      "503": {"description": "It could not be stored; send it again"}}}},
  "/v1/batches/{id}": {"get": {
    "summary": "What became of a batch",
    "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}],
    "responses": {"200": {"description": "The batch", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Batch"}}}},
      "404": {"description": "There is none of that name"}}}}}
})json";

}  // namespace

net::HttpResponse openapi_page(const HttpOptions& options, const std::string& source) {
  rapidjson::Document page;
  page.Parse(kPage);
  auto& allocator = page.GetAllocator();
  const auto text = [&](const std::string& value) {
    return rapidjson::Value(value.data(), static_cast<rapidjson::SizeType>(value.size()),
                            allocator);
  };
  page["info"].AddMember("title", text(source), allocator);
  rapidjson::Value properties(rapidjson::kObjectType), required(rapidjson::kArrayType);
  for (const codecs::FileField& field : options.rows.fields) {
    rapidjson::Document type(&allocator);
    type.Parse(type_of(field.type));
    properties.AddMember(text(field.name), rapidjson::Value(type, allocator), allocator);
    if (field.required_column) required.PushBack(text(field.name), allocator);
  }
  rapidjson::Value& row = page["components"]["schemas"]["Row"];
  row.AddMember("properties", properties, allocator);
  if (!required.Empty()) row.AddMember("required", required, allocator);
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  page.Accept(writer);
  return {.status = 200,
          .content_type = "application/json",
          .body = std::string(buffer.GetString(), buffer.GetSize()) + "\n"};
}

}  // namespace huiliu::connectors
