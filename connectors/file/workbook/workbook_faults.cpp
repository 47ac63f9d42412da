#include "connectors/file/workbook/workbook_faults.h"

#include <rapidjson/document.h>

#include "domain/remedies.h"

namespace huiliu::connectors {
namespace {

std::string member(const rapidjson::Value& item, const char* name) {
  const auto found = item.FindMember(name);
  if (found == item.MemberEnd() || !found->value.IsString()) return {};
  return {found->value.GetString(), found->value.GetStringLength()};
}

/// The JSON that operators write for all faults of a row (docs/guides/read-a-reject.md).
std::vector<WorkbookFault> parse(std::string_view json, bool chinese) {
  std::vector<WorkbookFault> faults;
  if (!json.starts_with("[{")) return faults;
  rapidjson::Document document;
  document.Parse(json.data(), json.size());
  if (document.HasParseError() || !document.IsArray()) return faults;
  for (const auto& item : document.GetArray()) {
    if (!item.IsObject()) return {};
    WorkbookFault fault{member(item, "field"), member(item, "heading"), member(item, "code"),
                        member(item, chinese ? "zh" : "en")};
    const domain::Remedy remedy = domain::remedy_of(fault.code);
    const std::string_view advice = chinese ? remedy.zh : remedy.en;
    // A message that says itself what to do, 请…, says it better.
    const bool says_it = member(item, "zh").find("请") != std::string::npos;
    if (!advice.empty() && !says_it) fault.message.append(chinese ? "，" : ", ").append(advice);
    faults.push_back(std::move(fault));
  }
  return faults;
}

}  // namespace

std::string_view text_of(const WorkbookLayout& layout, const std::vector<runtime::Value>& row,
                         std::string_view field) {
  const auto index = layout.rows.index_of(field);
  return index ? row[*index].text() : std::string_view();
}

std::vector<WorkbookFault> faults_of(const WorkbookLayout& layout,
                                     const std::vector<runtime::Value>& row) {
  auto faults = parse(text_of(layout, row, "reject_faults"), layout.chinese);
  if (!faults.empty()) return faults;
  const std::string_view code = text_of(layout, row, "reject_code");
  const std::string_view message =
      text_of(layout, row, layout.chinese ? "reject_message_zh" : "reject_message_en");
  if (code.empty() && message.empty()) return faults;
  faults.push_back({std::string(text_of(layout, row, "reject_field")), "", std::string(code),
                    std::string(message)});
  return faults;
}

}  // namespace huiliu::connectors
