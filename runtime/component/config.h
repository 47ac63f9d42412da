#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/diagnostics.h"

namespace huiliu::runtime {

/// A parsed YAML node with its place. Values of scalars have ${NAME}, ${NAME:-default} and
/// ${file:path} already replaced. Typed access assumes that the node was checked against its
/// descriptor (check_config); it throws ConfigError otherwise.
class Config {
 public:
  enum class Kind { kNull, kScalar, kList, kMap };

  Kind kind() const { return kind_; }
  const Place& place() const { return place_; }
  bool is_null() const { return kind_ == Kind::kNull; }
  bool is_scalar() const { return kind_ == Kind::kScalar; }
  bool is_list() const { return kind_ == Kind::kList; }
  bool is_map() const { return kind_ == Kind::kMap; }

  /// Text of a scalar.
  const std::string& text() const { return text_; }
  /// Whether the scalar was quoted without a variable (then it is never a number, a boolean or
  /// null).
  bool quoted() const { return quoted_; }
  /// True if a secret was substituted: the value must not be printed.
  bool secret() const { return secret_; }
  /// True of a null or a map if some or all of it could not be read, which has been reported.
  bool unread() const { return unread_; }

  const std::vector<Config>& items() const { return items_; }
  const std::vector<std::pair<std::string, Config>>& entries() const { return entries_; }
  /// Place of an entry's key.
  const Place& key_place(std::string_view key) const;
  /// Member of a map; a null node if it is absent.
  const Config& operator[](std::string_view key) const;
  bool has(std::string_view key) const { return !(*this)[key].is_null(); }

  std::string as_string() const;
  std::int64_t as_int() const;
  double as_float() const;
  bool as_bool() const;
  /// "10ms", "1s", "5m", "2h", "7d".
  std::chrono::milliseconds as_duration() const;
  /// Bytes: "64MiB", "10k", "1GiB", plain number.
  std::uint64_t as_size() const;
  /// A scalar counts as a list of one.
  std::vector<std::string> as_strings() const;
  std::string string_or(std::string_view key, std::string_view fallback) const;
  std::int64_t int_or(std::string_view key, std::int64_t fallback) const;
  bool bool_or(std::string_view key, bool fallback) const;

  static Config null(Place place = {});
  static Config scalar(std::string text, Place place = {}, bool quoted = false);
  static Config list(std::vector<Config> items, Place place = {});
  static Config map(std::vector<std::pair<std::string, Config>> entries, Place place = {});
  void set(std::string key, Config value);

 private:
  friend class ConfigLoader;
  Kind kind_ = Kind::kNull;
  Place place_;
  std::string text_;
  bool quoted_ = false;
  bool secret_ = false;
  bool unread_ = false;
  std::vector<Config> items_;
  std::vector<std::pair<std::string, Config>> entries_;
  std::vector<Place> key_places_;
};

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
std::optional<std::uint64_t> parse_size(std::string_view text);

/// Reads a YAML file. A value `!include other.yaml` is replaced by that file's content; the path is
/// relative to the file that names it. Syntax errors, missing variables, too deep or too large
/// input become diagnostics; the result is then null.
Config load_config(const std::string& path, Diagnostics& diagnostics);
/// The same from text; `name` stands for the file in places.
Config parse_config(std::string_view text, const std::string& name, Diagnostics& diagnostics);

}  // namespace huiliu::runtime
