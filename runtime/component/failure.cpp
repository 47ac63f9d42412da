#include "runtime/component/failure.h"

#include <exception>
#include <string>

#include <fmt/format.h>

#include "runtime/base/diagnostics.h"
#include "runtime/base/status.h"

namespace huiliu::runtime {
namespace {

[[noreturn]] void fail(std::string_view node, const Origin& origin, std::string_view words) {
  const std::string place = origin_text(origin);
  throw StatusError(Status::failed(fmt::format(
      "'{}' failed{}{}: {}; nothing of this epoch was committed. An operator must refuse what it "
      "cannot work on (out.reject) instead of throwing: correct it, or take the record out of the "
      "input, and start again",
      node, place.empty() ? "" : " at ", place, words)));
}

}  // namespace

void rethrow_with_place(std::string_view node, const Origin& origin) {
  try {
    throw;
  } catch (const StatusError&) {
    throw;
  } catch (const std::exception& error) {
    fail(node, origin, error.what());
  } catch (...) {
    fail(node, origin, "it threw something that is no std::exception");
  }
}

}  // namespace huiliu::runtime
