#include "operators/compare_settings.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operators/field_names.h"
#include "runtime/record/key.h"

namespace huiliu::operators {
namespace {

using runtime::Config;
using runtime::Declaration;
using runtime::Diagnostics;
using runtime::Option;
using runtime::OptionType;
using runtime::Schema;
using runtime::Type;

constexpr std::string_view kContent = " content=(";

bool names_field(const Config& list, const std::string& name) {
  for (const Config* item : items_of(list)) {
    if (item->is_scalar() && item->text() == name) return true;
  }
  return false;
}

class Parser {
 public:
  explicit Parser(const Declaration& declaration)
      : config_(declaration.config),
        input_(declaration.input()),
        diagnostics_(declaration.diagnostics) {}

  CompareSettings parse() {
    settings_.input = input_;
    find_fields(config_["key"], input_, diagnostics_);
    settings_.key = config_["key"].as_strings();
    if (settings_.key.empty()) {
      diagnostics_.error(config_["key"].place(), "expected at least one field");
    }
    parse_optional();
    parse_sources();
    settings_.version = find_fields(config_["version"], input_, diagnostics_);
    settings_.can_withdraw = config_.has("withdrawn");
    settings_.withdrawn = Condition::parse(config_["withdrawn"], input_, diagnostics_);
    for (const Config* item : items_of(config_["identity"])) {
      settings_.identity.push_back(find_text_field(*item, input_, diagnostics_));
    }
    parse_numbered();
    parse_content();
    parse_remembered();
    parse_amend();
    parse_outputs();
    return std::move(settings_);
  }

 private:
  void parse_optional() {
    for (const std::string& field : settings_.key) {
      settings_.may_be_absent.push_back(names_field(config_["optional"], field));
    }
    for (const Config* item : items_of(config_["optional"])) {
      const auto& key = settings_.key;
      if (std::find(key.begin(), key.end(), item->text()) != key.end()) continue;
      diagnostics_.error(
          item->place(),
          fmt::format("'{}' is not in the `key`, which `optional` is about", item->text()),
          runtime::nearest_hint(item->text(), key));
    }
  }

  void parse_sources() {
    if (config_.has("source")) {
      settings_.source = find_text_field(config_["source"], input_, diagnostics_);
    }
    if (config_.has("owner")) {
      settings_.owner = find_text_field(config_["owner"], input_, diagnostics_);
    }
    if (config_.has("priority")) settings_.priority = config_["priority"].as_strings();
    for (const char* option : {"priority", "owner"}) {
      if (!config_.has(option) || config_.has("source")) continue;
      diagnostics_.error(config_.key_place(option),
                         fmt::format("`{}` needs `source: FIELD`", option));
    }
  }

  void parse_numbered() {
    settings_.is_numbered.resize(settings_.identity.size());
    const std::vector<std::string> identity = config_["identity"].as_strings();
    for (const Config* item : items_of(config_["numbered"])) {
      const auto found = std::find(identity.begin(), identity.end(), item->text());
      if (found != identity.end()) {
        settings_.is_numbered[static_cast<std::size_t>(found - identity.begin())] = true;
        continue;
      }
      diagnostics_.error(
          item->place(),
          fmt::format("'{}' is not in `identity`, which `numbered` is about", item->text()),
          runtime::nearest_hint(item->text(), identity));
    }
  }

  void parse_content() {
    find_fields(config_["content_before"], input_, diagnostics_);
    settings_.content_before = config_["content_before"].as_strings();
    find_fields(config_["ignore"], input_, diagnostics_);
    if (config_.has("content")) {
      if (config_.has("ignore")) {
        diagnostics_.error(config_.key_place("ignore"),
                           "`content` and `ignore` exclude each other");
      }
      find_fields(config_["content"], input_, diagnostics_);
      settings_.content = config_["content"].as_strings();
      return;
    }
    for (const runtime::Field& field : input_.fields()) {
      bool left_out = field.name.starts_with("warnings");
      for (const char* list : {"key", "version", "source", "identity", "ignore"}) {
        left_out = left_out || names_field(config_[list], field.name);
      }
      if (!left_out) settings_.content.push_back(field.name);
    }
    if (settings_.content.empty()) {
      diagnostics_.error(config_.place(), "no field is left to compare; name them in `content`");
    }
  }

  void parse_remembered() {
    const auto list = [this](const char* option, std::vector<bool>& flags) {
      for (const Config* item : items_of(config_[option])) {
        const std::size_t field = find_text_field(*item, input_, diagnostics_);
        auto& known = settings_.remembered;
        const auto found = std::find(known.begin(), known.end(), field);
        const auto index = static_cast<std::size_t>(found - known.begin());
        if (found == known.end()) known.push_back(field);
        flags.resize(std::max(flags.size(), index + 1));
        flags[index] = true;
      }
    };
    list("place", settings_.is_place);
    list("changes", settings_.is_counted);
    list("keep", settings_.is_kept);
    list("first", settings_.is_first);
    for (auto* flags :
         {&settings_.is_place, &settings_.is_counted, &settings_.is_kept, &settings_.is_first}) {
      flags->resize(settings_.remembered.size());
    }
  }

  void parse_amend() {
    const Config& amend = config_["amend"];
    if (!amend.is_map()) return;
    AmendSettings& into = settings_.amend.emplace();
    into.when = Condition::parse(amend["when"], input_, diagnostics_);
    into.of = Condition::parse(amend["of"], input_, diagnostics_);
    for (const Config* item : items_of(amend["set"])) {
      into.fields.push_back(find_text_field(*item, input_, diagnostics_));
    }
  }

  void parse_outputs() {
    settings_.output = input_;
    add_made(kOutcomeField, config_.place(), settings_.output);
    const bool named = !settings_.identity.empty();
    const std::string name = config_.string_or("identity_as", "identity");
    if (named) {
      settings_.name = settings_.output.width();
      add_made(name, config_["identity_as"].place(), settings_.output);
      if (config_.has("identity_before") &&
          find_word(config_["identity_before"], "step", cleansing_step_names(), diagnostics_) <
              cleansing_step_names().size()) {
        settings_.identity_before = find_cleansing_step(config_["identity_before"].text(), false);
      }
    }
    settings_.outcome = input_.width();
    settings_.changes = short_schema(named, name, settings_.is_counted, kChangeField);
    settings_.left = short_schema(named, name, settings_.is_place, kOutcomeField);
  }

  void add_made(const std::string& name, const runtime::Place& place, Schema& schema) {
    if (schema.index_of(name)) {
      diagnostics_.error(place,
                         fmt::format("the input has a field '{}', which the operator makes", name));
    }
    schema.add(name, Type::kString);
  }

  Schema short_schema(bool named, const std::string& name, const std::vector<bool>& flags,
                      const char* last) const {
    Schema schema;
    for (const std::string& field : settings_.key) {
      if (const auto index = input_.index_of(field)) schema.add(field, input_[*index].type);
    }
    if (named) schema.add(name, Type::kString);
    for (std::size_t i = 0; i < flags.size(); ++i) {
      if (flags[i]) schema.add(input_[settings_.remembered[i]].name, Type::kString);
    }
    schema.add(last, Type::kString);
    return schema;
  }

  const Config& config_;
  const Schema& input_;
  Diagnostics& diagnostics_;
  CompareSettings settings_;
};

Option field_list(std::string name, std::string doc, bool required = false) {
  return {
      .name = std::move(name),
      .type = OptionType::kList,
      .doc = std::move(doc),
      .required = required,
      .members = {{.name = "field", .type = OptionType::kField, .doc = "A field of the input."}}};
}

Option condition(std::string name, const std::string& doc) {
  return {.name = std::move(name),
          .type = OptionType::kAny,
          .doc = doc + " " + std::string(Condition::doc())};
}

std::vector<Option> identity_options() {
  return {field_list("identity",
                     "Fields of text, the best first, each of which tells records of one key apart "
                     "by itself, such as several codes of one body. A row belongs to the record "
                     "that any of them leads to, unless a better one says otherwise; at least one "
                     "must be there. Texts of different fields must differ (give them prefixes)."),
          {.name = "identity_as",
           .doc = "Field that is appended with the identity that the record was first known by; it "
                  "stays when others become known.",
           .default_text = "identity"},
          field_list("numbered",
                     "Identities that outputs must not show, such as people's numbers: a record "
                     "that is first known by one is called TYPE:#1, TYPE:#2, ... in the order in "
                     "which such records of its key came; TYPE is what stands before the colon."),
          {.name = "identity_before",
           .type = OptionType::kEnum,
           .doc = "Cleansing step that makes an identity of what stood in the key's field of the "
                  "name `identity_as` in a state of an earlier version (`huiliu run --from`).",
           .choices = cleansing_step_names()}};
}

std::vector<Option> output_options() {
  return {field_list("place",
                     "Fields that say where the record is kept. When one changes, output `left` "
                     "says so with their former values."),
          field_list("changes", "Fields that output `changes` has, to count records by."),
          field_list("keep", "Fields whose last value stays when a newer version has none."),
          field_list("first", "Fields whose value stays that of the first version."),
          {.name = "amend",
           .type = OptionType::kObject,
           .doc = "Rows that change single fields of the current record, whatever its versions "
                  "say: repairs, objections.",
           .members = {condition("when", "Which rows amend."),
                       field_list("set", "Fields that they set where they have them.", true),
                       condition("of",
                                 "Records that may be amended: their rows are kept so that they "
                                 "can be sent again. Default: all.")}}};
}

}  // namespace

StateShape CompareSettings::shape() const {
  return {.versions = version.size(),
          .remembered = remembered.size(),
          .amended = amend ? amend->fields.size() : 0,
          .identities = identity.size()};
}

std::string CompareSettings::layout() const {
  return layout_but_content() + std::string(kContent) + described(content) + ")";
}

bool CompareSettings::accepts(std::string_view layout) const {
  const std::size_t at = std::min(layout.find(kContent), layout.size());
  return layout.substr(0, at) == layout_but_content() && knows_content(layout.substr(at));
}

bool CompareSettings::knows_content(std::string_view part) const {
  if (part.empty()) return true;  // of a version that did not say it
  if (!part.starts_with(kContent) || !part.ends_with(')')) return false;
  part.remove_prefix(kContent.size());
  part.remove_suffix(1);
  return part == described(content) ||
         (!content_before.empty() && part == described(content_before));
}

std::string CompareSettings::described(std::vector<std::string> fields) const {
  std::sort(fields.begin(), fields.end());
  for (std::string& field : fields) {
    const auto index = input.index_of(field);
    field += index ? fmt::format(" {}", runtime::type_name(input[*index].type)) : "";
  }
  return fmt::format("{}", fmt::join(fields, ", "));
}

std::uint8_t CompareSettings::content_list(const std::vector<std::string>& fields) const {
  // 0 and 1 are hashes of earlier versions.
  constexpr std::uint64_t kFirst = 2, kNumbers = 254;
  const std::uint64_t hash = runtime::KeyBuilder::hash_bytes(described(fields));
  return static_cast<std::uint8_t>(kFirst + hash % kNumbers);
}

std::string CompareSettings::layout_but_content() const {
  const auto names = [this](const std::vector<std::size_t>& fields) {
    std::vector<std::string> result;
    for (std::size_t field : fields) result.push_back(input[field].name);
    return result;
  };
  std::string text = fmt::format("version=({})", fmt::join(names(version), ", "));
  if (!identity.empty()) text += fmt::format(" identity=({})", fmt::join(names(identity), ", "));
  if (!remembered.empty()) {
    text += fmt::format(" remembered=({})", fmt::join(names(remembered), ", "));
  }
  if (amend) text += fmt::format(" amended=({})", fmt::join(names(amend->fields), ", "));
  return text;
}

CompareSettings CompareSettings::parse(const Declaration& declaration) {
  return Parser(declaration).parse();
}

std::vector<Option> compare_options() {
  std::vector<Option> options = {
      field_list("key", "Natural key. A row without one of them is refused.", true),
      field_list("optional", "Fields of the key that may be absent."),
      field_list("version",
                 "Version number, then the source's time stamp, ...; may be empty in records. "
                 "Numbers and points in time are compared as such."),
      field_list("content",
                 "Fields whose change makes a new version. Default: all but key, version, source, "
                 "identity, `ignore` and `warnings`."),
      field_list("ignore", "Fields whose change makes no new version."),
      field_list("content_before",
                 "What `content` was when the state was made, after it was changed: rows that are "
                 "the same under the old list are duplicates, and the state goes over to the new."),
      {.name = "source",
       .type = OptionType::kField,
       .doc = "Field that says who reported the record."},
      {.name = "owner",
       .type = OptionType::kField,
       .doc = "Field that says whom the record is of: where no version decides, a source that is "
              "the owner goes before all others, and what another says against it is a conflict."},
      {.name = "priority",
       .type = OptionType::kList,
       .doc = "Sources that go before others, highest first.",
       .members = {{.name = "source", .doc = "Value of the source field."}}},
      condition("withdrawn", "Condition that makes a record a withdrawal.")};
  for (auto& option : identity_options()) options.push_back(std::move(option));
  for (auto& option : output_options()) options.push_back(std::move(option));
  return options;
}

}  // namespace huiliu::operators
