#pragma once

#include <string>
#include <string_view>

#include "runtime/base/status.h"

namespace huiliu::net {

/// The token in a file, without white space at its end. kInvalid, with the reason, if the file
/// cannot be read, others than its owner and group may touch it, or it has less than 16 or more
/// than 4096 bytes. No message has the token in it.
runtime::Result<std::string> read_token(const std::string& path);

/// Whether a header `Authorization` is "Bearer TOKEN". How long it takes says nothing of how much
/// of the token is right.
bool has_token(std::string_view authorization, std::string_view token);

}  // namespace huiliu::net
