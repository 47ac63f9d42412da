#include "connectors/metrics/label_text.h"

#include "domain/identifiers.h"
#include "domain/masking.h"

namespace huiliu::connectors::metrics {
namespace {

constexpr std::size_t kShortestNumber = 15;  // of those by which people are known

bool is_business_of_a_person(std::string_view value) {
  return value.size() == 18 && value.starts_with("92") &&
         domain::check_uscc(value) == domain::CodeError::kOk;
}

}  // namespace

bool may_be_shown(std::string_view value) {
  if (value.size() < kShortestNumber) return true;
  if (value.size() > kMostLabelBytes || is_business_of_a_person(value)) return false;
  std::string masked;
  return domain::mask_citizen_numbers(value, domain::Certainty::kLikely, masked) == value;
}

bool append_label(std::string_view value, std::string& out) {
  if (value.empty()) {
    out += kNone;
    return true;
  }
  if (!may_be_shown(value)) {
    out += kOther;
    return false;
  }
  for (const char c : value) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return true;
}

std::vector<std::string> split_labels(std::string_view joined) {
  std::vector<std::string> values;
  while (true) {
    const std::size_t end = joined.find(kSeparator);
    values.emplace_back(joined.substr(0, end));
    if (end == std::string_view::npos) return values;
    joined.remove_prefix(end + 1);
  }
}

}  // namespace huiliu::connectors::metrics
