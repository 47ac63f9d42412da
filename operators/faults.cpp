#include "operators/faults.h"

#include <algorithm>
#include <utility>

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace huiliu::operators {
namespace {

using Member = std::string Fault::*;
constexpr std::pair<const char*, Member> kMembers[] = {
    {"field", &Fault::field},  {"heading", &Fault::heading}, {"code", &Fault::code},
    {"value", &Fault::value},  {"rule", &Fault::rule},       {"en", &Fault::message_en},
    {"zh", &Fault::message_zh}};

std::string_view name_of(const Fault& fault) {
  return fault.heading.empty() ? fault.field : fault.heading;
}

}  // namespace

std::string faults_to_json(const Faults& faults) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  writer.StartArray();
  for (const Fault& fault : faults) {
    writer.StartObject();
    for (const auto& [name, member] : kMembers) {
      const std::string& text = fault.*member;
      if (text.empty()) continue;
      writer.Key(name);
      writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
    }
    if (fault.warns) {
      writer.Key("severity");
      writer.String("warn");
    }
    writer.EndObject();
  }
  writer.EndArray();
  return {buffer.GetString(), buffer.GetSize()};
}

Faults faults_from_json(std::string_view text) {
  Faults faults;
  if (!text.starts_with("[{")) return faults;
  rapidjson::Document document;
  document.Parse(text.data(), text.size());
  if (document.HasParseError() || !document.IsArray()) return faults;
  for (const auto& item : document.GetArray()) {
    if (!item.IsObject()) return {};
    Fault& fault = faults.emplace_back();
    fault.warns = item.HasMember("severity");
    for (const auto& [name, member] : kMembers) {
      const auto found = item.FindMember(name);
      if (found == item.MemberEnd() || !found->value.IsString()) continue;
      (fault.*member).assign(found->value.GetString(), found->value.GetStringLength());
    }
  }
  return faults;
}

bool has_fault(const Faults& faults, std::string_view field) {
  return std::any_of(faults.begin(), faults.end(),
                     [field](const Fault& fault) { return fault.field == field; });
}

std::string faults_text(const Faults& faults, bool chinese) {
  std::string text;
  for (const Fault& fault : faults) {
    if (!text.empty()) text += chinese ? "；" : "; ";
    if (!name_of(fault).empty()) {
      text += name_of(fault);
      text += chinese ? "：" : ": ";
    }
    text += chinese ? fault.message_zh : fault.message_en;
    const Remedy remedy = remedy_of(fault.code);
    const std::string_view advice = chinese ? remedy.zh : remedy.en;
    // A message that says itself what to do, 请…, says it better.
    if (advice.empty() || fault.message_zh.find("请") != std::string::npos) continue;
    text += chinese ? "，" : ", ";
    text += advice;
  }
  return text;
}

}  // namespace huiliu::operators
