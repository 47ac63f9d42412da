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

// How sure it must be that a number in a text is a citizen's before it is masked.
enum class Certainty {
  kLikely,  // region, birth date and length fit; for what people look at: a mistyped number is
            // somebody's nearly
  kSure,    // the check digit fits too, so that no other number of a record is altered
};
// `in` with every citizen's number in it masked as mask_id does, also if its digits are full-width.
// Numbers that are valid credit codes or registration numbers stay. Of the 15-digit form kSure
// masks those that stand beside the word 身份证. Returns `in` itself if there is none.
std::string_view mask_citizen_numbers(std::string_view in, Certainty certainty, std::string& out);

}  // namespace huiliu::domain
