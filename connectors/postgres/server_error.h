#pragma once

#include <string>
#include <string_view>

#include "runtime/base/status.h"

namespace huiliu::connectors::postgres {

/// What an error of the server means, by its SQLSTATE: unavailable if it passes by itself (the
/// server starts, stops, is full or busy), otherwise invalid with a remedy where one is known.
/// "" = no code: nothing was heard of the server, which is unavailable.
runtime::Status server_error(std::string_view sqlstate, const std::string& message);

/// The SQLSTATE within a verbose message of libpq, which gives none of its own for a connection
/// that fails; "" if there is none. Messages are in the server's language, the code is not.
std::string_view sqlstate_in(std::string_view message);

/// The first line of a message without the code in it.
std::string first_line(std::string_view message);

}  // namespace huiliu::connectors::postgres
