#include "codecs/files/json_array.h"

#include <fmt/format.h>

namespace huiliu::codecs {
namespace {

constexpr char kNoJson = '\x1F';  // never stands in JSON: makes the line's reader refuse it

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

}  // namespace

bool JsonArrayLines::feed(std::string_view text, std::string& out) {
  for (const char c : text) {
    if (problem_) return false;
    if (state_ == State::kObject) {
      within(c, out);
    } else if (!is_blank(c)) {
      between(c);
    }
    if (c == '\n') ++line_;
  }
  return !problem_;
}

bool JsonArrayLines::between(char c) {
  switch (state_) {
    case State::kStart:
      // Byte order marks.
      if (c == '\xEF' || c == '\xBB' || c == '\xBF') return true;
      if (c != '[') return refuse("it does not begin with [", "文件不是以[开头");
      state_ = State::kFirst;
      return true;
    case State::kFirst:
    case State::kNext:
      if (c == ']' && state_ == State::kFirst) {
        state_ = State::kEnd;
        return true;
      }
      if (c != '{') {
        return refuse(c == ']' ? "a comma with nothing behind it"
                               : "what should be an object does not begin with {",
                      c == ']' ? "最后一个逗号之后没有对象" : "数组的元素不是以{开头的对象");
      }
      state_ = State::kObject;
      object_.clear();
      object_line_ = line_;
      if (rows_ + 1 == wanted_row_) found_line_ = line_;
      depth_ = 1;
      keep(c);
      return true;
    case State::kBehind:
      if (c != ',' && c != ']') {
        return refuse("neither , nor ] behind an object", "对象之后既不是逗号也不是]");
      }
      state_ = c == ',' ? State::kNext : State::kEnd;
      return true;
    default:
      // 0x1A is what DOS programs put behind the end of a file.
      return c == '\x1A' || refuse("there is text behind the array's end", "数组结束之后还有内容");
  }
}

void JsonArrayLines::within(char c, std::string& out) {
  if (in_string_) {
    // A string ends in its line: after a quote that is missing, the next object is read again.
    if (c == '\n' || c == '\r') {
      in_string_ = escaped_ = false;
      return keep(kNoJson);
    }
    keep(c);
    in_string_ = escaped_ || c != '"';
    escaped_ = !escaped_ && c == '\\';
    return;
  }
  if (is_blank(c)) {
    if (object_.back() != ' ') keep(' ');
    return;
  }
  keep(c);
  in_string_ = c == '"';
  if (c == '{' || c == '[') ++depth_;
  if (c != '}' && c != ']') return;
  if (--depth_ > 0) return;
  state_ = State::kBehind;
  ++rows_;
  out.append(object_).push_back('\n');
}

/// One byte beyond the bound is enough for the line's reader to refuse it.
void JsonArrayLines::keep(char c) {
  if (object_.size() <= max_row_bytes_) object_.push_back(c);
}

bool JsonArrayLines::finish() {
  if (problem_) return false;
  if (state_ == State::kEnd) return true;
  if (state_ == State::kObject) {
    return refuse(fmt::format("the object that begins in line {} has no end", object_line_),
                  fmt::format("第{}行开始的对象没有结束", object_line_));
  }
  return refuse("the array has no end", "数组没有结束的]");
}

bool JsonArrayLines::refuse(const std::string& en, const std::string& zh) {
  problem_ = FileProblem{fmt::format("JSON array, line {}: {}", line_, en),
                         fmt::format("JSON数组第{}行：{}", line_, zh)};
  return false;
}

}  // namespace huiliu::codecs
