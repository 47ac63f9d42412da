#pragma once

#include <string>
#include <string_view>

// Names and document numbers. UTF-8 in and out; `out` is cleared first and must not be what `in`
// views.
namespace huiliu::domain {

// Display form of an organisation's or a person's name: normalise_text, brackets to （）, middle
// dots between Han characters to U+00B7, no blanks in a name with a Han character.
void normalise_name(std::string_view in, std::string& out);

// Match key: the ASCII letters (upper case), digits and Han characters of the normalised name. Ask
// is_null_word first: a null word must not become a key.
void name_key(std::string_view in, std::string& out);

// 文书号: 岩市监罚字（2019）第012号 -> 岩市监罚字〔2019〕12号. Brackets around a year from 1900 to
// 2099 become 〔〕, blanks go, the final serial loses 第 and leading zeros and gains 号.
void normalise_docno(std::string_view in, std::string& out);

}  // namespace huiliu::domain
