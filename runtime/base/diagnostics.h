#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace huiliu::runtime {

/// A place in a configuration file; line and column count from 1, 0 = unknown.
struct Place {
  std::string file;
  int line = 0;
  int column = 0;
};

/// One thing that is wrong: where, what was found, what was expected, and a hint if there is one.
struct Diagnostic {
  Place place;
  std::string message;
  std::string hint;
  bool warning = false;
  /// "file:line:column: error: message (hint)"
  std::string to_string() const;
};

/// Collects all problems of a configuration, so that the user sees every one at once.
class Diagnostics {
 public:
  void error(const Place& place, std::string message, std::string hint = "");
  void add(Diagnostic diagnostic);
  void warning(const Place& place, std::string message, std::string hint = "");
  const std::vector<Diagnostic>& all() const { return all_; }
  bool has_errors() const { return errors_ > 0; }
  std::size_t errors() const { return errors_; }
  /// All diagnostics sorted by place, one a line.
  std::string to_string() const;

 private:
  std::vector<Diagnostic> all_;
  std::size_t errors_ = 0;
};

/// Thrown once after all diagnostics were collected; what() is the whole list.
class ConfigError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// "did you mean X?" for the word of `words` nearest to `word`; empty when none is near.
std::string nearest_hint(std::string_view word, const std::vector<std::string>& words);

}  // namespace huiliu::runtime
