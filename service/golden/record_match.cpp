#include "service/golden/record_match.h"

#include <algorithm>

#include <fmt/format.h>

namespace huiliu::service {
namespace {

using runtime::Config;

constexpr char kNull[] = "null";
constexpr std::size_t kMostShown = 20;  // of unexpected records

std::string text_of(const Config& value) { return value.is_null() ? kNull : value.text(); }

const std::optional<std::string>* find(const CapturedRecord& record, const std::string& field) {
  for (const auto& [name, text] : record) {
    if (name == field) return &text;
  }
  return nullptr;
}

bool equal(const Config& expected, const std::optional<std::string>& found) {
  return expected.is_null() ? !found.has_value() : found == expected.text();
}

bool matches(const Config& expected, const CapturedRecord& found) {
  return std::all_of(expected.entries().begin(), expected.entries().end(), [&](const auto& entry) {
    const auto* text = find(found, entry.first);
    return text != nullptr && equal(entry.second, *text);
  });
}

std::size_t count_equal(const Config& expected, const CapturedRecord& found) {
  return static_cast<std::size_t>(
      std::count_if(expected.entries().begin(), expected.entries().end(), [&](const auto& entry) {
        const auto* text = find(found, entry.first);
        return text != nullptr && equal(entry.second, *text);
      }));
}

std::string one_line(const CapturedRecord& record) {
  std::string out;
  for (const auto& [name, text] : record) {
    if (text) out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", name, *text);
  }
  return "{" + out + "}";
}

std::string field_differences(const Config& expected, const CapturedRecord& found) {
  std::string out;
  for (const auto& [name, value] : expected.entries()) {
    const auto* text = find(found, name);
    if (text == nullptr) {
      std::vector<std::string> names;
      for (const auto& [known, ignored] : found) names.push_back(known);
      const std::string hint = runtime::nearest_hint(name, names);
      out += fmt::format("    {}: the record has no such field{}{}\n", name,
                         hint.empty() ? "" : "; ", hint);
    } else if (!equal(value, *text)) {
      out += fmt::format("    {}:\n      - {}\n      + {}\n", name, text_of(value),
                         text->value_or(kNull));
    }
  }
  return out;
}

/// Lengths of the longest common subsequence of what is behind each pair of positions.
class CommonPart {
 public:
  CommonPart(const std::vector<Config>& expected, const std::vector<CapturedRecord>& found)
      : width_(found.size() + 1), lengths_((expected.size() + 1) * width_) {
    for (std::size_t i = expected.size(); i-- > 0;) {
      for (std::size_t j = found.size(); j-- > 0;) {
        lengths_[i * width_ + j] = matches(expected[i], found[j])
                                       ? at(i + 1, j + 1) + 1
                                       : std::max(at(i + 1, j), at(i, j + 1));
      }
    }
  }
  std::size_t at(std::size_t i, std::size_t j) const { return lengths_[i * width_ + j]; }

 private:
  std::size_t width_;
  std::vector<std::size_t> lengths_;
};

/// Walks both lists; what lies between two common records is compared one by one.
class Differences {
 public:
  Differences(const std::string& sink, const std::vector<Config>& expected,
              const std::vector<CapturedRecord>& found)
      : sink_(sink), expected_(expected), found_(found) {}

  std::string text() {
    const CommonPart common(expected_, found_);
    std::size_t i = 0, j = 0;
    while (i < expected_.size() && j < found_.size()) {
      if (matches(expected_[i], found_[j]) && common.at(i, j) == common.at(i + 1, j + 1) + 1) {
        flush(i++, j++);
        expected_done_ = i;
        found_done_ = j;
      } else if (common.at(i + 1, j) >= common.at(i, j + 1)) {
        ++i;
      } else {
        ++j;
      }
    }
    flush(expected_.size(), found_.size());
    if (unexpected_ > kMostShown) {
      text_ += fmt::format("  {}: {} more, not expected\n", sink_, unexpected_ - kMostShown);
    }
    return text_;
  }

 private:
  // Everything up to these positions is not common.
  void flush(std::size_t expected_end, std::size_t found_end) {
    for (; expected_done_ < expected_end && found_done_ < found_end;
         ++expected_done_, ++found_done_) {
      text_ += place(expected_done_) + ":\n" +
               field_differences(expected_[expected_done_], found_[found_done_]);
    }
    for (; expected_done_ < expected_end; ++expected_done_) {
      text_ += place(expected_done_) + ": missing\n" + nearest(expected_[expected_done_]);
    }
    for (; found_done_ < found_end; ++found_done_) {
      if (++unexpected_ > kMostShown) continue;
      text_ += fmt::format("  {}: not expected:\n    + {}\n", sink_, one_line(found_[found_done_]));
    }
  }
  /// What comes nearest to a record that is missing, and how it differs.
  std::string nearest(const Config& expected) const {
    const CapturedRecord* best = nullptr;
    std::size_t most = 0;
    for (const CapturedRecord& found : found_) {
      const std::size_t equal_fields = count_equal(expected, found);
      if (equal_fields > most) best = &found;
      most = std::max(most, equal_fields);
    }
    if (best == nullptr) return "";
    const auto number = static_cast<std::size_t>(best - found_.data()) + 1;
    const std::string differences = field_differences(expected, *best);
    return fmt::format("    nearest is record {}{}\n{}", number,
                       differences.empty() ? ", which stands elsewhere" : ":", differences);
  }
  std::string place(std::size_t index) const {
    const runtime::Place& place = expected_[index].place();
    return fmt::format("  {} record {} ({}:{})", sink_, index + 1, place.file, place.line);
  }

  const std::string& sink_;
  const std::vector<Config>& expected_;
  const std::vector<CapturedRecord>& found_;
  std::size_t expected_done_ = 0, found_done_ = 0;
  std::size_t unexpected_ = 0;
  std::string text_;
};

}  // namespace

std::string differences_of(const std::string& sink, const Config& expected,
                           const std::vector<CapturedRecord>& found) {
  return Differences(sink, expected.items(), found).text();
}

}  // namespace huiliu::service
