#include <algorithm>

#include <fmt/format.h>

#include "service/explain/report.h"

namespace huiliu::service {
namespace {

constexpr std::size_t kWidestColumn = 36;
constexpr const char* kNothing = "–";

/// Quoted if one would not see where it begins and ends.
std::string shown(const std::optional<std::string>& value) {
  if (!value) return kNothing;
  const auto blank = [&](bool at_end) {
    constexpr std::string_view kWideBlank = "\u3000";
    return at_end ? value->ends_with(' ') || value->ends_with(kWideBlank)
                  : value->starts_with(' ') || value->starts_with(kWideBlank);
  };
  if (!value->empty() && !blank(false) && !blank(true)) return printable(*value);
  return fmt::format("\"{}\"", printable(*value));
}

class TextWriter {
 public:
  explicit TextWriter(Language language) : language_(language) {}

  std::string write(const Trace& trace) {
    origin(trace);
    verdict(trace);
    node_width_ = type_width_ = 0;
    for (const TraceStep& step : trace.steps) {
      node_width_ = std::max(node_width_, display_width(step.node));
      type_width_ = std::max(type_width_, display_width(step.type));
    }
    out_ += "\n";
    std::size_t number = 0;
    for (const TraceStep& step : trace.steps) {
      if (step.result == TraceResult::kWritten) continue;
      head(++number, step);
      if (number == 1) fields(trace.read);
      body(step);
    }
    sinks(trace);
    return std::move(out_);
  }

 private:
  std::string say(std::string_view english, std::string_view chinese) const {
    return service::say(language_, english, chinese);
  }

  void origin(const Trace& trace) {
    const TraceStep& first = trace.steps.front();
    if (trace.origin.file.empty()) {
      out_ += fmt::format("{} {}\n", say("made from state by", "由状态生成，节点"), first.node);
      return;
    }
    out_ += fmt::format("{}  {} {}", trace.origin.file, say("row", "数据行"), trace.origin.row);
    if (trace.place && !trace.place->sheet.empty()) {
      out_ += fmt::format("  ({} \"{}\", {} {})", say("sheet", "工作表"), trace.place->sheet,
                          say("row of the sheet", "表内行号"), trace.place->line);
    } else if (trace.place && trace.place->line > 0) {
      out_ += fmt::format("  ({} {})", say("line", "文件行号"), trace.place->line);
    }
    out_ += fmt::format("  {} {}\n", say("source", "来源"), first.node);
  }

  void verdict(const Trace& trace) {
    if (const TraceStep* step = trace.rejecting_step()) {
      out_ += fmt::format("{}  {}  {} {}\n", say("REJECTED", "退回"), step->reject->code,
                          say("by", "节点"), step->node);
      messages(*step->reject, "  ");
      return;
    }
    if (const TraceStep* step = trace.dropping_step()) {
      out_ += fmt::format("{}  {}  {} {}\n", say("DROPPED", "丢弃"), step->dropped_why,
                          say("by", "节点"), step->node);
      earlier(*step, "  ");
      return;
    }
    const TraceStep* aside = trace.diverting_step();
    out_ += aside == nullptr ? say("PASSED", "通过") + "\n"
                             : fmt::format("{}  {} {}\n", say("SET ASIDE", "未进入主流程"),
                                           say("by", "节点"), aside->node);
    for (const TraceStep& step : trace.steps) {
      if (step.decides_by_key && !step.outputs.empty()) decision(step);
    }
  }

  /// What an operator that compares by key added says how it decided.
  void decision(const TraceStep& step) {
    for (const TraceChange& change : step.outputs.front().changes) {
      if (change.before) continue;
      out_ += fmt::format("  {}: {} = {}\n", step.node, change.field, shown(change.after));
    }
    earlier(step, "  ");
  }

  void earlier(const TraceStep& step, std::string_view indent) {
    if (!step.earlier) return;
    out_ += fmt::format("{}{}  {} {} {}\n", indent,
                        say("same key as the earlier record", "与先前记录主键相同"),
                        step.earlier->file, say("row", "数据行"), step.earlier->row);
  }

  void messages(const TraceReject& reject, std::string_view indent) {
    if (language_ != Language::kEnglish && !reject.message_zh.empty()) {
      out_ += fmt::format("{}{}\n", indent, printable(reject.message_zh));
    }
    if (language_ != Language::kChinese && !reject.message_en.empty()) {
      out_ += fmt::format("{}{}\n", indent, printable(reject.message_en));
    }
  }

  std::string result_text(const TraceStep& step) const {
    switch (step.result) {
      case TraceResult::kRead:
        return say("read", "读入");
      case TraceResult::kMade:
        return say("made", "生成");
      case TraceResult::kRejected:
        return say("REJECTED", "退回");
      case TraceResult::kDropped:
        return say("DROPPED", "丢弃");
      case TraceResult::kKept:
        return say("absorbed", "计入状态");
      case TraceResult::kWritten:
        return say("written", "写出");
      case TraceResult::kPassed:
        break;
    }
    const bool changed =
        std::any_of(step.outputs.begin(), step.outputs.end(), [](const TraceOutput& output) {
          return !output.changes.empty() || !output.removed.empty();
        });
    return changed ? say("changed", "有改动") : say("unchanged", "无改动");
  }

  void head(std::size_t number, const TraceStep& step) {
    out_ += fmt::format("{:>2}  {}  {}  {}\n", number, padded(step.node, node_width_),
                        padded(step.type, type_width_), result_text(step));
  }

  void fields(const std::vector<TraceChange>& read) {
    std::size_t width = 0;
    for (const TraceChange& field : read) width = std::max(width, display_width(field.field));
    for (const TraceChange& field : read) {
      out_ += fmt::format("      {}  {}\n", padded(field.field, width), shown(field.after));
    }
  }

  void body(const TraceStep& step) {
    for (const TraceOutput& output : step.outputs) {
      changes(output.changes);
      if (!output.removed.empty()) {
        out_ += fmt::format("      {} {}\n", say("fields left out:", "不再保留的字段数："),
                            output.removed.size());
      }
      streams(step, output);
    }
    if (step.reject) reject(*step.reject);
    if (!step.dropped_why.empty()) {
      out_ += fmt::format("      {}  {}\n", say("why", "原因"), printable(step.dropped_why));
    }
    if (!step.earlier) return;
    earlier(step, "      ");
    if (!step.compared) return;
    if (step.differences.empty()) {
      out_ += fmt::format("      {}\n", say("no field differs from it", "各字段均与其相同"));
      return;
    }
    out_ += fmt::format("      {}\n", say("differs from it in (earlier → this):",
                                          "与其不同的字段（先前 → 本条）："));
    changes(step.differences);
  }

  /// Names the outputs if they are not just the main one.
  void streams(const TraceStep& step, const TraceOutput& output) {
    if (step.reject || (output.streams.size() == 1 && output.streams.front() == step.node)) return;
    out_ += fmt::format("      {}  {}\n", say("to", "输出到"), fmt::join(output.streams, ", "));
  }

  void changes(const std::vector<TraceChange>& all) {
    std::size_t names = 0, befores = 0;
    for (const TraceChange& change : all) {
      names = std::max(names, display_width(change.field));
      const std::size_t width = display_width(shown(change.before));
      if (width <= kWidestColumn) befores = std::max(befores, width);
    }
    for (const TraceChange& change : all) {
      out_ += fmt::format("      {}  {}  →  {}\n", padded(change.field, names),
                          padded(shown(change.before), befores), shown(change.after));
    }
  }

  void reject(const TraceReject& reject) {
    std::vector<std::pair<std::string, std::string>> lines = {{say("code", "代码"), reject.code}};
    if (!reject.field.empty()) {
      // A missing value may be what is wrong with the field.
      lines.emplace_back(say("field", "字段"), reject.field);
      lines.emplace_back(say("value", "值"),
                         reject.value.empty() ? say("(empty)", "（空）") : shown(reject.value));
    } else if (!reject.value.empty()) {
      lines.emplace_back(say("value", "值"), shown(reject.value));
    }
    lines.emplace_back(say("rule", "规则"), reject.rule);
    std::size_t width = 0;
    for (const auto& [name, text] : lines) width = std::max(width, display_width(name));
    for (const auto& [name, text] : lines) {
      out_ += fmt::format("      {}  {}\n", padded(name, width), text);
    }
    messages(reject, "      ");
  }

  void sinks(const Trace& trace) {
    std::vector<std::string> names;
    for (const TraceStep& step : trace.steps) {
      if (step.result != TraceResult::kWritten) continue;
      names.push_back(fmt::format("{} ({} ← {})", step.node, step.type, step.input));
    }
    out_ += "\n" + say("goes to", "写出到") + ":";
    if (names.empty()) out_ += " " + say("no sink", "无");
    for (const std::string& name : names) out_ += "\n      " + name;
    out_ += "\n";
  }

  Language language_;
  std::string out_;
  std::size_t node_width_ = 0, type_width_ = 0;
};

}  // namespace

std::string trace_text(const Trace& trace, Language language) {
  return TextWriter(language).write(trace);
}

}  // namespace huiliu::service
