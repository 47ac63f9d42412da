#include "formats/xml_rows.h"

#include <algorithm>
#include <type_traits>

#include <expat.h>

namespace huiliu::formats {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
// A tag that goes on for longer is an attack: names and attributes here are short.
constexpr std::size_t kMaxSilentBytes = std::size_t{1} << 20;
constexpr std::size_t kPieceBytes = std::size_t{64} << 10;
constexpr std::size_t kFieldCost = 64;  // so that a row of empty elements is bounded as well

std::string_view local_name_of(const char* name) {
  const std::string_view whole(name);
  const std::size_t colon = whole.rfind(':');
  return colon == std::string_view::npos ? whole : whole.substr(colon + 1);
}

// `upper` has capitals only.
bool is_named(std::string_view name, std::string_view upper) {
  return name.size() == upper.size() &&
         std::equal(name.begin(), name.end(), upper.begin(), [](char c, char want) {
           return want == (c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c);
         });
}

void trim(std::string& text) {
  const std::size_t last = text.find_last_not_of(kBlanks);
  text.resize(last == std::string::npos ? 0 : last + 1);
  text.erase(0, std::min(text.find_first_not_of(kBlanks), text.size()));
}

std::string chinese_of(XML_Error error) {
  switch (error) {
    case XML_ERROR_TAG_MISMATCH:
      return "结束标签与开始标签不一致";
    case XML_ERROR_NO_ELEMENTS:
    case XML_ERROR_UNCLOSED_TOKEN:
    case XML_ERROR_UNCLOSED_CDATA_SECTION:
      return "内容不完整，缺少结束标签";
    case XML_ERROR_UNDEFINED_ENTITY:
      return "使用了未定义的实体，“&”应写作“&amp;”";
    case XML_ERROR_JUNK_AFTER_DOC_ELEMENT:
      return "根元素之后还有内容";
    case XML_ERROR_PARTIAL_CHAR:
      return "字符不完整";
    default:
      return "存在不允许的字符，“<”“&”应写作“&lt;”“&amp;”";
  }
}

struct ParserDeleter {
  void operator()(XML_Parser parser) const { XML_ParserFree(parser); }
};

}  // namespace

struct XmlRows::Impl {
  XmlRowsLimits limits;
  Take take;
  // The text comes as UTF-8, so what the declaration says is of no concern.
  std::unique_ptr<std::remove_pointer_t<XML_Parser>, ParserDeleter> parser{
      XML_ParserCreate("UTF-8")};
  Outcome outcome;
  XmlRow row;
  std::size_t row_bytes = 0;
  std::uint32_t depth = 0;
  std::uint32_t data_depth = 0;  // of ROWDATA; 0: outside
  bool in_row = false;
  bool in_field = false;
  bool found = false;
  std::uint64_t lines_before = 0;  // left out in front of the first tag
  bool begun = false;
  std::size_t silent_bytes = 0;

  Impl(XmlRowsLimits bounds, Take target) : limits(bounds), take(std::move(target)) {
    if (parser == nullptr) {
      outcome = Outcome::failure(OutcomeCode::kIo, "out of memory");
      return;
    }
    XML_SetUserData(parser.get(), this);
    XML_SetElementHandler(parser.get(), &Impl::start_event, &Impl::end_event);
    XML_SetCharacterDataHandler(parser.get(), &Impl::text_event);
    XML_SetStartDoctypeDeclHandler(parser.get(), &Impl::doctype_event);
  }

  static Impl& of(void* user_data) { return *static_cast<Impl*>(user_data); }
  static void start_event(void* data, const XML_Char* name, const XML_Char** attributes) {
    of(data).start(local_name_of(name), attributes);
  }
  static void end_event(void* data, const XML_Char*) { of(data).end(); }
  static void text_event(void* data, const XML_Char* text, int length) {
    of(data).text(std::string_view(text, static_cast<std::size_t>(length)));
  }
  static void doctype_event(void* data, const XML_Char*, const XML_Char*, const XML_Char*, int) {
    of(data).fail(OutcomeCode::kCorrupt, "a DOCTYPE is refused", "不接受DOCTYPE声明");
  }

  std::uint64_t line() const { return lines_before + XML_GetCurrentLineNumber(parser.get()); }

  void fail(OutcomeCode code, const std::string& message, const std::string& zh) {
    if (!outcome.ok()) return;
    const std::string number = std::to_string(line());
    outcome = Outcome::failure(code, "XML line " + number + ": " + message,
                               "XML第" + number + "行：" + zh);
    XML_StopParser(parser.get(), XML_FALSE);
  }

  // Whether that much more of the row is kept.
  bool has_room(std::size_t bytes) {
    row_bytes += bytes;
    if (row_bytes > limits.max_row_bytes) row.too_long = true;
    return !row.too_long;
  }

  void start(std::string_view name, const XML_Char** attributes) {
    silent_bytes = 0;
    if (!outcome.ok()) return;
    if (++depth > limits.max_depth) {
      return fail(OutcomeCode::kLimit, "elements nested too deeply", "元素嵌套过深");
    }
    if (in_field) {
      return fail(OutcomeCode::kCorrupt, "an element within an element of ROW; it must have text",
                  "ROW的字段内不应再有元素");
    }
    if (in_row) {
      in_field = true;
      if (has_room(name.size() + kFieldCost)) row.fields.emplace_back(name, "");
    } else if (data_depth == 0 && is_named(name, "ROWDATA")) {
      data_depth = depth;
      found = true;
    } else if (data_depth != 0 && depth == data_depth + 1 && is_named(name, "ROW")) {
      start_row(attributes);
    }
  }

  void start_row(const XML_Char** attributes) {
    in_row = true;
    row = {};
    row.line = line();
    row_bytes = 0;
    for (; *attributes != nullptr; attributes += 2) {
      const std::string_view name(attributes[0]);
      const std::string_view value(attributes[1]);
      if (name.find(':') != std::string_view::npos || name == "xmlns") continue;
      if (!has_room(name.size() + value.size() + kFieldCost)) continue;
      row.fields.emplace_back(name, value);
      trim(row.fields.back().second);
    }
  }

  void end() {
    silent_bytes = 0;
    if (!outcome.ok()) return;
    --depth;
    if (in_field) {
      in_field = false;
      if (!row.fields.empty()) trim(row.fields.back().second);
    } else if (in_row) {
      in_row = false;
      take(row);
    } else if (data_depth > depth) {
      data_depth = 0;
    }
  }

  void text(std::string_view text) {
    silent_bytes = 0;
    if (!outcome.ok() || !in_row) return;
    if (in_field) {
      append_text(text);
    } else if (text.find_first_not_of(kBlanks) != std::string_view::npos) {
      fail(OutcomeCode::kCorrupt, "text between the elements of a ROW", "ROW的字段之间有文字");
    }
  }

  // The same of a text is kept in whatever pieces it comes.
  void append_text(std::string_view text) {
    if (!row.too_long && row_bytes + text.size() <= limits.max_row_bytes) {
      row_bytes += text.size();
      row.fields.back().second.append(text);
      return;
    }
    std::size_t kept = 0;
    while (kept < text.size() && !row.too_long) {
      std::size_t end = kept + 1;
      while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
      if (has_room(end - kept)) kept = end;
    }
    if (kept > 0) row.fields.back().second.append(text.substr(0, kept));
  }

  bool parse(std::string_view piece, bool last) {
    silent_bytes += piece.size();
    if (silent_bytes > kMaxSilentBytes) {
      fail(OutcomeCode::kLimit, "a tag without an end", "标签没有结束");
      return false;
    }
    const auto size = static_cast<int>(piece.size());
    const bool good =
        XML_Parse(parser.get(), piece.data(), size, last ? XML_TRUE : XML_FALSE) == XML_STATUS_OK;
    if (good || !outcome.ok()) return outcome.ok();
    const XML_Error error = XML_GetErrorCode(parser.get());
    const char* const name = XML_ErrorString(error);
    fail(OutcomeCode::kCorrupt, name != nullptr ? name : "cannot be parsed", chinese_of(error));
    return false;
  }

  // A declaration must stand at the very beginning, which not every program keeps to.
  void begin(std::string_view& text) {
    constexpr std::string_view kLeftOut = " \t\r\n\xEF\xBB\xBF";  // and byte order marks
    while (!text.empty() && !begun) {
      begun = kLeftOut.find(text.front()) == std::string_view::npos;
      if (begun) return;
      lines_before += text.front() == '\n' ? 1U : 0U;
      text.remove_prefix(1);
    }
  }
};

XmlRows::XmlRows(XmlRowsLimits limits, Take take)
    : impl_(std::make_unique<Impl>(limits, std::move(take))) {}

XmlRows::~XmlRows() = default;

bool XmlRows::feed(std::string_view text) {
  impl_->begin(text);
  while (!text.empty() && impl_->outcome.ok()) {
    const std::string_view piece = text.substr(0, kPieceBytes);
    if (!impl_->parse(piece, false)) return false;
    text.remove_prefix(piece.size());
  }
  return impl_->outcome.ok();
}

bool XmlRows::finish() { return impl_->outcome.ok() && impl_->parse("", true); }

void XmlRows::refuse(const std::string& message, const std::string& zh) {
  impl_->fail(OutcomeCode::kCorrupt, message, zh);
}

bool XmlRows::found() const { return impl_->found; }

const Outcome& XmlRows::outcome() const { return impl_->outcome; }

}  // namespace huiliu::formats
