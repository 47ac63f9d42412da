#include "service/rules/rules_page.h"

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "operators/field_names.h"
#include "service/rules/headings.h"
#include "service/rules/rule_text.h"
#include "service/rules/table_file.h"

namespace huiliu::service {
namespace {

using operators::items_of;
using runtime::Config;
using runtime::Node;
using runtime::Topology;

std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string row_of(const std::vector<std::string>& cells) {
  std::string out = "|";
  for (const std::string& text : cells) out += text.empty() ? " |" : " " + cell(text) + " |";
  return out + "\n";
}

std::string head_of(const std::vector<std::string>& cells) {
  std::string out = row_of(cells) + "|";
  for (std::size_t i = 0; i < cells.size(); ++i) out += " --- |";
  return out + "\n";
}

class Page {
 public:
  Page(const Topology& topology, bool chinese) : topology_(topology), chinese_(chinese) {}

  std::string write() {
    out_ = fmt::format("# {} {} {}\n", topology_.id, topology_.version, either("的规则", "rules"));
    for (const Node& node : topology_.nodes) {
      if (node.type_name == "validate") write_rules(node);
    }
    for (const Node& node : topology_.nodes) {
      if (node.type_name == "decide") write_decisions(node);
    }
    write_tables();
    return std::move(out_);
  }

 private:
  const char* either(const char* zh, const char* en) const { return chinese_ ? zh : en; }

  void write_rules(const Node& node) {
    const Config& config = *node.config;
    const Headings headings(config);
    const RuleText text(headings, topology_.folder, chinese_);
    std::vector<const Config*> own;  // that stand in the topology itself
    const std::string version = config.string_or("version", "1");
    for (const Config* item : items_of(config["rules"])) {
      if (!item->is_map() || !item->has("rules")) {
        own.push_back(item);
        continue;
      }
      write_group(node.name, *item, item->string_or("version", version), items_of((*item)["rules"]),
                  text);
    }
    if (!own.empty()) write_group(node.name, config, version, own, text);
  }

  void write_group(const std::string& node, const Config& file, const std::string& version,
                   const std::vector<const Config*>& rules, const RuleText& text) {
    out_ += fmt::format("\n## {} `{}`: {}\n\n", either("规则", "Rules of"), node,
                        text.table(Config::scalar(file_name(file), file.place())));
    if (file.has("description")) out_ += file["description"].text() + "\n";
    out_ += fmt::format("{} {}, {} {}\n\n", either("版本", "Version"), version, rules.size(),
                        either("条规则", "rules"));
    out_ += chinese_
                ? head_of({"编号", "栏目", "要求", "适用", "处理", "代码", "提示", "依据", "自"})
                : head_of({"id", "fields", "must hold", "applies when", "what happens", "code",
                           "message", "source", "since"});
    for (const Config* rule : rules) {
      out_ +=
          row_of({fmt::format("`{}`", (*rule)["id"].text()), text.fields(*rule), text.check(*rule),
                  text.when(*rule), text.action(*rule), text.code(*rule), text.message(*rule),
                  rule->string_or("basis", file.string_or("basis", "")),
                  rule->string_or("since", rule->has("basis") ? "" : file.string_or("since", ""))});
    }
  }

  static std::string file_name(const Config& file) {
    return std::filesystem::path(file.place().file).filename().string();
  }

  void write_decisions(const Node& node) {
    const Config& config = *node.config;
    const TableFile table = TableFile::read(operators::resolve_path(config["table"]));
    const RuleText text(headings_, topology_.folder, chinese_);
    out_ += fmt::format("\n## {} `{}`: {}\n\n", either("判定表", "Decisions of"), node.name,
                        text.table(config["table"]));
    out_ += either("自上而下，第一条相符的行决定。空格不作要求；`|` 表示其中之一。\n\n",
                   "The first row that fits decides. An empty cell asks for nothing; `|` parts "
                   "words of which one must fit.\n\n");
    for (const auto& [column, match] : config["match"].entries()) write_match(column, match);
    for (const auto& [field, column] : config["set"].entries()) {
      out_ += fmt::format("- `{}` → `{}`\n", column.text(), field);
    }
    for (const auto& [field, made] : config["add_months"].entries()) {
      out_ += fmt::format("- `{}` + `{}` {} → `{}`\n", made["to"].text(), made["months"].text(),
                          either("个月", "months"), field);
    }
    out_ += "\n";
    for (const std::string& line : table.head) out_ += fmt::format("> {}\n", line);
    out_ += "\n" + head_of(table.columns);
    for (const auto& row : table.rows) out_ += row_of(row);
  }

  void write_match(const std::string& column, const Config& match) {
    if (!match.is_map()) {
      out_ += fmt::format("- `{}` = `{}`\n", column, match.text());
      return;
    }
    for (const auto& [how, field] : match.entries()) {
      const char* const words = how == "contains"   ? either("之一含于", "one of it is in")
                                : how == "at_least" ? either("≤", "≤")
                                                    : "=";
      out_ += fmt::format("- `{}` {} `{}`\n", column, words, field.text());
    }
  }

  struct Use {
    std::string path, shown;
    std::vector<std::string> by;
  };

  // Every table that an operator names, wherever in its config.
  void find_tables(const Config& node, const std::string& by, std::vector<Use>& uses) {
    const std::string here = node.is_map() && node["id"].is_scalar() ? node["id"].text() : by;
    for (const Config& item : node.items()) find_tables(item, here, uses);
    for (const auto& [key, value] : node.entries()) find_tables(value, here, uses);
    if (!node.is_scalar() || !node.text().ends_with(".csv")) return;
    const RuleText text(headings_, topology_.folder, chinese_);
    const std::string shown = text.table(node);
    auto use = std::find_if(uses.begin(), uses.end(),
                            [&shown](const Use& one) { return one.shown == shown; });
    if (use == uses.end()) use = uses.insert(use, {operators::resolve_path(node), shown, {}});
    const std::string user = fmt::format("`{}`", here);
    if (std::find(use->by.begin(), use->by.end(), user) == use->by.end()) use->by.push_back(user);
  }

  void write_tables() {
    std::vector<Use> uses;
    for (const Node& node : topology_.nodes) {
      if (node.op != nullptr) find_tables(*node.config, node.name, uses);
    }
    if (uses.empty()) return;
    std::sort(uses.begin(), uses.end(),
              [](const Use& a, const Use& b) { return a.shown < b.shown; });
    out_ += either("\n## 代码表和同义词表\n\n", "\n## Code tables and synonyms\n\n");
    out_ += chinese_ ? head_of({"表", "行数", "生效（最早）", "变动（最晚）", "有效至", "用于"})
                     : head_of({"table", "rows", "in force (first)", "changed (last)",
                                "valid until", "used by"});
    std::string sources = either("\n### 来源\n", "\n### Where they come from\n");
    for (const Use& use : uses) {
      const TableFile table = TableFile::read(use.path);
      const std::string_view last = std::max(table.last("valid_from"), table.last("valid_to"));
      out_ += row_of({use.shown, fmt::format("{}", table.rows.size()),
                      std::string(table.first("valid_from")), std::string(last),
                      std::string(table.comment("valid until")),
                      fmt::format("{}", fmt::join(use.by, either("、", ", ")))});
      if (table.head.empty()) continue;
      sources += fmt::format("\n{}\n\n", use.shown);
      for (const std::string& line : table.head) sources += fmt::format("> {}\n", line);
    }
    out_ += sources;
  }

  const Topology& topology_;
  bool chinese_;
  Headings headings_;
  std::string out_;
};

}  // namespace

std::string rules_page(const Topology& topology, bool chinese) {
  return Page(topology, chinese).write();
}

}  // namespace huiliu::service
