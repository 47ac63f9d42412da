#pragma once

#include <string>
#include <string_view>

// Masked forms for publication and logs. `out` is cleared first and must not be what `in` views.
namespace huiliu::domain {

// First six and last four characters stay: 110105********002X. Below 15 characters, or when one is
// not ASCII, nothing does. Input through normalise_code.
void mask_id(std::string_view in, std::string& out);
// The first character stays, the others become one '*' each: 欧**.
void mask_name(std::string_view in, std::string& out);

}  // namespace huiliu::domain
