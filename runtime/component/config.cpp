#include "runtime/component/config.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include "runtime/component/yaml_text.h"

namespace huiliu::runtime {
namespace {

constexpr std::size_t kMostBytes = 16u << 20;
constexpr std::size_t kMostIncludes = 64;  // each within the one before
constexpr int kMostDepth = 64;
constexpr std::size_t kMostNodes = 1'000'000;  // also bounds what aliases can blow up to

const Config& null_config() {
  static const Config null;
  return null;
}

std::optional<std::string> read_file(const std::string& path, std::size_t most) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::string text;
  char block[1 << 14];
  while (text.size() <= most && file.read(block, sizeof block).gcount() > 0) {
    text.append(block, static_cast<std::size_t>(file.gcount()));
  }
  if (text.size() > most + 1) text.resize(most + 1);
  return text;
}

/// Where the content of a document begins.
class ContentPlace final : public YAML::EventHandler {
 public:
  std::optional<YAML::Mark> place;

  void OnDocumentStart(const YAML::Mark&) override { place.reset(); }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { note(mark); }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                const std::string&) override {
    note(mark);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    note(mark);
  }
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    note(mark);
  }
  void OnMapEnd() override {}

 private:
  void note(const YAML::Mark& mark) {
    if (!place) place = mark;
  }
};

/// YAML::LoadAll is not asked: of some malformed texts it makes documents without end.
std::optional<YAML::Mark> second_document(std::string_view text) {
  std::istringstream stream{std::string(text)};
  YAML::Parser parser(stream);
  ContentPlace content;
  if (!parser.HandleNextDocument(content) || !parser.HandleNextDocument(content)) return {};
  return content.place;
}

[[noreturn]] void wrong(const Config& node, std::string_view expected) {
  Diagnostic diagnostic{node.place(), fmt::format("expected {}", expected), "", false};
  throw ConfigError(diagnostic.to_string());
}

}  // namespace

const Place& Config::key_place(std::string_view key) const {
  for (std::size_t i = 0; i < entries_.size() && i < key_places_.size(); ++i) {
    if (entries_[i].first == key) return key_places_[i];
  }
  return place_;
}

const Config& Config::operator[](std::string_view key) const {
  for (const auto& [name, value] : entries_) {
    if (name == key) return value;
  }
  return null_config();
}

std::string Config::as_string() const {
  if (!is_scalar()) wrong(*this, "text");
  return text_;
}

std::int64_t Config::as_int() const {
  std::int64_t value = 0;
  const char* end = text_.data() + text_.size();
  const auto result = std::from_chars(text_.data(), end, value);
  if (!is_scalar() || text_.empty() || result.ec != std::errc() || result.ptr != end) {
    wrong(*this, "a whole number");
  }
  return value;
}

double Config::as_float() const {
  double value = 0;
  const char* end = text_.data() + text_.size();
  const auto result = std::from_chars(text_.data(), end, value);
  if (!is_scalar() || text_.empty() || result.ec != std::errc() || result.ptr != end) {
    wrong(*this, "a number");
  }
  return value;
}

bool Config::as_bool() const {
  if (is_scalar() && !quoted_) {
    if (text_ == "true" || text_ == "yes" || text_ == "on") return true;
    if (text_ == "false" || text_ == "no" || text_ == "off") return false;
  }
  wrong(*this, "true or false");
}

std::chrono::milliseconds Config::as_duration() const {
  if (const auto value = parse_duration(text_); is_scalar() && value) return *value;
  wrong(*this, "a duration such as 10ms, 1s, 5m, 2h, 7d");
}

std::uint64_t Config::as_size() const {
  if (const auto value = parse_size(text_); is_scalar() && value) return *value;
  wrong(*this, "a size such as 64MiB, 10k, 1GiB");
}

std::vector<std::string> Config::as_strings() const {
  std::vector<std::string> texts;
  if (is_scalar()) texts.push_back(text_);
  for (const Config& item : items_) texts.push_back(item.as_string());
  return texts;
}

std::string Config::string_or(std::string_view key, std::string_view fallback) const {
  const Config& node = (*this)[key];
  return node.is_scalar() ? node.text() : std::string(fallback);
}

std::int64_t Config::int_or(std::string_view key, std::int64_t fallback) const {
  return has(key) ? (*this)[key].as_int() : fallback;
}

bool Config::bool_or(std::string_view key, bool fallback) const {
  return has(key) ? (*this)[key].as_bool() : fallback;
}

Config Config::null(Place place) {
  Config node;
  node.place_ = std::move(place);
  return node;
}

Config Config::scalar(std::string text, Place place, bool quoted) {
  Config node = null(std::move(place));
  node.kind_ = Kind::kScalar;
  node.text_ = std::move(text);
  node.quoted_ = quoted;
  return node;
}

Config Config::list(std::vector<Config> items, Place place) {
  Config node = null(std::move(place));
  node.kind_ = Kind::kList;
  node.items_ = std::move(items);
  return node;
}

Config Config::map(std::vector<std::pair<std::string, Config>> entries, Place place) {
  Config node = null(std::move(place));
  node.kind_ = Kind::kMap;
  node.entries_ = std::move(entries);
  for (const auto& [key, value] : node.entries_) node.key_places_.push_back(value.place());
  return node;
}

void Config::set(std::string key, Config value) {
  kind_ = Kind::kMap;
  for (auto& [name, old] : entries_) {
    if (name == key) {
      old = std::move(value);
      return;
    }
  }
  key_places_.push_back(value.place());
  entries_.emplace_back(std::move(key), std::move(value));
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, number);
  if (result.ec != std::errc() || number < 0) return std::nullopt;
  const std::string_view unit(result.ptr, static_cast<std::size_t>(end - result.ptr));
  constexpr std::pair<std::string_view, std::int64_t> kUnits[] = {
      {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
  for (const auto& [name, ms] : kUnits) {
    if (unit == name && number <= INT64_MAX / ms) return std::chrono::milliseconds(number * ms);
  }
  return std::nullopt;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, number);
  if (result.ec != std::errc()) return std::nullopt;
  const std::string_view unit(result.ptr, static_cast<std::size_t>(end - result.ptr));
  constexpr std::pair<std::string_view, std::uint64_t> kUnits[] = {
      {"", 1},           {"B", 1},           {"k", 1000},     {"kB", 1000},
      {"KiB", 1 << 10},  {"M", 1000000},     {"MB", 1000000}, {"MiB", 1 << 20},
      {"G", 1000000000}, {"GB", 1000000000}, {"GiB", 1 << 30}};
  for (const auto& [name, bytes] : kUnits) {
    if (unit == name && number <= UINT64_MAX / bytes) return number * bytes;
  }
  return std::nullopt;
}

/// Turns yaml-cpp's nodes into Config: places, variables, includes, bounds.
class ConfigLoader {
 public:
  explicit ConfigLoader(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  Config load_file(const std::string& path, const Place& from) {
    for (const std::string& open : open_files_) {
      if (open == path) {
        diagnostics_.error(from, fmt::format("'{}' includes itself", path));
        return unread();
      }
    }
    if (open_files_.size() >= kMostIncludes) {
      diagnostics_.error(from, fmt::format("more than {} files include each other", kMostIncludes));
      return unread();
    }
    const bool folder = std::filesystem::is_directory(path, ignored_);
    const auto text = folder ? std::nullopt : read_file(path, kMostBytes);
    if (!text) {
      const Place place = from.file.empty() ? Place{path, 0, 0} : from;
      diagnostics_.error(
          place, fmt::format("cannot read '{}'", path),
          folder ? "it is a folder; name a file in it" : "check the path and the permissions");
      return unread();
    }
    open_files_.push_back(path);
    Config config = load_text(*text, path);
    open_files_.pop_back();
    return config;
  }

  Config load_text(std::string_view text, const std::string& name) {
    if (text.size() > kMostBytes) {
      diagnostics_.error({name, 0, 0}, fmt::format("the file is larger than {} bytes", kMostBytes));
      return unread();
    }
    if (auto fault = encoding_fault(text, name)) {
      diagnostics_.add(std::move(*fault));
      return unread();
    }
    try {
      const YAML::Node document = YAML::Load(std::string(text));
      if (const auto mark = second_document(text)) {
        diagnostics_.error({name, mark->line + 1, mark->column + 1},
                           "a second document begins here; a file has one",
                           "remove the line '---', or put what follows into a file of its own");
        return unread();
      }
      if (!document.IsDefined() || document.IsNull()) return Config::null({name, 0, 0});
      return convert(document, name, 0);
    } catch (const YAML::Exception& error) {
      const Place place{name, error.mark.line + 1, error.mark.column + 1};
      diagnostics_.add(syntax_error(text, place, error.msg));
      return unread();
    }
  }

 private:
  static Config unread() {
    Config config;
    config.unread_ = true;
    return config;
  }

  Config convert(const YAML::Node& node, const std::string& file, int depth) {
    const Place place{file, node.Mark().line + 1, node.Mark().column + 1};
    if (depth > kMostDepth || ++nodes_ > kMostNodes) {
      if (!too_large_) diagnostics_.error(place, "the config is nested too deep or too large");
      too_large_ = true;
      return {};
    }
    if (node.Tag() == "!include") return include(node, file, place);
    switch (node.Type()) {
      case YAML::NodeType::Scalar:
        return scalar(node, place);
      case YAML::NodeType::Sequence: {
        std::vector<Config> items;
        for (const YAML::Node& item : node) items.push_back(convert(item, file, depth + 1));
        return Config::list(std::move(items), place);
      }
      case YAML::NodeType::Map:
        return map(node, file, place, depth);
      default:
        return Config::null(place);
    }
  }

  Config map(const YAML::Node& node, const std::string& file, const Place& place, int depth) {
    Config result = Config::map({}, place);
    std::vector<Config> merged;
    for (const auto& entry : node) {
      const Place key_place{file, entry.first.Mark().line + 1, entry.first.Mark().column + 1};
      if (!entry.first.IsScalar()) {
        diagnostics_.error(key_place, "a key must be text");
        continue;
      }
      std::string key = entry.first.Scalar();
      if (key == "<<") {
        merged.push_back(convert(entry.second, file, depth + 1));
        continue;
      }
      if (has_key(result, key)) {
        diagnostics_.error(key_place, fmt::format("the key '{}' is there twice", key),
                           fmt::format("first in line {}", result.key_place(key).line));
        continue;
      }
      result.entries_.emplace_back(std::move(key), convert(entry.second, file, depth + 1));
      result.key_places_.push_back(key_place);
    }
    for (const Config& one : merged) merge(one, result);
    return result;
  }

  // Also one whose value is null.
  static bool has_key(const Config& map, const std::string& key) {
    return std::ranges::any_of(map.entries_,
                               [&key](const auto& known) { return known.first == key; });
  }

  // YAML's merge key: what a map has itself goes before what it takes over.
  void merge(const Config& from, Config& into) {
    if (from.is_list()) {
      for (const Config& one : from.items()) merge(one, into);
      return;
    }
    if (!from.is_map()) {
      if (!from.unread()) {
        diagnostics_.error(from.place(), "expected a map after the merge key '<<'",
                           "`<<: *anchor`, or `<<: !include FILE`");
      }
      into.unread_ = true;
      return;
    }
    into.unread_ = into.unread_ || from.unread();
    for (std::size_t i = 0; i < from.entries_.size(); ++i) {
      if (has_key(into, from.entries_[i].first)) continue;
      into.entries_.push_back(from.entries_[i]);
      into.key_places_.push_back(from.key_places_[i]);
    }
  }

  Config scalar(const YAML::Node& node, const Place& place) {
    const std::string& text = node.Scalar();
    // A flow map needs quotes around a variable; what is in it may still be a number.
    const bool quoted = node.Tag() == "!" && text.find("${") == std::string::npos;
    Config result = Config::scalar("", place, quoted);
    if (!quoted && (text == "~" || text == "null")) return Config::null(place);
    result.text_ = substitute(text, place, result.secret_);
    return result;
  }

  Config include(const YAML::Node& node, const std::string& file, const Place& place) {
    if (!node.IsScalar()) {
      diagnostics_.error(place, "!include needs the name of a file");
      return {};
    }
    bool secret = false;
    const std::filesystem::path named = substitute(node.Scalar(), place, secret);
    const auto path =
        named.is_absolute() ? named : std::filesystem::path(file).parent_path() / named;
    return load_file(path.lexically_normal().string(), place);
  }

  std::string substitute(const std::string& text, const Place& place, bool& secret) {
    std::string out;
    std::size_t at = 0;
    for (std::size_t i; (i = text.find('$', at)) != std::string::npos;) {
      out.append(text, at, i - at);
      if (text.compare(i, 2, "$$") == 0) {
        out += '$';
        at = i + 2;
      } else if (text.compare(i, 2, "${") == 0) {
        const std::size_t end = text.find('}', i);
        if (end == std::string::npos) {
          diagnostics_.error(place, "'${' without '}'");
          return out;
        }
        out += variable(text.substr(i + 2, end - i - 2), place, secret);
        at = end + 1;
      } else {
        out += '$';
        at = i + 1;
      }
    }
    return out.append(text, at);
  }

  std::string variable(const std::string& reference, const Place& place, bool& secret) {
    if (reference.starts_with("file:")) {
      secret = true;
      const auto named = std::filesystem::path(reference.substr(5));
      const auto path =
          named.is_absolute() ? named : std::filesystem::path(place.file).parent_path() / named;
      auto text = read_file(path.string(), 1 << 20);
      if (!text) {
        diagnostics_.error(place, fmt::format("cannot read '{}'", path.string()));
        return {};
      }
      while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
      return *text;
    }
    const std::size_t dash = reference.find(":-");
    const std::string name = reference.substr(0, dash);
    if (const char* value = std::getenv(name.c_str())) return value;
    if (dash != std::string::npos) return reference.substr(dash + 2);
    diagnostics_.error(place, fmt::format("the environment has no variable '{}'", name),
                       fmt::format("set it, or give a default: ${{{}:-value}}", name));
    // Something is said here: whoever reads the option must not call it missing as well.
    return fmt::format("${{{}}}", name);
  }

  Diagnostics& diagnostics_;
  std::vector<std::string> open_files_;
  std::size_t nodes_ = 0;
  bool too_large_ = false;
  std::error_code ignored_;
};

Config load_config(const std::string& path, Diagnostics& diagnostics) {
  return ConfigLoader(diagnostics).load_file(path, {});
}

Config parse_config(std::string_view text, const std::string& name, Diagnostics& diagnostics) {
  return ConfigLoader(diagnostics).load_text(text, name);
}

}  // namespace huiliu::runtime
