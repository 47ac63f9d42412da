#pragma once

#include <string_view>

#include "runtime/record/record.h"

namespace huiliu::runtime {

/// Called within a catch block: what a node threw goes on as a StatusError of kFailed that names
/// the node, the record that it worked on, the node's own words and what to do. A StatusError
/// passes as it is: what reads state has said all that there is to say.
[[noreturn]] void rethrow_with_place(std::string_view node, const Origin& origin);

/// Calls what belongs to a node outside of any record.
template <class Call>
auto with_place(std::string_view node, const Call& call) {
  try {
    return call();
  } catch (...) {
    rethrow_with_place(node, {});
  }
}

}  // namespace huiliu::runtime
