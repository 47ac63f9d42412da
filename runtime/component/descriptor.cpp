#include "runtime/component/descriptor.h"

#include <algorithm>

#include <fmt/format.h>

namespace huiliu::runtime {

std::string_view kind_name(ComponentKind kind) {
  switch (kind) {
    case ComponentKind::kSource:
      return "source";
    case ComponentKind::kOperator:
      return "operator";
    case ComponentKind::kSink:
      return "sink";
    case ComponentKind::kBackend:
      return "backend";
  }
  return "";
}

namespace {

void check_value(const Config& value, const Option& option, Diagnostics& diagnostics);

void expect(const Config& value, const Option& option, std::string_view what,
            Diagnostics& diagnostics, std::string hint = "") {
  diagnostics.error(value.place(), fmt::format("'{}' expects {}", option.name, what),
                    std::move(hint));
}

template <class Read>
bool reads(const Read& read) {
  try {
    read();
    return true;
  } catch (const ConfigError&) {
    return false;
  }
}

void check_number(const Config& value, const Option& option, Diagnostics& diagnostics) {
  // Words that stand for a number.
  const auto& words = option.choices;
  if (std::find(words.begin(), words.end(), value.text()) != words.end()) return;
  const bool whole = option.type == OptionType::kInt;
  const bool ok =
      whole ? reads([&] { (void)value.as_int(); }) : reads([&] { (void)value.as_float(); });
  if (!ok) {
    const std::string or_word = words.empty() ? "" : fmt::format(" or {}", fmt::join(words, ", "));
    return expect(value, option, (whole ? "a whole number" : "a number") + or_word, diagnostics);
  }
  const double number = value.as_float();
  if (option.minimum && number < *option.minimum) {
    expect(value, option, fmt::format("at least {}", *option.minimum), diagnostics);
  }
  if (option.maximum && number > *option.maximum) {
    expect(value, option, fmt::format("at most {}", *option.maximum), diagnostics);
  }
}

void check_scalar(const Config& value, const Option& option, Diagnostics& diagnostics) {
  if (!value.is_scalar()) return expect(value, option, "a single value", diagnostics);
  switch (option.type) {
    case OptionType::kInt:
    case OptionType::kFloat:
      return check_number(value, option, diagnostics);
    case OptionType::kBool:
      if (!reads([&] { (void)value.as_bool(); }))
        expect(value, option, "true or false", diagnostics);
      return;
    case OptionType::kDuration:
      if (!parse_duration(value.text())) {
        expect(value, option, "a duration such as 10ms, 1s, 5m, 2h, 7d", diagnostics);
      } else if (option.minimum &&
                 static_cast<double>(value.as_duration().count()) < *option.minimum) {
        expect(value, option, fmt::format("at least {}ms", *option.minimum), diagnostics);
      }
      return;
    case OptionType::kSize:
      if (!parse_size(value.text())) {
        expect(value, option, "a size such as 64MiB, 10k, 1GiB", diagnostics);
      }
      return;
    case OptionType::kEnum:
      if (std::find(option.choices.begin(), option.choices.end(), value.text()) ==
          option.choices.end()) {
        expect(value, option, fmt::format("one of {}", fmt::join(option.choices, ", ")),
               diagnostics, nearest_hint(value.text(), option.choices));
      }
      return;
    default:
      return;
  }
}

void check_list(const Config& value, const Option& option, Diagnostics& diagnostics) {
  if (option.members.empty()) return;
  Option element = option.members.front();
  if (element.name.empty()) element.name = option.name;
  if (!value.is_list()) return check_value(value, element, diagnostics);
  for (const Config& item : value.items()) check_value(item, element, diagnostics);
}

void check_value(const Config& value, const Option& option, Diagnostics& diagnostics) {
  switch (option.type) {
    case OptionType::kAny:
      return;
    case OptionType::kList:
      return check_list(value, option, diagnostics);
    case OptionType::kMap:
      if (!value.is_map()) return expect(value, option, "a map", diagnostics);
      if (option.members.empty()) return;
      for (const auto& [key, item] : value.entries()) {
        Option element = option.members.front();
        element.name = option.name + "." + key;
        check_value(item, element, diagnostics);
      }
      return;
    case OptionType::kObject:
      if (!value.is_map()) return expect(value, option, "a map", diagnostics);
      return check_config(value, option.members, {}, diagnostics);
    default:
      return check_scalar(value, option, diagnostics);
  }
}

std::string hint_for(const std::string& key, const std::vector<Option>& options,
                     const std::vector<std::string>& known) {
  for (const Option& option : options) {
    if (option.formerly == key) return fmt::format("it is called '{}' now", option.name);
  }
  std::string hint = nearest_hint(key, known);
  return hint.empty() ? fmt::format("known are {}", fmt::join(known, ", ")) : hint;
}

}  // namespace

void check_config(const Config& config, const std::vector<Option>& options,
                  const std::vector<std::string>& node_keys, Diagnostics& diagnostics) {
  std::vector<std::string> known = node_keys;
  for (const Option& option : options) known.push_back(option.name);
  for (const auto& [key, value] : config.entries()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      diagnostics.error(config.key_place(key), fmt::format("there is no option '{}'", key),
                        hint_for(key, options, known));
    }
  }
  for (const Option& option : options) {
    const Config& value = config[option.name];
    if (!value.is_null()) {
      check_value(value, option, diagnostics);
    } else if (option.required && !value.unread() && !config.unread()) {
      diagnostics.error(config.place(), fmt::format("the option '{}' is missing", option.name),
                        option.doc);
    }
  }
}

Config with_defaults(const Config& config, const std::vector<Option>& options) {
  Config result = config;
  for (const Option& option : options) {
    if (config.has(option.name) || option.default_text.empty()) continue;
    result.set(option.name, Config::scalar(option.default_text, config.place()));
  }
  return result;
}

bool is_id(std::string_view text) {
  constexpr std::size_t kLongest = 128;
  return !text.empty() && text.size() <= kLongest &&
         std::all_of(text.begin(), text.end(), [](char c) {
           const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
           return letter || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
         });
}

}  // namespace huiliu::runtime
