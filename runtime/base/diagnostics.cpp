#include "runtime/base/diagnostics.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

namespace huiliu::runtime {

std::string Diagnostic::to_string() const {
  std::string text = place.file;
  if (place.line > 0) text += fmt::format(":{}", place.line);
  if (place.column > 0) text += fmt::format(":{}", place.column);
  if (!text.empty()) text += ": ";
  text += warning ? "warning: " : "error: ";
  text += message;
  if (!hint.empty()) text += " (" + hint + ")";
  return text;
}

void Diagnostics::error(const Place& place, std::string message, std::string hint) {
  all_.push_back({place, std::move(message), std::move(hint), false});
  ++errors_;
}

void Diagnostics::add(Diagnostic diagnostic) {
  if (!diagnostic.warning) ++errors_;
  all_.push_back(std::move(diagnostic));
}

void Diagnostics::warning(const Place& place, std::string message, std::string hint) {
  all_.push_back({place, std::move(message), std::move(hint), true});
}

std::string Diagnostics::to_string() const {
  std::vector<Diagnostic> sorted = all_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::tie(a.place.file, a.place.line, a.place.column) <
           std::tie(b.place.file, b.place.line, b.place.column);
  });
  std::string text;
  for (const Diagnostic& diagnostic : sorted) text += diagnostic.to_string() + "\n";
  return text;
}

namespace {

// Levenshtein distance; words of a config are short.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

std::string nearest_hint(std::string_view word, const std::vector<std::string>& words) {
  std::string best;
  std::size_t nearest = std::max<std::size_t>(2, word.size() / 2) + 1;
  for (const std::string& candidate : words) {
    const std::size_t d = distance(word, candidate);
    if (d < nearest && !candidate.empty()) {
      nearest = d;
      best = candidate;
    }
  }
  return best.empty() ? "" : fmt::format("did you mean '{}'?", best);
}

}  // namespace huiliu::runtime
