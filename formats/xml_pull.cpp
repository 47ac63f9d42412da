#include "formats/xml_pull.h"

#include <type_traits>
#include <utility>

#include <expat.h>

namespace huiliu::formats {
namespace {

constexpr int kBlockBytes = 64 << 10;
// A single tag larger than this is an attack: attributes here hold references and short names.
constexpr std::size_t kMaxSilentBytes = std::size_t{1} << 20;

std::string_view local_name_of(const char* name) {
  const std::string_view whole(name);
  const std::size_t colon = whole.rfind(':');
  return colon == std::string_view::npos ? whole : whole.substr(colon + 1);
}

struct ParserDeleter {
  void operator()(XML_Parser parser) const { XML_ParserFree(parser); }
};

}  // namespace

std::string_view XmlAttributes::get(std::string_view local_name) const {
  for (const char** pair = pairs_; *pair != nullptr; pair += 2) {
    if (local_name_of(pair[0]) == local_name) return pair[1];
  }
  return {};
}

struct XmlPull::Impl {
  ZipPart part;
  XmlHandler& handler;
  std::uint32_t max_depth;
  std::unique_ptr<std::remove_pointer_t<XML_Parser>, ParserDeleter> parser;
  Outcome outcome;
  std::uint32_t depth = 0;
  std::size_t silent_bytes = 0;  // fed since the last event
  bool paused = false;
  bool fed_all = false;
  bool ended = false;

  Impl(ZipPart source, XmlHandler& target, std::uint32_t depth_bound)
      : part(std::move(source)),
        handler(target),
        max_depth(depth_bound),
        parser(XML_ParserCreate(nullptr)) {
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

  static void start_event(void* user_data, const XML_Char* name, const XML_Char** attributes) {
    Impl& self = of(user_data);
    self.silent_bytes = 0;
    if (!self.outcome.ok()) return;
    if (++self.depth > self.max_depth) {
      self.fail(OutcomeCode::kLimit, "XML elements nested too deeply");
      return;
    }
    self.handler.on_start(local_name_of(name), XmlAttributes(attributes));
  }

  static void end_event(void* user_data, const XML_Char* name) {
    Impl& self = of(user_data);
    self.silent_bytes = 0;
    if (!self.outcome.ok()) return;
    --self.depth;
    self.handler.on_end(local_name_of(name));
  }

  static void text_event(void* user_data, const XML_Char* text, int length) {
    Impl& self = of(user_data);
    self.silent_bytes = 0;
    if (!self.outcome.ok()) return;
    self.handler.on_text(std::string_view(text, static_cast<std::size_t>(length)));
  }

  static void doctype_event(void* user_data, const XML_Char*, const XML_Char*, const XML_Char*,
                            int) {
    of(user_data).fail(OutcomeCode::kCorrupt, "XML with a DOCTYPE is refused");
  }

  void fail(OutcomeCode code, std::string message) {
    if (!outcome.ok()) return;
    outcome = Outcome::failure(code, std::move(message));
    XML_StopParser(parser.get(), XML_FALSE);
  }

  XML_Status feed() {
    void* const buffer = XML_GetBuffer(parser.get(), kBlockBytes);
    if (buffer == nullptr) {
      outcome = Outcome::failure(OutcomeCode::kIo, "out of memory");
      return XML_STATUS_ERROR;
    }
    std::size_t got = 0;
    outcome = part.read(static_cast<char*>(buffer), kBlockBytes, got);
    if (!outcome.ok()) return XML_STATUS_ERROR;
    silent_bytes += got;
    if (silent_bytes > kMaxSilentBytes) {
      outcome = Outcome::failure(OutcomeCode::kLimit, "XML tag too long");
      return XML_STATUS_ERROR;
    }
    fed_all = got == 0;
    return XML_ParseBuffer(parser.get(), static_cast<int>(got), fed_all ? XML_TRUE : XML_FALSE);
  }

  void note_parse_error() {
    if (!outcome.ok()) return;
    const char* const text = XML_ErrorString(XML_GetErrorCode(parser.get()));
    outcome =
        Outcome::failure(OutcomeCode::kCorrupt,
                         "XML line " + std::to_string(XML_GetCurrentLineNumber(parser.get())) +
                             ": " + (text != nullptr ? text : "parse error"));
  }
};

XmlPull::XmlPull(ZipPart part, XmlHandler& handler, std::uint32_t max_depth)
    : impl_(std::make_unique<Impl>(std::move(part), handler, max_depth)) {}

XmlPull::~XmlPull() = default;

XmlProgress XmlPull::run() {
  while (impl_->outcome.ok() && !impl_->ended) {
    const bool resume = std::exchange(impl_->paused, false);
    const XML_Status status = resume ? XML_ResumeParser(impl_->parser.get()) : impl_->feed();
    if (status == XML_STATUS_ERROR) impl_->note_parse_error();
    if (!impl_->outcome.ok()) break;
    if (status == XML_STATUS_SUSPENDED) {
      impl_->paused = true;
      return XmlProgress::kPaused;
    }
    impl_->ended = impl_->fed_all;
  }
  return impl_->outcome.ok() ? XmlProgress::kEnd : XmlProgress::kFailed;
}

void XmlPull::pause() { XML_StopParser(impl_->parser.get(), XML_TRUE); }

void XmlPull::fail(OutcomeCode code, std::string message) { impl_->fail(code, std::move(message)); }

const Outcome& XmlPull::outcome() const { return impl_->outcome; }

Outcome parse_part(const ZipSource& source, std::string_view name, ZipLimits limits,
                   std::uint32_t max_depth, XmlHandler& handler) {
  ZipPart part;
  Outcome opened = part.open(source, name, limits);
  if (!opened.ok()) return opened;
  XmlPull pull(std::move(part), handler, max_depth);
  pull.run();
  Outcome outcome = pull.outcome();
  if (!outcome.ok()) outcome.message = std::string(name) + ": " + outcome.message;
  return outcome;
}

}  // namespace huiliu::formats
