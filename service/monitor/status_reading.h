#pragma once

#include <cstdint>
#include <string>

#include <rapidjson/document.h>

/// Members of what /status answers, maybe of another version: what is missing is "" or 0.
namespace huiliu::service::status_reading {

inline std::string text(const rapidjson::Value& of, const char* key, const char* none = "") {
  const auto found = of.FindMember(key);
  if (found == of.MemberEnd() || !found->value.IsString()) return none;
  return {found->value.GetString(), found->value.GetStringLength()};
}

inline std::uint64_t number(const rapidjson::Value& of, const char* key) {
  const auto found = of.FindMember(key);
  return found != of.MemberEnd() && found->value.IsUint64() ? found->value.GetUint64() : 0;
}

inline bool truth(const rapidjson::Value& of, const char* key) {
  const auto found = of.FindMember(key);
  return found != of.MemberEnd() && found->value.IsBool() && found->value.GetBool();
}

/// Calls `visit` with each object of a list.
template <class Visit>
void each_of(const rapidjson::Value& of, const char* key, const Visit& visit) {
  const auto found = of.FindMember(key);
  if (found == of.MemberEnd() || !found->value.IsArray()) return;
  for (const auto& one : found->value.GetArray()) {
    if (one.IsObject()) visit(one);
  }
}

}  // namespace huiliu::service::status_reading
