#include "service/rules/rule_text.h"

#include <filesystem>

#include <fmt/format.h>

#include "operators/faults.h"
#include "operators/field_names.h"
#include "service/rules/check_words.h"

namespace huiliu::service {

using operators::items_of;
using runtime::Config;

namespace {

std::string joined(const std::vector<std::string>& parts, std::string_view between) {
  return fmt::format("{}", fmt::join(parts, between));
}

/// Whether the rule has every key that a piece of words names.
bool has_keys(std::string_view piece, const Config& rule) {
  for (std::size_t at = piece.find('{'); at != std::string_view::npos;) {
    std::string_view name = piece.substr(at + 1, piece.find('}', at) - at - 1);
    if (const std::size_t colon = name.find(':'); colon != std::string_view::npos) {
      name.remove_prefix(colon + 1);
    }
    if (!rule.has(name)) return false;
    at = piece.find('{', at + 1);
  }
  return true;
}

}  // namespace

std::string RuleText::fields(const Config& rule) const {
  return names(rule[rule.has("fields") ? "fields" : "field"], kinds_of(rule));
}

std::string RuleText::check(const Config& rule) const {
  const CheckWords* const known = check_words(rule["check"].text());
  if (known == nullptr) return fmt::format("`{}`", rule["check"].text());
  std::string_view rest = chinese_ ? known->zh : known->en;
  std::string text;
  while (!rest.empty()) {
    const std::size_t open = std::min(rest.find('['), rest.size());
    text += fill(rest.substr(0, open), rule);
    if (open == rest.size()) break;
    const std::size_t close = rest.find(']', open);
    const std::string_view optional = rest.substr(open + 1, close - open - 1);
    if (has_keys(optional, rule)) text += fill(optional, rule);
    rest.remove_prefix(close + 1);
  }
  return text;
}

std::string RuleText::when(const Config& rule) const {
  return rule.has("when") ? condition(rule["when"], kinds_of(rule)) : either("总是", "always");
}

std::string RuleText::action(const Config& rule) const {
  if (rule.string_or("severity", "reject") != "warn") return either("退回", "reject");
  if (!rule.bool_or("clear", false)) return either("提示", "warning");
  return either("提示，该项不采用", "warning, left out");
}

std::string RuleText::code(const Config& rule) const {
  const CheckWords* const known = check_words(rule["check"].text());
  const std::string codes =
      rule.string_or("code", std::string(known == nullptr ? "" : known->codes));
  if (rule.string_or("severity", "reject") != "warn") return codes;
  std::vector<std::string> warnings;
  for (std::string_view rest = codes; !rest.empty();) {
    const std::size_t cut = std::min(rest.find(", "), rest.size());
    warnings.push_back(operators::warning_code(rest.substr(0, cut)));
    rest.remove_prefix(std::min(cut + 2, rest.size()));
  }
  return joined(warnings, ", ");
}

std::string RuleText::message(const Config& rule) const {
  const CheckWords* const known = check_words(rule["check"].text());
  std::string own(known == nullptr ? "" : chinese_ ? known->message_zh : known->message_en);
  if (own.empty()) own = either("按错误之处说明", "says what is wrong with it");
  return rule.string_or(chinese_ ? "message_zh" : "message_en", own);
}

std::string RuleText::table(const Config& path) const {
  const auto whole = std::filesystem::path(operators::resolve_path(path)).lexically_normal();
  return fmt::format("`{}`", whole.lexically_relative(folder_).generic_string());
}

RuleText::Kinds RuleText::kinds_of(const Config& rule) const {
  Kinds kinds;
  const Config& when = rule["when"];
  if (headings_.by().empty() || !when.is_map()) return kinds;
  for (const Config* kind : items_of(when[headings_.by()])) {
    if (kind->is_scalar()) kinds.push_back(kind->text());
  }
  return kinds;
}

std::string RuleText::names(const Config& fields, const Kinds& kinds) const {
  std::vector<std::string> parts;
  for (const Config* field : items_of(fields))
    parts.push_back(headings_.name(field->text(), kinds));
  return joined(parts, either("、", ", "));
}

std::string RuleText::words(const Config& values) const {
  std::vector<std::string> parts;
  for (const Config* value : items_of(values)) parts.push_back(value->text());
  return joined(parts, either("、", ", "));
}

// A condition is a map whose entries all hold, or a list of such.
std::string RuleText::condition(const Config& node, const Kinds& kinds) const {
  std::vector<std::string> parts;
  for (const Config& item : node.items()) parts.push_back(condition(item, kinds));
  for (const auto& [key, value] : node.entries()) parts.push_back(entry(key, value, kinds));
  return joined(parts, either("，且", " and "));
}

std::string RuleText::entry(const std::string& key, const Config& value, const Kinds& kinds) const {
  if (key == "present") return names(value, kinds) + either("已填", " given");
  if (key == "absent") {
    const bool several = items_of(value).size() > 1;
    return names(value, kinds) +
           (several ? either("均未填", " not given") : either("未填", " not given"));
  }
  if (key == "not") return fmt::format("{} ({})", either("并非", "not"), condition(value, kinds));
  if (key == "any") {
    std::vector<std::string> parts;
    for (const Config* item : items_of(value)) parts.push_back(condition(*item, kinds));
    return fmt::format("({})", joined(parts, either("，或", " or ")));
  }
  const std::string name = headings_.name(key, kinds);
  if (!value.is_map()) return fmt::format("{} = {}", name, words(value));
  std::vector<std::string> parts;
  for (const auto& [word, operand] : value.entries()) {
    parts.push_back(fmt::format("{} {}", name, comparison(word, operand)));
  }
  return joined(parts, either("，且", " and "));
}

std::string RuleText::comparison(const std::string& word, const Config& value) const {
  if (word == "contains") return either("含 ", "contains ") + words(value);
  if (word == "not_contains") return either("不含 ", "does not contain ") + words(value);
  if (word == "starts_with") return either("以此开头：", "begins with ") + words(value);
  if (word == "matches") return either("符合 ", "matches ") + fmt::format("`{}`", words(value));
  if (word == "not") return "≠ " + words(value);
  if (word == "less_than") return "< " + words(value);
  if (word == "more_than") return "> " + words(value);
  return value.text() == "true" ? either("已填", "given") : either("未填", "not given");
}

std::string RuleText::value_of(std::string_view name, const Config& rule) const {
  if (name.starts_with("F:")) return names(rule[name.substr(2)], kinds_of(rule));
  std::vector<std::string> parts;
  if (name == "separator") {  // punctuation would be lost between commas
    for (const Config* mark : items_of(rule[name])) {
      parts.push_back(fmt::format("`{}`", mark->text()));
    }
    return joined(parts, " ");
  }
  if (!name.starts_with("T:")) return words(rule[name]);
  for (const Config* path : items_of(rule[name.substr(2)])) parts.push_back(table(*path));
  return joined(parts, either("、", ", "));
}

std::string RuleText::fill(std::string_view words, const Config& rule) const {
  std::string text;
  while (!words.empty()) {
    const std::size_t open = std::min(words.find('{'), words.size());
    text += words.substr(0, open);
    if (open == words.size()) break;
    const std::size_t close = words.find('}', open);
    text += value_of(words.substr(open + 1, close - open - 1), rule);
    words.remove_prefix(close + 1);
  }
  return text;
}

}  // namespace huiliu::service
