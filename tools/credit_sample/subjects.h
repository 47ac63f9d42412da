#pragma once

#include <string>

#include "tools/credit_sample/random_numbers.h"
#include "tools/credit_sample/row.h"

namespace huiliu::tools {

enum class Documents { kAny, kIdCardOnly };

// Fills name, category, codes and documents of `row` with an invented subject of Longyan. People
// are born 1900 to 1911, so that no number belongs to anybody living.
void draw_subject(RandomNumbers& random, Subject subject, Documents documents, Row& row);

std::string draw_uscc(RandomNumbers& random, const std::string& head);
// `birth` as yyyymmdd, also an impossible one; the check character is right.
std::string id_card(const std::string& region, const std::string& birth, unsigned sequence);
std::string draw_id_card(RandomNumbers& random);

}  // namespace huiliu::tools
