#include "operators/code_parts.h"

#include <algorithm>
#include <utility>

#include "domain/text.h"

namespace huiliu::operators {

namespace {

// Longer ones first: —— begins with —.
constexpr std::string_view kHyphens[] = {"-", "－", "——", "—", "–", "―", ":", "："};

std::size_t skip_blanks(std::string_view text, std::size_t from) {
  const std::string_view rest = domain::trim(text.substr(from));
  return rest.empty() ? text.size() : static_cast<std::size_t>(rest.data() - text.data());
}

}  // namespace

CodeParts::CodeParts(CodeTable table, std::vector<std::string> separators,
                     const std::vector<std::string>& other_prefixes)
    : table_(std::move(table)), separators_(std::move(separators)) {
  for (const std::string& separator : separators_) {
    starts_separator_[static_cast<unsigned char>(separator[0])] = true;
  }
  for (const std::string& given : other_prefixes) {
    std::string_view word = given;
    if (!word.ends_with('-')) {
      other_prefixes_.emplace_back(word);
      continue;
    }
    word.remove_suffix(1);
    for (std::string_view hyphen : kHyphens) {
      other_prefixes_.push_back(std::string(word).append(hyphen));
    }
  }
}

CodeParts::Answer CodeParts::judge(std::string_view text, std::string_view day) const {
  text = domain::trim(text);
  bool free_text = false;
  for (std::size_t at = 0; at < text.size();) {
    at = skip_blanks(text, at);
    if (const std::size_t prefix = other_prefix_of(text.substr(at)); prefix > 0) {
      const std::size_t end = next_separator(text, at + prefix).first;
      if (domain::trim(text.substr(at + prefix, end - at - prefix)).empty()) {
        return Answer::kNoFreeText;
      }
      free_text = separators_.size() > 1;
      at = end + next_separator(text, at + prefix).second;
      continue;
    }
    const Match match = longest_entry(text, at, day);
    if (match.answer == CodeTable::Answer::kNotInForce) return Answer::kNotInForce;
    if (match.answer == CodeTable::Answer::kInForce) {
      free_text = false;
    } else if (!free_text) {
      return Answer::kUnknown;
    }
    at = match.end + next_separator(text, match.end).second;
  }
  return Answer::kInForce;
}

std::pair<std::size_t, std::size_t> CodeParts::next_separator(std::string_view text,
                                                              std::size_t from) const {
  for (std::size_t at = from; at < text.size(); ++at) {
    if (!starts_separator_[static_cast<unsigned char>(text[at])]) continue;
    for (const std::string& separator : separators_) {
      if (text.substr(at).starts_with(separator)) return {at, separator.size()};
    }
  }
  return {text.size(), 0};
}

CodeParts::Match CodeParts::longest_entry(std::string_view text, std::size_t from,
                                          std::string_view day) const {
  Match best;
  for (std::size_t at = from; at <= text.size();) {
    const auto [end, size] = next_separator(text, at);
    if (best.end == 0) best.end = end;
    const std::string_view candidate = domain::trim(text.substr(from, end - from));
    if (candidate.size() > table_.longest_code()) break;
    const CodeTable::Answer answer = table_.look_up(candidate, day);
    if (answer == CodeTable::Answer::kInForce ||
        (answer == CodeTable::Answer::kNotInForce && best.answer == CodeTable::Answer::kUnknown)) {
      best = {answer, end};
    }
    if (size == 0) break;
    at = end + size;
  }
  return best;
}

std::size_t CodeParts::other_prefix_of(std::string_view text) const {
  for (const std::string& prefix : other_prefixes_) {
    if (text.starts_with(prefix)) return prefix.size();
  }
  return 0;
}

}  // namespace huiliu::operators
