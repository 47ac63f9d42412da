#include "tools/credit_sample/check_digits.h"

#include <cstddef>

namespace huiliu::tools {
namespace {

unsigned digit_value(char c) {
  return c <= '9' ? static_cast<unsigned>(c - '0') : static_cast<unsigned>(c - 'A' + 10);
}

}  // namespace

char uscc_check(std::string_view body17) {
  std::size_t sum = 0;
  std::size_t weight = 1;
  for (const char c : body17) {
    sum += kUsccAlphabet.find(c) * weight;
    weight = weight * 3 % 31;
  }
  return kUsccAlphabet[(31 - sum % 31) % 31];
}

char organisation_check(std::string_view body8) {
  constexpr unsigned kWeights[] = {3, 7, 9, 10, 5, 8, 4, 2};
  unsigned sum = 0;
  for (std::size_t i = 0; i < 8; ++i) sum += digit_value(body8[i]) * kWeights[i];
  return "0X987654321"[sum % 11];
}

char registration_check(std::string_view body14) {
  unsigned product = 10;
  for (const char c : body14) {
    const unsigned sum = (product + digit_value(c)) % 10;
    product = (sum == 0 ? 10 : sum) * 2 % 11;
  }
  return static_cast<char>('0' + (11 - product) % 10);
}

char id_card_check(std::string_view body17) {
  constexpr unsigned kWeights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
  unsigned sum = 0;
  for (std::size_t i = 0; i < 17; ++i) sum += digit_value(body17[i]) * kWeights[i];
  return "10X98765432"[sum % 11];
}

}  // namespace huiliu::tools
