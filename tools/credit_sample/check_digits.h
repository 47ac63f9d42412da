#pragma once

#include <string_view>

namespace huiliu::tools {

// Each takes the body without its check character, of the right length and alphabet.
char uscc_check(std::string_view body17);          // GB 32100-2015
char organisation_check(std::string_view body8);   // GB 11714-1997
char registration_check(std::string_view body14);  // 15-digit business registration number
char id_card_check(std::string_view body17);       // GB 11643-1999

inline constexpr std::string_view kUsccAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY";

}  // namespace huiliu::tools
