#pragma once

#include <string>

#include "connectors/http/http_options.h"
#include "net/http_message.h"

namespace huiliu::connectors {

/// The interface of a source as an OpenAPI 3.1 document, with the stream's fields.
net::HttpResponse openapi_page(const HttpOptions& options, const std::string& source);

}  // namespace huiliu::connectors
