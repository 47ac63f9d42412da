#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "formats/outcome.h"
#include "formats/zip_part.h"

namespace huiliu::formats {

// The attributes of one element, alive during on_start().
class XmlAttributes {
 public:
  explicit XmlAttributes(const char** pairs) : pairs_(pairs) {}

  // The value of the attribute whose name without prefix is `local_name`; empty when absent.
  std::string_view get(std::string_view local_name) const;

 private:
  const char** pairs_;  // expat's: name, value, ..., null
};

// Receives a document's events. Names come without namespace prefix; text may come in pieces.
class XmlHandler {
 public:
  virtual ~XmlHandler() = default;
  virtual void on_start(std::string_view name, const XmlAttributes& attributes) = 0;
  virtual void on_end(std::string_view name) = 0;
  virtual void on_text(std::string_view text) = 0;
};

enum class XmlProgress : std::uint8_t { kPaused, kEnd, kFailed };

// Parses one zip member piece by piece. Refuses a DOCTYPE, hence entities; bounds depth and the
// size of a single tag. The handler may call pause() and fail() from within an event.
class XmlPull {
 public:
  XmlPull(ZipPart part, XmlHandler& handler, std::uint32_t max_depth);
  ~XmlPull();
  XmlPull(const XmlPull&) = delete;
  XmlPull& operator=(const XmlPull&) = delete;

  // Runs until the handler pauses, the document ends or something fails; then see outcome().
  XmlProgress run();

  // Makes run() return after the current event; the next run() goes on from there.
  void pause();
  // Makes run() return kFailed; the first failure wins.
  void fail(OutcomeCode code, std::string message);

  const Outcome& outcome() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Opens a member and runs it through `handler` to its end.
Outcome parse_part(const ZipSource& source, std::string_view name, ZipLimits limits,
                   std::uint32_t max_depth, XmlHandler& handler);

}  // namespace huiliu::formats
